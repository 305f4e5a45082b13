"""How the images of one set are shown in pictures of an evaluation."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...datasets.robustness import RobustnessSet
from ..evenly import evenly
from ..networks.classifier import FrozenClassifier, GroupedClassifier, LoadedClassifier
from ..networks.features import read_image
from ..predictions import SetPredictions
from ..robustness.image_batches import image_batches

Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One set, as one network sees it.

    Attributes:
        set_name: The set.
        names: Class → its name.
        classifier: Logits of these classes.
        read: Gives the images of files of the set, (N, H, W, 3) uint8 BGR.
        masks: Gives their masks, (H, W) uint8 each; None where there is none.
    """

    set_name: str
    names: Mapping[int, str]
    classifier: FrozenClassifier | GroupedClassifier
    read: Callable[[Sequence[str]], Picture]
    masks: Callable[[Sequence[str]], list[Picture | None]]

    def name(self, label: int) -> str:
        """Of a class."""
        return 'another class' if label < 0 else self.names.get(label, str(label))

    def some(self, answered: SetPredictions, most: int) -> tuple[list[str], Tensor, Tensor]:
        """Names, BGR images (M, 3, H, W) uint8 and labels of some images, evenly chosen.

        Args:
            answered: The answers on the set.
            most: How many, at most.
        """
        chosen = evenly(len(answered.files), most)
        files = [answered.files[index] for index in chosen]
        images = torch.from_numpy(self.read(files)).permute(0, 3, 1, 2).contiguous()
        return files, images, torch.from_numpy(answered.labels[chosen])


def shown_world(
    root: str | os.PathLike[str],
    classifier: FrozenClassifier,
    set_name: str,
    *,
    size: int | None = None,
) -> Shown:
    """A set of a world.

    Args:
        root: The world.
        classifier: Backbone and probe.
        set_name: The set.
        size: Side the images are resized to. Defaults to None, as they are.
    """
    root = Path(root)

    def read(files: Sequence[str]) -> Picture:
        return np.stack([read_image(root / set_name / file, size=size) for file in files])

    def masks(files: Sequence[str]) -> list[Picture | None]:
        paths = [root / f'{set_name}_masks' / Path(file).with_suffix('.png') for file in files]
        return [read_image(path, size=size)[..., 0] if path.is_file() else None for path in paths]

    classes = sorted(entry.name for entry in (root / 'train').iterdir() if entry.is_dir())
    return Shown(
        set_name=set_name, names=dict(enumerate(classes)), classifier=classifier,
        read=read, masks=masks,
    )  # fmt: skip


def shown_set(
    dataset: RobustnessSet,
    classifier: FrozenClassifier | LoadedClassifier,
    set_name: str,
    answered: SetPredictions,
    *,
    outputs: int,
    short: int = 256,
    crop: int = 224,
) -> Shown:
    """A robustness set; it has no masks.

    Args:
        dataset: The set.
        classifier: Of ImageNet's classes, or of the set's own.
        set_name: The set.
        answered: The answers on it.
        outputs: How many the classifier has.
        short, crop: As the images were shown to the classifier.
    """
    meta = dataset.metainfo

    def read(files: Sequence[str]) -> Picture:
        paths = [str(dataset.folder / file) for file in files]
        batches = image_batches(
            paths, short=None if dataset.CROPPED else short, crop=crop, border=dataset.BORDER
        )
        images = torch.cat([batch.images for batch in batches if batch.indices])
        return images.permute(0, 2, 3, 1).numpy()

    labels = answered.labels.tolist()
    names = {  # the folder that an image is in, where there is one
        label: PurePath(file).parent.name or str(label)
        for file, label in zip(answered.files, labels, strict=True)
    }
    if 'classes' in meta:
        names = dict(enumerate(meta['classes']))
    return Shown(
        set_name=set_name, names=names, read=read, masks=lambda files: [None] * len(files),
        classifier=GroupedClassifier(
            classifier, None if outputs == meta['num_classes'] else meta['label_map']
        ),
    )  # fmt: skip
