"""Gamma distortion: intensities raised to a power."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bgaug_mm.registry import TRANSFORMS

from .functional import Array
from .photometric_transform import PhotometricTransform, check_probability


def distort_gamma(image: Array, gamma: float) -> Array:
    """``255 · (image / 255) ** gamma``, rounded.

    Args:
        image (ndarray): (H, W, 3) uint8.
        gamma (float): Above 0; below 1 brightens, above 1 darkens, 1 changes nothing.

    Returns:
        ndarray: (H, W, 3) uint8, a new array.

    Raises:
        ValueError: For a gamma out of range.
    """
    if not 0 < gamma < float('inf'):
        raise ValueError(f'`gamma` must be above 0 and finite, but got {gamma}')
    levels = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return cv2.LUT(image, levels)


@TRANSFORMS.register_module()
class GammaDistortion(PhotometricTransform):
    """Raise the intensities of an image to a power, with a probability; the mask stays.

    The pixel-level corruption of Zhong et al., "Is Self-Supervised Learning More Robust
    Than Supervised Learning?" (arXiv 2206.05259, 2022), who put it on pre-training data and
    on test data. That they use it is said in their abstract; their exponents we do
    not know, so there are no defaults. Drawing log-uniformly from a range is our choice:
    2 and 1/2 are equally likely.

    Required Keys:

    - img

    Modified Keys:

    - img

    Added Keys:

    - (none)

    Args:
        gamma (float | Sequence[float]): The exponent, above 0, or the (min, max) that it
            is drawn from.
        prob (float): Probability, in [0, 1]. Defaults to 1.0.

    Raises:
        ValueError: For arguments out of range; for an image that is not (H, W, 3) uint8.
    """

    def __init__(self, gamma: float | Sequence[float], *, prob: float = 1.0) -> None:
        pair = tuple(map(float, gamma)) if isinstance(gamma, Sequence) else (float(gamma),) * 2
        if len(pair) != 2 or not 0 < pair[0] <= pair[1] < float('inf'):
            raise ValueError(f'`gamma` must be above 0, or (min, max) of such, but got {gamma}')
        self.gamma = pair
        self.prob = check_probability(prob)

    def draw(self) -> float | None:
        """The exponent, or None."""
        if np.random.rand() >= self.prob:
            return None
        low, high = self.gamma
        return low if low == high else float(np.exp(np.random.uniform(np.log(low), np.log(high))))

    def apply(self, image: Array, params: float) -> Array:
        """The distorted image."""
        return distort_gamma(image, params)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(gamma={self.gamma}, prob={self.prob})'
