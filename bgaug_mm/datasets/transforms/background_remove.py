"""Take the background of a view away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bgaug_mm.registry import TRANSFORMS

from .background_op import BackgroundOp
from .functional import Array

_FILLS = ('random_grey', 'mean', 'zero', 'noise')


@TRANSFORMS.register_module()
class BackgroundRemove(BackgroundOp):
    """Replace the background by a plain fill (BG_RM).

    Source: Ryali, Schwab, Morcos, "Characterizing and Improving the Robustness of
    Self-Supervised Learning through Background Augmentations" (arXiv 2103.12719),
    where the background of a view is removed with a probability of 0.1 to 0.3. What
    it is filled with, the limits of the foreground share and the order against the
    photometric transforms are not known to us: the defaults are our choice. Use it
    behind the geometric transforms and before the photometric ones.

    Required Keys:

    - img
    - gt_seg_map

    Modified Keys:

    - img

    Added Keys:

    - background_op

    ``background_op`` is ``'BackgroundRemove'``, or None where nothing was done.

    Args:
        prob (float): Probability, in [0, 1]. Defaults to 0.2.
        fill (str): ``'random_grey'`` (one level a view, uniform in 0 to 255),
            ``'mean'``, ``'zero'`` (black) or ``'noise'`` (uniform, each value of each
            pixel). Defaults to 'random_grey'.
        mean (Sequence[float]): The colour of ``'mean'``, in the channel order of
            ``img``. Defaults to ImageNet's in BGR, (103.53, 116.28, 123.675), which
            the data preprocessor makes zero.
        min_foreground (float): Views with less foreground stay as they are, in
            [0, 1]. Defaults to 0.05.
        max_foreground (float): Views with more foreground stay as they are, in
            [0, 1]. Defaults to 0.95.

    Raises:
        ValueError: For arguments out of range, missing keys, arrays that do not fit.
    """

    def __init__(
        self,
        *,
        prob: float = 0.2,
        fill: str = 'random_grey',
        mean: Sequence[float] = (103.53, 116.28, 123.675),
        min_foreground: float = 0.05,
        max_foreground: float = 0.95,
    ) -> None:
        super().__init__(prob=prob, min_foreground=min_foreground, max_foreground=max_foreground)
        if fill not in _FILLS:
            raise ValueError(f'`fill` must be one of {_FILLS}, but got {fill!r}')
        if len(mean) != 3 or not all(0 <= value <= 255 for value in mean):
            raise ValueError(f'`mean` must be three numbers in [0, 255], but got {mean}')
        self.fill = fill
        self.mean = tuple(round(value) for value in mean)

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Any:
        """A colour (3,), or the seed of the noise."""
        if self.fill == 'random_grey':
            return (np.random.randint(256),) * 3
        if self.fill == 'noise':
            return np.random.randint(2**32, dtype=np.uint64)
        return self.mean if self.fill == 'mean' else (0, 0, 0)

    def render(self, params: Any, height: int, width: int) -> Array:
        """The fill as an image."""
        if isinstance(params, tuple):
            return np.full((height, width, 3), params, np.uint8)
        return np.random.default_rng(params).integers(0, 256, (height, width, 3), np.uint8)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, fill={self.fill!r}, '
            f'min_foreground={self.min_foreground}, max_foreground={self.max_foreground})'
        )
