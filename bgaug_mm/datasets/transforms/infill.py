"""Take the foreground out of an image, so that it can be a background.

Pure functions on numpy arrays, as in :mod:`.functional`.
"""

from __future__ import annotations

import cv2
import numpy as np

from .functional import Array, Box, background_mean, foreground_box, foreground_share

#: What :func:`infill` can do.
INFILLS = ('tile_strip', 'tile_rectangle', 'inpaint', 'mean')

_INPAINT_SIDE = 96  # working size of `inpaint`, in pixels


def check_infill(method: str, threshold: int, min_strip: float) -> None:
    """Raise ValueError for options of :func:`infill` that are out of range."""
    if method not in INFILLS:
        raise ValueError(f'`infill` must be one of {INFILLS}, but got {method!r}')
    if not 1 <= threshold <= 255:
        raise ValueError(f'`threshold` must be in [1, 255], but got {threshold}')
    if not 0 <= min_strip <= 1:
        raise ValueError(f'`min_strip` must be in [0, 1], but got {min_strip}')


def largest_border_strip(box: Box, height: int, width: int) -> Box:
    """The largest of the four full-length strips between a box and the border.

    It is also the largest rectangle outside the box: one that does not meet the box
    lies wholly above, below, left or right of it, hence within one of the strips.

    Args:
        box (tuple[int, int, int, int]): (x1, y1, x2, y2), ends exclusive.
        height (int): Of the image, in pixels.
        width (int): Of the image, in pixels.

    Returns:
        tuple[int, int, int, int]: (x1, y1, x2, y2) of the strip above, below, left
        or right of the box (the first of several equally large ones, in this order);
        empty (no area) when the box fills the image.
    """
    x1, y1, x2, y2 = box
    strips = [
        (0, 0, width, y1),
        (0, y2, width, height),
        (0, 0, x1, height),
        (x2, 0, width, height),
    ]
    return max(strips, key=lambda strip: (strip[2] - strip[0]) * (strip[3] - strip[1]))


def has_room(mask: Array, method: str, *, threshold: int = 64, min_strip: float = 1 / 16) -> bool:
    """Whether a mask leaves enough background for :func:`infill`.

    For the tiling methods the largest border strip must have a thickness of at least
    ``min_strip`` of the image's side in that direction (and of one pixel); for the
    others the background (``1 − foreground_share``) must be at least that share of
    the image's area (and not nothing).
    """
    height, width = mask.shape
    if method in ('tile_strip', 'tile_rectangle'):
        box = foreground_box(mask, threshold)
        if box is None:
            return True
        x1, y1, x2, y2 = largest_border_strip(box, height, width)
        share = (y2 - y1) / height if x2 - x1 == width else (x2 - x1) / width
    else:
        share = 1 - foreground_share(mask)
    return share > 0 and share >= min_strip


def infill(
    image: Array, mask: Array, method: str, *, threshold: int = 64, min_strip: float = 1 / 16
) -> Array | None:
    """Take the foreground out of an image.

    ==================  =============================================================
    ``tile_strip``      The largest strip between the object's box and the border is
                        repeated over the box, away from the border it touches or
                        towards it; a pixel stays in its column (row). ContraCAM
                        (object-aware contrastive learning): "tiling the largest
                        border strip".
    ``tile_rectangle``  The largest rectangle outside the box is repeated over the box
                        in both directions, from the box's upper left corner, as
                        ImageNet-9's Only-BG-T. It is the same rectangle as the strip
                        (see :func:`largest_border_strip`), laid out in another way:
                        ``filled[top + i, left + j] = R[i % h, j % w]``.
    ``inpaint``         Inpainting by Bertalmio, Bertozzi, Sapiro (2001; OpenCV's
                        ``INPAINT_NS``, which unlike Telea's leaves a flat area flat) of
                        the mask, widened by 1/32 of the image's longer side so that
                        the soft edge goes too. Done at 96 px, because what large holes
                        are filled with is smooth anyway and the cost grows with the
                        area (our choice).
    ``mean``            The box is filled with :func:`~.functional.background_mean`.
    ==================  =============================================================

    The tilings and the mean fill the whole bounding box, not the mask alone: so no
    outline of the object is left (our choice).

    Args:
        image (ndarray): (H, W, 3) uint8.
        mask (ndarray): (H, W) uint8.
        method (str): One of ``INFILLS``.
        threshold (int): Mask value from which on a pixel belongs to the foreground,
            1 to 255; see :func:`~.functional.foreground_box`. Defaults to 64.
        min_strip (float): Least usable share of background, in [0, 1]; see
            :func:`has_room`. Defaults to 1/16 (our choice: thinner strips make mere
            stripes).

    Returns:
        ndarray | None: (H, W, 3) uint8, a new array, or ``image`` itself when there
        is no foreground; None when there is too little background.
    """
    if not has_room(mask, method, threshold=threshold, min_strip=min_strip):
        return None
    box = foreground_box(mask, threshold)
    if box is None:
        return image
    if method == 'inpaint':
        return _inpaint(image, mask, threshold)
    filled = image.copy()
    x1, y1, x2, y2 = box
    if method == 'mean':
        # never None: there is room
        filled[y1:y2, x1:x2] = np.rint(background_mean(image, mask) or 0)
    else:
        filled[y1:y2, x1:x2] = _tile(image, box, method)
    return filled


def _tile(image: Array, box: Box, method: str) -> Array:
    """What the box is filled with, (height of the box, width of the box, 3)."""
    left, top, right, bottom = box
    x1, y1, x2, y2 = largest_border_strip(box, *image.shape[:2])
    rectangle = image[y1:y2, x1:x2]
    rows = np.arange(bottom - top) % (y2 - y1)
    columns = np.arange(right - left) % (x2 - x1)
    if method == 'tile_strip':
        if x2 - x1 == image.shape[1]:  # a horizontal strip, repeated downwards
            return rectangle[rows, left:right]
        return rectangle[top:bottom, columns]
    return rectangle[rows[:, None], columns]


def _inpaint(image: Array, mask: Array, threshold: int) -> Array:
    height, width = mask.shape
    reach = max(height, width) // 32 + 1
    above = cv2.threshold(mask, threshold - 1, 255, cv2.THRESH_BINARY)[1]
    hole = cv2.dilate(above, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    scale = min(_INPAINT_SIDE / max(height, width), 1)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # any pixel that holds a bit of the foreground is unknown
    unknown = cv2.resize(hole, size, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(small, (unknown > 0).astype(np.uint8), 3, cv2.INPAINT_NS)
    filled = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.copyTo(image, 255 - hole, filled)
    return filled
