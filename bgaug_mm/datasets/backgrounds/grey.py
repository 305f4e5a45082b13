"""Uniform grey backgrounds."""

from __future__ import annotations

import numpy as np

from bgaug_mm.registry import BACKGROUNDS

from ..transforms.functional import Array
from .base import Background


@BACKGROUNDS.register_module()
class GreyBackground(Background):
    """A uniform grey, as in DiLo's released example (Zhao et al., AAAI 2021).

    Args:
        level (int | str): 0 to 255, or ``'random'``: uniform over 0 to 255, drawn for
            each view. Defaults to 'random'.

    Raises:
        ValueError: For any other level.
    """

    def __init__(self, *, level: int | str = 'random') -> None:
        if level != 'random' and not (isinstance(level, int) and 0 <= level <= 255):
            raise ValueError(f"`level` must be 'random' or an int in [0, 255], but got {level!r}")
        self.level = level

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> int:
        """The grey level."""
        return np.random.randint(256) if isinstance(self.level, str) else self.level

    def render(self, params: int, height: int, width: int) -> Array:
        """A plain image of that level."""
        return np.full((height, width, 3), params, np.uint8)

    def describe(self, params: int) -> str:
        """In words."""
        return f'{type(self).__name__} level {params}'

    def __repr__(self) -> str:
        return f'{type(self).__name__}(level={self.level!r})'
