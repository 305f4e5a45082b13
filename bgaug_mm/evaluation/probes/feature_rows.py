"""Rows of features that may lie in a file larger than memory."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Features (N, D): a tensor, or an array, memory-mapped or not; any floating dtype.
Features = Tensor | NDArray[Any]


def read_rows(features: Features, rows: slice | NDArray[np.int64]) -> Tensor:
    """Some rows, of a memory-mapped file as a copy; the file's pages do not stay in memory.

    Args:
        features (Tensor | ndarray): (N, D).
        rows (slice | ndarray): Which; ascending indices read a file fastest.

    Returns:
        Tensor: (n, D), on the features' device, of their dtype.
    """
    if isinstance(features, Tensor):
        return features[rows if isinstance(rows, slice) else torch.from_numpy(rows)]
    found = torch.from_numpy(np.array(features[rows]))
    mapped = getattr(features, '_mmap', None)
    # pages that were read count as this process' memory until they are given back; those
    # of copy-on-write hold changes
    private = getattr(features, 'mode', None) == 'c'
    if isinstance(mapped, mmap.mmap) and not private and hasattr(mapped, 'madvise'):
        mapped.madvise(mmap.MADV_DONTNEED)
    return found
