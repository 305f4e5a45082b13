"""Gaussian blur under mmselfsup's name."""

from __future__ import annotations

import numpy as np

from bgaug_mm.registry import TRANSFORMS

from . import photometric
from .functional import Array
from .photometric_transform import PhotometricTransform, check_probability


@TRANSFORMS.register_module()
class RandomGaussianBlur(PhotometricTransform):
    """Blur an image with a probability and a radius drawn uniformly (SimCLR, BYOL).

    mmselfsup's transform of this name and arguments, several times as fast. The same
    generator state draws the same radius; the pixels differ from Pillow's by rounding
    (see :func:`~bgaug_mm.datasets.transforms.photometric.gaussian_blur`).

    Required Keys:

    - img

    Modified Keys:

    - img

    Added Keys:

    - (none)

    Args:
        sigma_min (float): Least standard deviation in pixels, at least 0.
        sigma_max (float): Largest standard deviation in pixels.
        prob (float): Probability, in [0, 1]. Defaults to 0.5.

    Raises:
        ValueError: For arguments out of range; for an image that is not (H, W, 3) uint8.
    """

    def __init__(self, sigma_min: float, sigma_max: float, prob: float = 0.5) -> None:
        if not 0 <= sigma_min <= sigma_max:
            raise ValueError(
                f'0 <= `sigma_min` <= `sigma_max` must hold, but got {sigma_min} and {sigma_max}'
            )
        self.sigma_min = float(sigma_min)
        self.sigma_max = float(sigma_max)
        self.prob = check_probability(prob)

    def draw(self) -> float | None:
        """Sigma, or None."""
        if np.random.rand() > self.prob:
            return None
        return float(np.random.uniform(self.sigma_min, self.sigma_max))

    def apply(self, image: Array, params: float) -> Array:
        """The blurred image."""
        return photometric.gaussian_blur(image, params)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(sigma_min={self.sigma_min}, sigma_max={self.sigma_max}, '
            f'prob={self.prob})'
        )
