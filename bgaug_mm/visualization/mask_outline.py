"""The border of a mask, as a line over a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

#: Bright on nearly every photograph, and no colour of skin, grass or sky.
OUTLINE = (255, 0, 255)


def mask_contours(mask: Picture, *, threshold: int = 128) -> list[NDArray[np.int32]]:
    """The borders of a mask's areas.

    Args:
        mask: (H, W) uint8.
        threshold: Value from which on a pixel is inside, 1 to 255. Defaults to 128.

    Returns:
        list[NDArray[np.int32]]: Closed lines (N, 2) of x, y: the outermost pixels of
        each area and of the holes in it.
    """
    inside = (mask >= threshold).astype(np.uint8)
    found, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    return [np.asarray(line[:, 0], np.int32) for line in found]


def with_outline(image: Picture, mask: Picture | None, *, side: int) -> Picture:
    """A picture with its mask's border, one pixel wide at the size it is shown.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, or None: nothing is drawn.
        side: The longer side of the result in pixels; enlarged by pixel repetition,
            shrunk smoothly.

    Returns:
        Picture: (h, w, 3) uint8, a new array.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_NEAREST if scale >= 1 else cv2.INTER_AREA
    shown = cv2.resize(image, size, interpolation=how)
    if mask is not None:
        lines = mask_contours(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR))
        cv2.polylines(shown, lines, True, OUTLINE, 1)
    return np.asarray(shown, np.uint8)
