"""Learning saliency without labels: cues, a network for each, and one that joins them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import read_mask, write_mask
from bgaug_mm.engine.training_progress import follow
from bgaug_mm.engine.training_run import TrainingRun, train_command
from bgaug_mm.files import write_bytes, write_json

from .base import build_estimator
from .generation import generate_masks
from .image_list import is_below, list_images
from .learning_config import Recipe, require_encoder, training_config
from .reading import read_image
from .refine import REFINERS, refine


def learn_saliency(
    images: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    cues: Sequence[str] = ('rbd', 'mbplus', 'gs'),
    rounds: int = 2,
    recipe: Recipe | None = None,
    refine_with: str = 'grabcut',
    jobs: int = 1,
    cores: int = 1,
    tool: Path,
) -> Path:
    """Learn a saliency network from unlabelled images; what is done already is skipped.

    Cues (``out/cues/<cue>``); for each cue ``rounds`` trainings, each on the averaged
    predictions of the one before (``out/<cue>/round_<n>``); the mean of the cues' last averages
    (``out/fused_masks``), refined on request; a last network on these (``out/fused``). Later
    trainings start from the first cue's weights or their own of the round before, which no
    label has touched either (our choice: it halves the time).

    Args:
        images (str | PathLike): Folder of images.
        out (str | PathLike): Folder of all results.
        cues (Sequence[str]): Names of estimators, the best one first. Defaults to rbd, mbplus
            and gs.
        rounds (int): Trainings of each cue, at least 1. Defaults to 2.
        recipe (Recipe, optional): Defaults to None, the shipped configs.
        refine_with (str): What sharpens the fused maps: 'none' or 'grabcut', see
            :func:`~bgaug_mm.saliency.refine.refine`. Defaults to 'grabcut'.
        jobs (int): Trainings at once. Defaults to 1.
        cores (int): Cores to share. Defaults to 1.
        tool (Path): ``tools/train.py``.

    Returns:
        Path: The last network's checkpoint.

    Raises:
        ValueError: For options out of range, no images, cues that are no estimators.
        RuntimeError: If a training fails, with the end of its log.
    """
    recipe = recipe or Recipe()
    if not cues or len(set(cues)) != len(cues):
        raise ValueError(f'`cues` must be different estimators, at least one, but got {list(cues)}')
    for name, value in (('rounds', rounds), ('jobs', jobs), ('cores', cores)):
        if value < 1:
            raise ValueError(f'`{name}` must be at least 1, but got {value}')
    if refine_with not in REFINERS:
        raise ValueError(f'`refine_with` must be one of {list(REFINERS)}, but got {refine_with!r}')
    images, out = Path(images).resolve(), Path(out).resolve()
    if not images.is_dir():
        raise ValueError(f"there is no folder '{images}'")
    if is_below(str(out), images):
        raise ValueError(f"'{out}' lies among the images: choose a folder outside of '{images}'")
    if recipe.init is not None:
        require_encoder(recipe.init)
    # what is wrong with an option is said now, not when the cues are made
    training_config(recipe.cue_config, images, out, recipe, epochs=recipe.cue_epochs)
    training_config(recipe.fused_config, images, out, recipe, epochs=recipe.fused_epochs)
    for cue in cues:
        build_estimator(cue)
    items = list_images(str(images))
    _require_same(out / 'settings.json', cues=list(cues), rounds=rounds, refine_with=refine_with)
    for cue in cues:
        print(f'Cue {cue}', flush=True)
        generate_masks(items, out / 'cues' / cue, estimator={'type': cue}, workers=cores)

    masks = {cue: out / 'cues' / cue for cue in cues}
    weights: dict[str, Path] = {}
    for number in range(1, rounds + 1):
        work = {cue: out / cue / f'round_{number}' for cue in cues}
        configs = {
            cue: training_config(
                recipe.cue_config, images, masks[cue], recipe,
                epochs=recipe.cue_epochs, start=weights.get(cue),
            )
            for cue in cues
        }  # fmt: skip
        print(f'Round {number} of {rounds}: {", ".join(cues)}', flush=True)
        train(configs, work, jobs=jobs, cores=cores, tool=tool)
        masks = {cue: work[cue] / 'average' for cue in cues}
        weights = {cue: last_checkpoint(work[cue]) for cue in cues}

    fused = out / 'fused_masks'
    if not (fused / 'done').is_file():
        mean_masks(images, list(masks.values()), fused, refine_with=refine_with)
        (fused / 'done').touch()
    config = training_config(
        recipe.fused_config, images, fused, recipe,
        epochs=recipe.fused_epochs, start=weights[cues[0]],
    )  # fmt: skip
    print('The network that joins them', flush=True)
    train({'fused': config}, {'fused': out / 'fused'}, jobs=1, cores=cores, tool=tool)
    return last_checkpoint(out / 'fused')


def train(
    configs: Mapping[str, Config],
    folders: Mapping[str, Path],
    *,
    jobs: int,
    cores: int,
    tool: Path,
) -> None:
    """Train what has not been trained, side by side; an interrupted training goes on.

    Raises:
        ValueError: If a folder holds a training with another config.
        RuntimeError: If a training fails.
    """
    runs = {}
    for name, config in configs.items():
        folder = folders[name]
        text, file = config.pretty_text, folder.with_suffix('.py')
        # beside the folder: in it mmengine writes one of the same name
        if file.is_file() and file.read_text(encoding='utf-8') != text:
            raise ValueError(
                f'{folder} holds a training with other options; choose another folder or remove it'
            )
        if (folder / 'done').is_file():
            print(f'{name}: trained already, {folder}', flush=True)
            continue
        write_bytes(file, text.encode())
        # only then: without a checkpoint it would also forget `load_from`
        resume = ['--resume'] if (folder / 'last_checkpoint').is_file() else []
        runs[name] = TrainingRun(
            train_command(tool, file, '--work-dir', str(folder), *resume),
            log=folder / 'train.log',
            epochs=config.train_cfg.max_epochs,
            env={'OMP_NUM_THREADS': str(max(1, cores // min(jobs, len(configs))))},
        )
    if runs:
        follow(runs, jobs=jobs, started=time.time())
    for name in runs:
        (folders[name] / 'done').touch()


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _require_same(path: Path, **settings: Any) -> None:
    """Settings that no training's config shows must stay within one folder."""
    if not path.is_file():
        write_json(path, settings)
    found = json.loads(path.read_text(encoding='utf-8'))
    if found != settings:
        raise ValueError(
            f"'{path.parent}' was made with {found}, now asked for is {settings}: choose another "
            'folder'
        )


def last_checkpoint(folder: Path) -> Path:
    """The checkpoint mmengine named last; also when the folder was moved."""
    name = (folder / 'last_checkpoint').read_text(encoding='utf-8').strip()
    return folder / Path(name).name


def mean_masks(
    images: Path, folders: Sequence[Path], out: Path, *, refine_with: str = 'none'
) -> None:
    """Write the mean of mirrored masks, for the images that have one in each folder.

    Args:
        images (Path): Folder of the images, for the refinement.
        folders (Sequence[Path]): Folders of masks that mirror it.
        out (Path): Where the means go.
        refine_with (str): See :func:`~bgaug_mm.saliency.refine.refine`.
    """
    for item in list_images(str(images)):
        name = Path(item.name).with_suffix('.png')
        files = [folder / name for folder in folders]
        if not all(file.is_file() for file in files):
            continue
        mean: NDArray[Any] = np.mean([read_mask(str(file)) for file in files], axis=0)
        mask = np.rint(mean).astype(np.uint8)
        if refine_with != 'none':
            mask = refine(read_image(item.path), mask, method=refine_with)
        write_mask(str(out / name), mask)
