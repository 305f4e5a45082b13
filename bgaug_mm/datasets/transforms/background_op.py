"""What BackgroundRemove and BackgroundSwap have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from .functional import Array, composite, contiguous, foreground_share


class BackgroundOp(BaseTransform):
    """With a probability, put another background behind the foreground of a view.

    A subclass says what is drawn (:meth:`draw`) and what the drawn parameters look
    like (:meth:`render`).

    Args:
        prob (float): Probability of the operation, in [0, 1].
        min_foreground (float): Views with a smaller share of foreground stay as they
            are, in [0, 1].
        max_foreground (float): Views with a larger share stay as they are, in [0, 1].
    """

    def __init__(self, *, prob: float, min_foreground: float, max_foreground: float) -> None:
        for name, value in (
            ('prob', prob),
            ('min_foreground', min_foreground),
            ('max_foreground', max_foreground),
        ):
            if not 0 <= value <= 1:
                raise ValueError(f'`{name}` must be in [0, 1], but got {value}')
        if min_foreground > max_foreground:
            raise ValueError(
                '`min_foreground` must not exceed `max_foreground`, but got '
                f'{min_foreground} > {max_foreground}'
            )
        self.prob = prob
        self.min_foreground = min_foreground
        self.max_foreground = max_foreground

    @abstractmethod
    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Any:
        """Draw the parameters of a background; None when there is none to be had."""

    @abstractmethod
    def render(self, params: Any, height: int, width: int) -> Array:
        """The background of drawn parameters, (height, width, 3) uint8; not random."""

    def observe(self, image: Array, mask: Array, sample_idx: int | None) -> None:
        """See every view that passes, before it is changed. Nothing by default."""

    @cache_randomness
    def _draw(self, image: Array, mask: Array, sample_idx: int | None) -> Any:
        if np.random.rand() >= self.prob:
            return None
        mask = contiguous(mask)
        if not self.min_foreground <= foreground_share(mask) <= self.max_foreground:
            return None
        return self.draw(image, mask, sample_idx)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Exchange the background of ``img``; the mask stays."""
        missing = [key for key in ('img', 'gt_seg_map') if key not in results]
        if missing:
            raise ValueError(
                f'`{type(self).__name__}` needs the keys `img` and `gt_seg_map`, but {missing} '
                'is missing; put `LoadSaliencyMask` before it'
            )
        image, mask = results['img'], results['gt_seg_map']
        if image.shape != (*mask.shape, 3) or image.dtype != np.uint8 or mask.dtype != np.uint8:
            raise ValueError(
                f'`{type(self).__name__}` needs `img` (H, W, 3) and `gt_seg_map` (H, W) of one '
                f'size and uint8, but got {image.shape} {image.dtype} and {mask.shape} '
                f'{mask.dtype}; put it before any normalisation'
            )
        # flipped by mmcv, the image is a view with negative strides, slow for all that
        # follows, upstream's transforms too
        results['img'] = image = contiguous(image)
        sample_idx = results.get('sample_idx')
        params = self._draw(image, mask, sample_idx)
        self.observe(image, mask, sample_idx)
        if params is not None:
            background = self.render(params, *mask.shape)
            results['img'] = composite(image, background, contiguous(mask))
            results['background_op'] = type(self).__name__
        else:
            results.setdefault('background_op', None)
        return results
