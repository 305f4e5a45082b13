"""Solarisation under mmpretrain's name and under mmselfsup's."""

from __future__ import annotations

import numpy as np

from bgaug_mm.registry import TRANSFORMS

from . import photometric
from .functional import Array
from .magnitude import Magnitude
from .photometric_transform import PhotometricTransform, check_probability


@TRANSFORMS.register_module()
class Solarize(PhotometricTransform):
    """Invert the values above a threshold, with a probability (BYOL, second view).

    mmpretrain's transform of this name and arguments: the same generator state gives the
    same image, bit by bit.

    Required Keys:

    - img

    Modified Keys:

    - img

    Added Keys:

    - (none)

    Args:
        thr (float, optional): Values from this grey level on are inverted. Defaults to
            None: drawn from ``magnitude_range``.
        prob (float): Probability, in [0, 1]. Defaults to 0.5.
        magnitude_range (tuple[float, float], optional): Threshold at level 0 and at
            ``total_level``. Defaults to None.
        magnitude_level (float): See :class:`~bgaug_mm.datasets.transforms.magnitude.Magnitude`.
            Defaults to 10.
        magnitude_std (float | str): The same. Defaults to 0.
        total_level (float): The same. Defaults to 10.

    Raises:
        ValueError: For arguments out of range, or when not exactly one of ``thr`` and
            ``magnitude_range`` is given; for an image that is not (H, W, 3) uint8.
    """

    def __init__(
        self,
        thr: float | None = None,
        prob: float = 0.5,
        *,
        magnitude_range: tuple[float, float] | None = None,
        magnitude_level: float = 10,
        magnitude_std: float | str = 0.0,
        total_level: float = 10,
    ) -> None:
        self.prob = check_probability(prob)
        self.magnitude = Magnitude(
            thr, magnitude_range, magnitude_level, magnitude_std, total_level, name='thr'
        )

    def draw(self) -> float | None:
        """The threshold, or None."""
        return None if np.random.rand() > self.prob else self.magnitude.draw()

    def apply(self, image: Array, params: float) -> Array:
        """The solarised image."""
        return photometric.solarize(image, params)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.magnitude}, prob={self.prob})'


@TRANSFORMS.register_module()
class RandomSolarize(Solarize):
    """Invert the values above a threshold, with a probability (BYOL, second view).

    mmselfsup's transform of this name and arguments: the same generator state gives the
    same image, bit by bit.

    Required Keys:

    - img

    Modified Keys:

    - img

    Added Keys:

    - (none)

    Args:
        threshold (float): Values from this grey level on are inverted. Defaults to 128.
        prob (float): Probability, in [0, 1]. Defaults to 0.5.

    Raises:
        ValueError: For a probability out of range; for an image that is not (H, W, 3)
            uint8.
    """

    def __init__(self, threshold: float = 128, prob: float = 0.5) -> None:
        super().__init__(thr=threshold, prob=prob)
