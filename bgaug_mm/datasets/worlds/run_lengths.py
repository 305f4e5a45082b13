"""Masks as COCO's run lengths."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray


class RunLengths(TypedDict):
    """A mask as COCO's annotation files hold it, uncompressed."""

    size: list[int]  # height, width
    counts: list[int]  # pixels outside, inside, outside, … down the columns


def encode_mask(mask: NDArray[np.bool_]) -> RunLengths:
    """A mask (H, W) as run lengths: column by column, beginning with those outside.

    Of COCO's three forms (polygons, run lengths, compressed run lengths) this is the one
    that is exact and that a reader can check without pycocotools.
    """
    column_wise = np.asarray(mask, bool).ravel(order='F')
    changes = np.flatnonzero(column_wise[1:] != column_wise[:-1]) + 1
    counts = np.diff([0, *changes, column_wise.size]).tolist()
    if column_wise.size and column_wise[0]:
        counts.insert(0, 0)
    return {'size': [int(side) for side in mask.shape], 'counts': counts}


def decode_mask(runs: RunLengths) -> NDArray[np.bool_]:
    """The mask (H, W) that :func:`encode_mask` encoded.

    Raises:
        ValueError: If the counts do not add up to the size.
    """
    (height, width), counts = runs['size'], runs['counts']
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise ValueError(
            f'run lengths of {sum(counts)} pixels do not make a mask of {width}×{height}'
        )
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, np.asarray(counts, int)).reshape((height, width), order='F')


def mask_box(mask: ArrayLike) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (the latter two exclusive) of what is inside a mask (H, W).

    Raises:
        ValueError: When nothing is.
    """
    inside = np.asarray(mask, bool)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        raise ValueError('the mask is empty')
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
