"""Bring a saliency map's edges to those of its image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.environment import require_saliency

from .base import Image, check_image

REFINERS = ('none', 'guided', 'grabcut')


def refine(image: Image, mask: NDArray[np.uint8], *, method: str) -> NDArray[np.uint8]:
    """A mask with edges where the image has them.

    DeepUSPS (Nguyen et al., NeurIPS 2019, section 3.2) uses a fully connected CRF; no library of
    it is kept up for today's Python, so the nearest that OpenCV has serve, at its defaults
    but for what is named here (our choice). ``'guided'``: the guided filter
    (He, Sun, Tang, ECCV 2010), soft, with a radius of a fortieth of the longest side and
    ε = (0.03 · 255)² (OpenCV's bilateral solver, nearer to a CRF, is left out of its wheels).
    ``'grabcut'``: GrabCut (Rother et al., SIGGRAPH 2004), 3 iterations from probable foreground
    at m >= 0.5, with m < 0.1 as sure background; 0 and 255 alone come out. ``'none'``: as it
    is.

    Args:
        image (ndarray): (H, W, 3) uint8, RGB.
        mask (ndarray): (H, W) uint8.
        method (str): One of ``REFINERS``.

    Returns:
        ndarray: (H, W) uint8. The mask itself where nothing can be refined (with GrabCut all
        foreground, or none).

    Raises:
        ValueError: For another method, or shapes that do not fit.
        ImportError: If 'guided' lacks opencv-contrib.
    """
    check_image(image)
    if mask.shape != image.shape[:2] or mask.dtype != np.uint8:
        raise ValueError(
            f'`mask` must be {image.shape[:2]} uint8, but got {mask.shape} {mask.dtype}'
        )
    if method not in REFINERS:
        raise ValueError(f'`method` must be one of {list(REFINERS)}, but got {method!r}')
    if method == 'guided':
        return _guided(image, mask)
    if method == 'grabcut':
        return _grabcut(image, mask)
    return mask


def _guided(image: Image, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    require_saliency('cv2.ximgproc')
    radius = max(2, round(max(mask.shape) / 40))
    filtered = cv2.ximgproc.guidedFilter(
        np.ascontiguousarray(image), mask.astype(np.float32), radius, (0.03 * 255) ** 2
    )
    return np.rint(np.clip(filtered, 0, 255)).astype(np.uint8)


def _grabcut(image: Image, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    marks = np.where(mask >= 128, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[mask < 26] = cv2.GC_BGD
    foreground = int((marks == cv2.GC_PR_FGD).sum())
    if min(foreground, marks.size - foreground) < 5:  # a mixture of five needs as many
        return mask
    cv2.setRNGSeed(0)  # its mixtures start at random
    cv2.grabCut(
        np.ascontiguousarray(image), marks, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 3,
        cv2.GC_INIT_WITH_MASK,  # the box is not used
    )  # fmt: skip
    return np.where((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
