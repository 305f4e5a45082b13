"""The border of a mask, as a line over a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

#: Bright on nearly every photograph, and no colour of skin, grass or sky.
OUTLINE = (255, 0, 255)


def mask_contours(
    mask: Picture, *, side: int = 224, threshold: int = 128
) -> list[NDArray[np.float64]]:
    """The borders of a mask's areas, smooth for small masks as well.

    Args:
        mask: (H, W) uint8.
        side: The borders are found with the longer side at least that long, in
            pixels. Defaults to 224.
        threshold: Value from which on a pixel is inside, 1 to 255. Defaults to 128.

    Returns:
        list[NDArray[np.float64]]: Closed lines (N, 2) of x, y in pixels of the mask,
        from its upper left corner; also those of holes.
    """
    height, width = mask.shape
    scale = max(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    inside = (cv2.resize(mask, size) >= threshold).astype(np.uint8)
    found, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    unit = np.array([width / size[0], height / size[1]])
    return [(line[:, 0] + 0.5) * unit for line in found]


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
        ratio = np.array([size[0] / width, size[1] / height])
        lines = [(line * ratio).astype(np.int32) for line in mask_contours(mask, side=side)]
        cv2.polylines(shown, lines, True, OUTLINE, 1)
    return np.asarray(shown, np.uint8)
