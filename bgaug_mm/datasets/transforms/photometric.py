"""Pixel maths of the photometric transforms: Pillow's results without Pillow.

Upstream's photometric transforms go through Pillow, and there most of the time is spent
on copying (BGR to RGB by a negative stride, array to image and back). The functions
here compute what Pillow computes, on BGR arrays with OpenCV. How far they can differ from
it stands in each docstring and is tested.

Images are (H, W, 3) uint8, BGR, C-contiguous. Nothing here is random, and no function
writes into its arguments.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from .functional import Array

_LEVELS = np.arange(256, dtype=np.float32)
# Hue and saturation times 255 are truncated, in Pillow too. A ten-thousandth more keeps
# values that are whole numbers from falling short of themselves in float32; the value
# is rounded, because it is a whole number.
_TO_STEPS = np.array([[255 / 360, 0, 0, 1e-4], [0, 255, 0, 1e-4], [0, 0, 1, 0.5]], dtype=np.float32)


def _blend_levels(image: Array, degenerate: float, factor: float) -> Array:
    """``degenerate + factor·(image − degenerate)``, clipped, then truncated, as Pillow does."""
    start = np.float32(degenerate)
    levels = start + np.float32(factor) * (_LEVELS - start)
    return cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))


def adjust_brightness(image: Array, factor: float) -> Array:
    """Multiply all values by a factor (Pillow's ``ImageEnhance.Brightness``, bit by bit).

    Args:
        image (ndarray): (H, W, 3) uint8.
        factor (float): At least 0; 1 leaves the image as it is.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.
    """
    return _blend_levels(image, 0, factor)


def adjust_contrast(image: Array, factor: float) -> Array:
    """Spread the values around the mean grey level (Pillow's ``ImageEnhance.Contrast``).

    The same as Pillow's bit by bit, unless the mean grey level lies within 0.002 of the
    middle of two levels: then by one level. (OpenCV's and Pillow's luma differ by one
    level in one pixel out of a thousand.)

    Args:
        image (ndarray): (H, W, 3) uint8, BGR.
        factor (float): At least 0; 1 leaves the image as it is.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    mean = float(np.sum(cv2.sumElems(grey))) / grey.size
    return _blend_levels(image, int(mean + 0.5), factor)


def adjust_saturation(image: Array, factor: float) -> Array:
    """Move the colours away from their own grey (Pillow's ``ImageEnhance.Color``).

    Differs from Pillow's in at most one value out of 50, in one of 1,000 on average, by
    at most ``1 + |1 − factor|`` levels.

    Args:
        image (ndarray): (H, W, 3) uint8, BGR.
        factor (float): At least 0; 1 leaves the image as it is.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.
    """
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    # OpenCV rounds, Pillow truncates: half a level less, but so that whole numbers stay
    return cv2.addWeighted(image, factor, grey, 1 - factor, -0.49995)


@lru_cache(maxsize=256)
def _hue_table(steps: int) -> Array:
    """From hue, saturation and value in 256 steps to what OpenCV wants, hue turned."""
    levels = np.arange(256)
    hue = (levels + steps) % 256 * (360 / 255)
    table = np.stack([hue, levels / 255, levels], axis=-1).astype(np.float32)[None]
    table.flags.writeable = False
    return table


def adjust_hue(image: Array, shift: float) -> Array:
    """Turn the hue in HSV, with hue and saturation in the 255 steps of Pillow's HSV images.

    mmcv's ``adjust_hue(backend='pillow')``. Differs from it in at most one value out of
    200, where a hue falls on the edge of a step: by what one step makes, at most 6
    levels.

    Args:
        image (ndarray): (H, W, 3) uint8, BGR.
        shift (float): Turns, in [-0.5, 0.5]; truncated to 1/255.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.
    """
    hsv = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_BGR2HSV)
    steps = cv2.transform(hsv, _TO_STEPS).astype(np.uint8)
    hsv = cv2.LUT(steps, _hue_table(int(shift * 255) % 256))
    return cv2.convertScaleAbs(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR))


def to_grey(image: Array, weights: tuple[float, float, float]) -> Array:
    """Weighted mean of the channels, truncated.

    mmcv's ``RandomGrayscale``; differs from it by at most one level, in photographs with
    the weights of luma in at most one pixel out of 200. Where many weighted means are
    whole numbers (equal weights, images that are grey already), mmcv's float64 falls
    short of some of them, and is one level lower in up to every third pixel.

    Args:
        image (ndarray): (H, W, 3) uint8.
        weights (tuple[float, float, float]): Of the channels; they sum to 1.

    Returns:
        ndarray: (H, W) uint8, a new array.
    """
    row = np.array([[*weights, -0.49995]], dtype=np.float32)
    return cv2.transform(image, row)


def gaussian_blur(image: Array, sigma: float) -> Array:
    """Gaussian blur by three passes of an extended box filter.

    Pillow's ``ImageFilter.GaussianBlur``: Gwosdek, Grewenig, Bruhn, Weickert,
    "Theoretical foundations of Gaussian convolution by extended box filtering" (SSVM
    2011): a box of odd width and one fractional pixel at either end has exactly the
    variance wanted; the border is repeated. Pillow rounds after each of six passes,
    this function once: differs by at most 3 levels, without a shift of the mean.

    Args:
        image (ndarray): (H, W, 3) uint8.
        sigma (float): Standard deviation in pixels, at least 0.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.
    """
    variance = sigma * sigma / 3  # of one pass
    radius = math.floor((math.sqrt(12 * variance + 1) - 1) / 2)
    width = 2 * radius + 1
    end = width * (radius * (radius + 1) - 3 * variance) / (6 * (variance - (radius + 1) ** 2))
    kernel = np.array([end, *[1.0] * width, end]) / (width + 2 * end)
    blurred: Array = image.astype(np.float32)
    for _ in range(3):
        blurred = cv2.sepFilter2D(blurred, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    return cv2.convertScaleAbs(blurred)


def solarize(image: Array, threshold: float) -> Array:
    """Invert the values that are not below a threshold (mmcv's ``solarize``, bit by bit).

    Args:
        image (ndarray): (H, W, 3) uint8.
        threshold (float): In grey levels; 256 leaves the image as it is.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.
    """
    levels = np.where(threshold > _LEVELS, _LEVELS, 255 - _LEVELS)
    return cv2.LUT(image, levels.astype(np.uint8))
