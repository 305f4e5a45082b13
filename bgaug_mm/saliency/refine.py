"""Bring a saliency map's edges to those of its image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .base import Image, check_image

REFINERS = ('none', 'grabcut')


def refine(image: Image, mask: NDArray[np.uint8], *, method: str) -> NDArray[np.uint8]:
    """A mask with edges where the image has them.

    DeepUSPS (Nguyen et al., NeurIPS 2019, section 3.2) uses a fully connected CRF, whose usual
    library has no wheels; the nearest in OpenCV serves instead (our choice; its bilateral
    solver is left out of the wheels, and its guided filter moves no edge). ``'grabcut'``:
    GrabCut (Rother et al., SIGGRAPH 2004), 3 iterations from probable foreground above the map's
    own threshold (Otsu's: soft maps are weak inside objects) and probable background below, with
    m < 0.1 as sure background; the mean of the cut and the mask comes out, because some cuts fail.
    ``'none'``: as it is.

    Args:
        image (ndarray): (H, W, 3) uint8, RGB.
        mask (ndarray): (H, W) uint8.
        method (str): One of ``REFINERS``.

    Returns:
        ndarray: (H, W) uint8. The mask itself where nothing can be refined (with GrabCut all
        foreground, or none).

    Raises:
        ValueError: For another method, or shapes that do not fit.
    """
    check_image(image)
    if mask.shape != image.shape[:2] or mask.dtype != np.uint8:
        raise ValueError(
            f'`mask` must be {image.shape[:2]} uint8, but got {mask.shape} {mask.dtype}'
        )
    if method not in REFINERS:
        raise ValueError(f'`method` must be one of {list(REFINERS)}, but got {method!r}')
    if method == 'grabcut':
        return _grabcut(image, mask)
    return mask


def _grabcut(image: Image, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    middle, _ = cv2.threshold(mask, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    marks = np.where(mask > middle, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[mask < 26] = cv2.GC_BGD
    foreground = int((marks == cv2.GC_PR_FGD).sum())
    if min(foreground, marks.size - foreground) < 5:  # a mixture of five needs as many
        return mask
    cv2.setRNGSeed(0)  # its mixtures start at random
    cv2.grabCut(
        np.ascontiguousarray(image), marks, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 3,
        cv2.GC_INIT_WITH_MASK,  # the box is not used
    )  # fmt: skip
    cut = 255.0 * ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD))
    return np.rint((cut + mask) / 2).astype(np.uint8)
