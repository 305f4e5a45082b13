"""Uniform backgrounds of a mean colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgaug_mm.registry import BACKGROUNDS

from ..transforms.functional import Array, background_mean
from .base import Background

Colour = tuple[float, float, float]


@BACKGROUNDS.register_module()
class MeanBackground(Background):
    """A uniform colour: the mean of the view's own background, or a given one.

    Args:
        mean (Sequence[float], optional): The colour, three numbers in [0, 255] in the
            channel order of ``img``, e.g. the data preprocessor's mean in BGR. Defaults
            to None: the mean colour of each view's own background, its pixels weighted
            by how little they belong to the foreground.

    Raises:
        ValueError: For any other colour.
    """

    def __init__(self, *, mean: Sequence[float] | None = None) -> None:
        self.mean: Colour | None = None
        if mean is not None:
            if len(mean) != 3 or not all(0 <= value <= 255 for value in mean):
                raise ValueError(f'`mean` must be three numbers in [0, 255], but got {mean}')
            self.mean = (float(mean[0]), float(mean[1]), float(mean[2]))

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Colour | None:
        """The colour, nothing random; None for a view without background."""
        return background_mean(image, mask) if self.mean is None else self.mean

    def render(self, params: Colour, height: int, width: int) -> Array:
        """A plain image of that colour, rounded."""
        return np.full((height, width, 3), np.rint(params), np.uint8)

    def describe(self, params: Colour) -> str:
        """In words."""
        return f'{type(self).__name__} colour ({", ".join(f"{value:.0f}" for value in params)})'

    def __repr__(self) -> str:
        return f'{type(self).__name__}(mean={self.mean})'
