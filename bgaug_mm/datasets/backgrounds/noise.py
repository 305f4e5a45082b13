"""Backgrounds of noise."""

from __future__ import annotations

import numpy as np

from bgaug_mm.registry import BACKGROUNDS

from ..transforms.functional import Array
from .base import Background


@BACKGROUNDS.register_module()
class NoiseBackground(Background):
    """Each value of each pixel uniform in 0 to 255 (our choice of a distribution)."""

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> int:
        """The seed of the noise."""
        return int(np.random.randint(2**32, dtype=np.uint64))

    def render(self, params: int, height: int, width: int) -> Array:
        """The noise of that seed."""
        return np.random.default_rng(params).integers(0, 256, (height, width, 3), np.uint8)

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
