"""What the parts of the small suite do with a world and one frozen backbone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.device import usable_device
from bgaug_mm.failures import one_line

from ..evenly import evenly
from ..measures import Measure, of_shares
from ..networks.classifier import FrozenClassifier
from ..networks.features import FrozenBackbone, features_of_images, read_image
from ..predictions import SetPredictions
from ..probes.background_gap import (
    ImageSet,
    embedding_spread,
    list_set,
    list_triplets,
)
from ..probes.knn import knn_predict
from ..probes.linear_probe import fit_linear_probe
from ..statistics import over_seeds
from .disturbed import attack_measures, structure_measures
from .options import SuiteOptions
from .run_result import RunResult


class WorldProbes:
    """The data of one run and what is computed of it; features are made once a file.

    Args:
        root: The world.
        backbone: With its normalisation.
        options: Settings.
        run: Receives answers, figures and notes.
    """

    def __init__(
        self, root: Path, backbone: FrozenBackbone, options: SuiteOptions, run: RunResult
    ) -> None:
        self.root, self.options, self.run = root, options, run
        self.backbone = backbone.to(usable_device(options.device)).eval()
        self.known: dict[Path, Tensor] = {}
        self.sets: dict[str, ImageSet] = {}

    def features(self, files: Sequence[Path], source: str) -> tuple[Tensor, list[int]]:
        """Features (M, D) and which files they are of; what cannot be read is noted."""
        new = [path for path in dict.fromkeys(files) if path not in self.known]
        for batch in _batches(new, self.options.batch_size):
            paths, images = self.read(batch, source)
            if paths:
                found = features_of_images(self.backbone, images, device=self.options.device)
                self.known.update(zip(paths, found, strict=True))
        kept = [index for index, path in enumerate(files) if path in self.known]
        if not kept:
            raise ValueError(f'no image of {source} can be read')
        return torch.stack([self.known[files[index]] for index in kept]), kept

    def read(self, files: Sequence[Path], source: str) -> tuple[list[Path], list[Any]]:
        """The images that can be read."""
        paths, images = [], []
        for path in files:
            try:
                images.append(read_image(path, size=self.options.size))
                paths.append(path)
            except (ValueError, OSError) as error:
                self.run.notes.append(f'{source}: left out: {one_line(error)}')
        return paths, images

    def list_files(self, name: str) -> ImageSet:
        """Files of a set; a class that it lacks is noted."""
        folder = self.root / name
        if not folder.is_dir():
            raise ValueError(f'{self.root} has no set folder {name}')
        if name == 'train':
            self.classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        found = list_set(folder, self.classes)
        lacking = [one for i, one in enumerate(self.classes) if i not in {*found.labels}]
        if lacking:
            self.run.notes.append(
                f'{name}: no images of {", ".join(lacking)}; its figures are of the other '
                f'{len(self.classes) - len(lacking)} classes'
            )
        self.sets[name] = found
        return found

    def fit(self) -> None:
        """The probes, on ``train``."""
        train = self.list_files('train')
        self.bank, kept = self.features(train.files, 'train')
        self.bank_labels = torch.tensor(train.labels)[kept]
        self.probe = fit_linear_probe(self.bank, self.bank_labels, l2=self.options.l2)
        self.known.clear()  # the largest set, and no other needs it
        self.run.scores['spread'] = over_seeds([embedding_spread(self.bank)])
        self.run.classifier = FrozenClassifier(self.backbone, self.probe).to(self.options.device)

    def answer(self, name: str) -> None:
        """Answers of both probes on a set; those of the linear one alone on ``adversarial``."""
        found = self.list_files(name)
        features, kept = self.features(found.files, name)
        files = [self.relative(found.files[index], name) for index in kept]
        labels = np.array(found.labels)[kept]
        probability, answers = self.probe.logits(features).softmax(1).max(1)
        sure = probability.numpy().astype(np.float32)
        self.run.predictions[name] = SetPredictions(files, labels, answers.numpy(), sure)
        if name == 'adversarial':
            for path in found.files:  # many, and needed no more
                self.known.pop(path, None)
            return
        answers = knn_predict(self.bank, self.bank_labels, features, k=self.options.k)
        self.run.predictions[f'knn_{name}'] = SetPredictions(files, labels, answers.numpy())

    def relative(self, path: Path, set_name: str) -> str:
        return path.relative_to(self.root / set_name).as_posix()

    def preference(self) -> Measure:
        """100 a triplet whose object outweighs its background, 50 for a tie."""
        triplets = list_triplets(self.root)
        if not triplets:
            raise ValueError(f'{self.root} has no triplets.csv')
        every = [path for triplet in triplets for path in triplet]
        self.features(every, 'triplets')
        whole = [triplet for triplet in triplets if all(path in self.known for path in triplet)]
        if not whole:
            raise ValueError('no triplet is whole')
        anchor, positive, negative = (
            torch.stack([self.known[triplet[i]] for triplet in whole]) for i in range(3)
        )
        wins = F.cosine_similarity(anchor, positive) - F.cosine_similarity(anchor, negative)
        names = [path.relative_to(self.root).as_posix() for path, _, _ in whole]
        return Measure(names, (wins.sign().double().numpy() + 1) * 50)

    def some(self, name: str, most: int) -> tuple[list[str], Tensor, Tensor]:
        """Names, BGR images (M, 3, H, W) and labels of some images of a set, evenly chosen."""
        if name not in self.run.predictions:
            raise ValueError(f'the set {name} is missing')
        found = self.sets[name]
        where = {found.files[i]: found.labels[i] for i in evenly(len(found.files), most)}
        paths, images = self.read(list(where), name)
        pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
        labels = torch.tensor([where[path] for path in paths])
        return [self.relative(path, name) for path in paths], pixels, labels

    def masks(self, names: Sequence[str], shape: Sequence[int], name: str) -> Tensor:
        """(N, H, W) uint8, 255 = object."""
        folder = self.root / f'{name}_masks'
        if not folder.is_dir():
            raise ValueError(f'{self.root} has no masks {folder.name}')
        size = shape[-1] if self.options.size else None
        masks = [read_image(folder / Path(one).with_suffix('.png'), size=size) for one in names]
        return torch.from_numpy(np.stack(masks)[..., 0].copy())

    def structure(self) -> None:
        """Accuracy under gamma distortion and shuffled patches and pixels."""
        some = self.some('original', self.options.distorted)
        self.run.measures.update(structure_measures(self.classifier, *some, self.options))

    def attacks(self) -> None:
        """Robust accuracy under FGSM and PGD, and under PGD within one region."""
        names, images, labels = self.some('mixed_rand', self.options.attacked)
        masks = None
        with self.run.part('attacks on one region'):
            masks = self.masks(names, images.shape, 'mixed_rand')
        for name, measure in attack_measures(
            self.classifier, names, images, labels, self.options, masks
        ):
            self.run.measures[name] = measure

    def heat(self) -> None:
        """How much of the heat, and of the gradient, for the true class lies on the object."""
        from ..attacks.input_gradients import gradient_share
        from ..networks.heat_maps import heat_maps, heat_on_foreground

        names, images, labels = self.some('mixed_rand', self.options.probed)
        masks = self.masks(names, images.shape, 'mixed_rand')
        maps, _ = heat_maps(self.classifier, images, labels)
        gradient, area = gradient_share(self.classifier, images, labels, masks)
        self.run.measures['heat'] = of_shares(
            names, heat_on_foreground(maps, masks).double().numpy()
        )
        self.run.measures['gradient'] = of_shares(names, gradient.numpy())
        self.run.measures['object_area'] = of_shares(names, area.numpy())

    @property
    def classifier(self) -> FrozenClassifier:
        if self.run.classifier is None:
            raise ValueError('there is no classifier without features of train')
        return self.run.classifier


def _batches(files: Sequence[Path], size: int) -> Iterable[Sequence[Path]]:
    return (files[start : start + size] for start in range(0, len(files), size))
