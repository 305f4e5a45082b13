"""Several sources of backgrounds in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bgaug_mm.registry import BACKGROUNDS

from ..transforms.functional import Array
from .base import Background, build_background


class Choice(NamedTuple):
    """Parameters of one of the sources."""

    source: int  #: its index
    params: Any


@BACKGROUNDS.register_module()
class MixtureBackground(Background):
    """For each view one of several sources, with weights.

    The view stays as it is when the chosen source has no background to give (say one
    of recent backgrounds at the start of an epoch); no other one steps in, so that
    the weights are kept among the views that are changed by sources that always have one.

    Args:
        backgrounds (Sequence[dict | Background]): The sources.
        weights (Sequence[float], optional): Their weights, not negative, one a source;
            they need not sum to 1. Defaults to None: all equal.

    Raises:
        ValueError: For no sources, for weights that do not fit.
    """

    def __init__(
        self,
        *,
        backgrounds: Sequence[Mapping[str, Any] | Background],
        weights: Sequence[float] | None = None,
    ) -> None:
        if isinstance(backgrounds, Mapping) or not backgrounds:
            raise ValueError(
                f'`backgrounds` must be a list of at least one source, but got {backgrounds!r}'
            )
        self.backgrounds = [build_background(source) for source in backgrounds]
        weights = [1.0] * len(backgrounds) if weights is None else list(weights)
        if len(weights) != len(backgrounds) or min(weights) < 0 or not 0 < sum(weights) < np.inf:
            raise ValueError(
                f'`weights` must be {len(backgrounds)} numbers from 0, one a source and not all '
                f'0, but got {weights}'
            )
        self.weights = [float(weight) for weight in weights]
        self._ends = np.cumsum(self.weights) / sum(self.weights)

    def bind(self, dataset: Any) -> None:
        """Make a dataset known to all sources."""
        for source in self.backgrounds:
            source.bind(dataset)

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Choice | None:
        """A source and what it draws."""
        # the first whose end lies above the number: one of weight 0 is never taken
        index = int(np.searchsorted(self._ends[:-1], np.random.rand(), side='right'))
        params = self.backgrounds[index].draw(image, mask, sample_idx)
        return None if params is None else Choice(index, params)

    def render(self, params: Choice, height: int, width: int) -> Array | None:
        """What that source renders."""
        return self.backgrounds[params.source].render(params.params, height, width)

    def observe(self, image: Array, mask: Array, sample_idx: int | None) -> None:
        """Show the view to all sources, chosen or not."""
        for source in self.backgrounds:
            source.observe(image, mask, sample_idx)

    def describe(self, params: Choice) -> str:
        """That source's words."""
        return self.backgrounds[params.source].describe(params.params)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.backgrounds}, weights={self.weights})'
