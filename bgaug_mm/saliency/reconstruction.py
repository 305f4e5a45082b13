"""Morphological reconstruction, and the smoothing that it makes. Importing needs numba."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray


def smooth(values: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Opening, then closing by reconstruction: flat areas, and edges where they were.

    What is brighter than its surroundings and narrower than the square kernel is levelled
    down to them, then what is darker and narrower is levelled up; all else keeps its
    outline (Vincent, IEEE Trans. Image Processing 1993, §3).

    Args:
        values (ndarray): (H, W) uint8.
        width (int): Side of the kernel in pixels, at least 1 (which changes nothing).
    """
    kernel = np.ones((width, width), np.uint8)
    opened = reconstruct(cv2.erode(values, kernel), values)
    return 255 - reconstruct(255 - cv2.dilate(opened, kernel), 255 - opened)


@njit(cache=True)
def reconstruct(seed: NDArray[Any], mask: NDArray[Any]) -> NDArray[Any]:
    """Reconstruction by dilation: the seed grown under the mask until nothing changes.

    Pixels are taken from the brightest down, each at most once, and raise their four
    neighbours to their own level or the mask's (Robinson and Whelan, Pattern Recognition
    Letters 2004). Raster scans until nothing changes would need a score of them.

    Args:
        seed (ndarray): (H, W) uint8, nowhere above the mask.
        mask (ndarray): (H, W) uint8.

    Returns:
        ndarray: (H, W) uint8, between seed and mask.
    """
    height, width = seed.shape
    # A frame of zeros around both: what cannot be raised needs no check for the edge.
    grown = np.zeros((height + 2, width + 2), np.uint8)
    bound = np.zeros_like(grown)
    grown[1:-1, 1:-1], bound[1:-1, 1:-1] = seed, mask
    level, limit = grown.ravel(), bound.ravel()  # views
    sides = (-width - 2, -1, 1, width + 2)
    # One ring of pixels a level, doubly linked, through an entry of its own: area + level.
    # A pixel that has nothing to raise is a ring by itself.
    area = level.size
    after = np.arange(area + 256).astype(np.int32)
    before = after.copy()
    for pixel in range(width + 3, area - width - 3):
        for side in sides:
            near = pixel + side
            if level[near] < min(level[pixel], limit[near]):
                _insert(after, before, pixel, area + level[pixel])
                break
    for brightness in range(255, 0, -1):
        ring = area + brightness
        while after[ring] != ring:
            pixel = after[ring]
            _remove(after, before, pixel)
            for side in sides:
                near = pixel + side
                raised = min(brightness, limit[near])
                if level[near] < raised:
                    level[near] = raised
                    _remove(after, before, near)
                    _insert(after, before, near, area + raised)
    return grown[1:-1, 1:-1].copy()


@njit(cache=True)
def _insert(after: NDArray[Any], before: NDArray[Any], entry: int, ring: int) -> None:
    after[entry], before[entry] = after[ring], ring
    before[after[ring]] = entry
    after[ring] = entry


@njit(cache=True)
def _remove(after: NDArray[Any], before: NDArray[Any], entry: int) -> None:
    after[before[entry]] = after[entry]
    before[after[entry]] = before[entry]
    after[entry] = before[entry] = entry
