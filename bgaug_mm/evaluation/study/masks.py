"""Masks of a world's training images that are worse than the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import read_mask
from bgaug_mm.datasets.transforms.mask_edit import MaskEdit
from bgaug_mm.files import write_bytes
from bgaug_mm.saliency.generation import generate_masks
from bgaug_mm.saliency.image_list import list_images

from ..masks.metrics import HALF, iou_curve

Mask = NDArray[np.uint8]


def make_masks(
    world: Path, out: Path, edit: Mapping[str, Any], *, seed: int = 0
) -> dict[str, float]:
    """Write masks for ``world/train`` to a folder, and compare them with the true ones.

    Args:
        world: With ``train`` and its true masks ``train_masks``.
        out: Folder of the new masks, in the same tree.
        edit: What to do. One of ``{'erode': pixels}`` (in a square, as the dilation),
            ``{'wrong': share}`` (so many images, drawn by the seed, get the mask of
            another one of them), ``{'estimator': name, …options}`` (estimated from the
            images), or options of :class:`~bgaug_mm.datasets.transforms.mask_edit.MaskEdit`
            without chance (``{'dilate': pixels}``, ``{'as_box': True}``).
        seed: For the draws. Defaults to 0.

    Returns:
        dict[str, float]: Means over the images: ``iou`` of masks cut at one half, ``kept``
        share of the foreground and ``removed`` share of the background, in percent.

    Raises:
        ValueError: For an unknown edit or options out of range.
    """
    truth_root = world / 'train_masks'
    names = [path.relative_to(truth_root) for path in sorted(truth_root.rglob('*.png'))]
    if not names:
        raise ValueError(f'{truth_root} holds no masks')
    if 'estimator' in edit:
        options = {key: value for key, value in edit.items() if key != 'estimator'}
        generate_masks(
            list_images(str(world / 'train')),
            out,
            estimator={'type': edit['estimator'], **options},
            workers=1,
        )
    else:
        truths = [read_mask(str(truth_root / name)) for name in names]
        for name, mask in zip(names, edited(truths, edit, seed), strict=True):
            write_bytes(out / name, _png(mask))
    scores = [
        _compare(read_mask(str(out / name)), read_mask(str(truth_root / name))) for name in names
    ]
    means = 100 * np.mean(scores, axis=0)
    return dict(zip(('iou', 'kept', 'removed'), map(float, means), strict=True))


def edited(masks: list[Mask], edit: Mapping[str, Any], seed: int = 0) -> list[Mask]:
    """Edited masks; see :func:`make_masks`.

    Args:
        masks: (H, W) uint8 each; not changed.
        edit: Not an estimator.
        seed: For the draws. Defaults to 0.
    """
    if 'wrong' in edit:
        _require_alone(edit, 'wrong')
        share = edit['wrong']
        if not 0 <= share <= 1:
            raise ValueError(f'`wrong` must be in [0, 1], but got {share}')
        chosen = np.random.default_rng(seed).permutation(len(masks))[: round(share * len(masks))]
        result = list(masks)
        for index, other in zip(chosen, np.roll(chosen, 1), strict=True):
            result[index] = masks[other]
        return result
    if 'erode' in edit:
        _require_alone(edit, 'erode')
        side = 2 * edit['erode'] + 1
        if not isinstance(edit['erode'], int) or side < 1:
            raise ValueError(f'`erode` must be an integer from 0, but got {edit["erode"]!r}')
        square = np.ones((side, side), np.uint8)
        return [_or_nothing(np.asarray(cv2.erode(mask, square), np.uint8)) for mask in masks]
    change = MaskEdit.of(edit)
    return [change.apply(np.ascontiguousarray(mask), change.blur > 0) for mask in masks]


def _or_nothing(mask: Mask) -> Mask:
    """A mask of which a 255th is left anywhere holds nothing; as a file it would read 0 and 1."""
    return mask if mask.max(initial=0) > 1 else np.zeros_like(mask)


def _require_alone(edit: Mapping[str, Any], key: str) -> None:
    if len(edit) > 1:
        raise ValueError(f'`{key}` takes no other option, but got {dict(edit)}')


def _compare(mask: Mask, truth: Mask) -> tuple[float, float, float]:
    hard = truth >= HALF
    m, t = mask / 255, truth / 255
    kept = np.minimum(m, t).sum() / max(t.sum(), 1e-9)
    removed = np.minimum(1 - m, 1 - t).sum() / max((1 - t).sum(), 1e-9)
    return float(iou_curve(mask, hard)[HALF]), float(kept), float(removed)


def _png(mask: Mask) -> bytes:
    return bytes(cv2.imencode('.png', mask)[1])
