"""Gaussian blur under mmpretrain's name."""

from __future__ import annotations

import numpy as np

from bgaug_mm.registry import TRANSFORMS

from . import photometric
from .functional import Array
from .magnitude import Magnitude
from .photometric_transform import PhotometricTransform, check_probability


@TRANSFORMS.register_module()
class GaussianBlur(PhotometricTransform):
    """Blur an image with a probability.

    mmpretrain's transform of this name and arguments, several times as fast. The same
    generator state draws the same radius; the pixels differ from Pillow's by rounding
    (see :func:`~bgaug_mm.datasets.transforms.photometric.gaussian_blur`).

    Required Keys:

    - img

    Modified Keys:

    - img

    Added Keys:

    - (none)

    Args:
        radius (float, optional): Standard deviation in pixels, at least 0. Defaults to
            None: drawn from ``magnitude_range``.
        prob (float): Probability, in [0, 1]. Defaults to 0.5.
        magnitude_range (tuple[float, float], optional): Radius at level 0 and at
            ``total_level``. Defaults to None.
        magnitude_level (float): See :class:`~bgaug_mm.datasets.transforms.magnitude.Magnitude`.
            Defaults to 10.
        magnitude_std (float | str): The same; with 'inf' the radius is uniform in the
            range. Defaults to 0.
        total_level (float): The same. Defaults to 10.

    Raises:
        ValueError: For arguments out of range, or when not exactly one of ``radius`` and
            ``magnitude_range`` is given; for an image that is not (H, W, 3) uint8.
    """

    def __init__(
        self,
        radius: float | None = None,
        prob: float = 0.5,
        *,
        magnitude_range: tuple[float, float] | None = None,
        magnitude_level: float = 10,
        magnitude_std: float | str = 0.0,
        total_level: float = 10,
    ) -> None:
        self.prob = check_probability(prob)
        self.magnitude = Magnitude(
            radius, magnitude_range, magnitude_level, magnitude_std, total_level, name='radius'
        )
        if min(magnitude_range or (radius or 0,)) < 0:
            raise ValueError(f'the radius must be at least 0, but got {self.magnitude}')

    def draw(self) -> float | None:
        """The radius, or None."""
        return None if np.random.rand() > self.prob else self.magnitude.draw()

    def apply(self, image: Array, params: float) -> Array:
        """The blurred image."""
        return photometric.gaussian_blur(image, params)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.magnitude}, prob={self.prob})'
