"""The adversarial backgrounds challenge of ImageNet-9."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...datasets.robustness import ImageNet9
from ...datasets.robustness.class_folders import folders_in, require
from ..predictions import SetPredictions
from .answers import answers, require_outputs
from .image_batches import image_batches


class Foreground(NamedTuple):
    """A foreground: its name ``<class>/<stem>``, image, mask and class."""

    name: str
    image: str
    mask: str
    label: int


def backgrounds_challenge(
    classifier: Callable[[Tensor], Tensor],
    data_root: str | os.PathLike[str],
    *,
    outputs: int,
    crop: int = 224,
    batch_size: int = 128,
    device: str | torch.device = 'cpu',
) -> tuple[SetPredictions, list[str]]:
    """Which foregrounds are recognised on every background.

    Xiao et al., "Noise or Signal" (ICLR 2021, section 3) and the challenge's released
    evaluation: each foreground of `original`, cut out by its mask, on each image of
    `only_bg_t`, those of its own class included; a foreground counts when all answers are
    right. Where we depart: backgrounds that fooled most foregrounds so far are tried first,
    which changes nothing but the time.

    Args:
        classifier: Maps BGR images (N, 3, crop, crop) uint8 to logits (N, C).
        data_root: ``bg_challenge`` as the archive unpacks, with ``fg_mask/val/<class>/*.npy``
            (H, W; not 0 is foreground), ``original`` and ``only_bg_t``.
        outputs: C: 1000 (``in_to_in9.json`` must be there) or 9.
        crop: Side of the images shown. Defaults to 224, as they come.
        batch_size: Composites at once. Defaults to 128.
        device: Where to compute; holds all backgrounds (0.6 GB at 224). Defaults to
            ``'cpu'``.

    Returns:
        For each foreground its class and, as the answer, its class again when it is right
        on all backgrounds, else a wrong answer; and a line for each foreground that could not
        be read.

    Raises:
        FileNotFoundError: If a part of the data is not there.
        ValueError: For other outputs, a background that cannot be read, or no foregrounds.
    """
    root = Path(data_root)
    dataset = ImageNet9(root, 'only_bg_t', label_map='in_to_in9.json' if outputs == 1000 else None)
    require_outputs(outputs, dataset.metainfo)
    foregrounds = list(_foregrounds(root))
    backgrounds = _read_all(
        [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))], crop
    ).to(device)
    fooled = torch.zeros(len(backgrounds))  # by background, how many foregrounds
    names: list[str] = []
    labels: list[int] = []
    given: list[int] = []
    unread: list[str] = []
    for foreground in foregrounds:
        try:
            image = _read_all([foreground.image], crop).to(device)
            mask = _read_mask(foreground.mask, crop).to(device)
        except ValueError as error:
            unread.append(str(error))
            continue
        answer = foreground.label
        for part in torch.split(fooled.argsort(descending=True, stable=True), batch_size):
            composites = torch.where(mask, image, backgrounds[part.to(device)])
            with torch.inference_mode():
                found = answers(classifier(composites), dataset.metainfo).cpu()
            wrong = found != foreground.label
            if wrong.any():
                fooled[part[wrong]] += 1
                answer = int(found[wrong][0])
                break
        names.append(foreground.name)
        labels.append(foreground.label)
        given.append(answer)
    if not names:
        raise ValueError(f'no foreground of {root} can be read: {unread[0]}')
    return SetPredictions(names, np.array(labels), np.array(given)), unread


def _foregrounds(root: Path) -> Iterator[Foreground]:
    folder = require(root / 'fg_mask/val', 'the masks of the foregrounds', ImageNet9.SOURCE)
    originals = require(root / 'original/val', 'the images of the foregrounds', ImageNet9.SOURCE)
    for name in folders_in(folder):
        masks = sorted((folder / name).glob('*.npy'))
        if not name[:2].isdecimal() or not masks:
            raise ValueError(f'{folder / name} is not a class folder <00_dog …> of .npy masks')
        for mask in masks:
            image = originals / name / f'{mask.stem}.JPEG'
            yield Foreground(f'{name}/{mask.stem}', str(image), str(mask), int(name[:2]))


def _read_all(files: list[str], crop: int) -> Tensor:
    """(N, 3, crop, crop) uint8, BGR."""
    parts = []
    for batch in image_batches(files, short=None, crop=crop):
        for line in batch.unreadable.values():
            raise ValueError(line)
        parts.append(batch.images)
    return torch.cat(parts)


def _read_mask(path: str, crop: int) -> Tensor:
    """(crop, crop) bool."""
    try:
        mask: Any = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f'{path} is not a mask that can be read: {error}') from error
    if mask.ndim != 2:
        raise ValueError(f'{path} is not a mask (H, W), but {mask.shape}')
    plane = torch.from_numpy(mask != 0)
    if plane.shape != (crop, crop):
        scaled = torch.nn.functional.interpolate(plane[None, None].float(), (crop, crop))
        plane = scaled[0, 0] > 0
    return plane
