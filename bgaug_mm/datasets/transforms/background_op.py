"""What BackgroundRemove and BackgroundSwap have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ..backgrounds.base import Background
from ..sample_stream import SAMPLE_STREAM
from .functional import Array, composite, contiguous, foreground_share
from .mask_edit import MaskEdit
from .prob_schedule import ProbSchedule


class Drawn(NamedTuple):
    """What was drawn for a view."""

    background: Any  #: of the source
    blurred: bool  #: of the mask edit


class BackgroundOp(BaseTransform):
    """With a probability, put another background behind the foreground of a view.

    Args:
        background (Background): Where the backgrounds come from.
        prob (float | dict | ProbSchedule): Probability of the operation, in [0, 1], or
            its :class:`~.prob_schedule.ProbSchedule`.
        min_foreground (float): Views with a smaller share of foreground stay as they
            are, in [0, 1].
        max_foreground (float): Views with a larger share stay as they are, in [0, 1].
        mask_edit (dict | MaskEdit, optional): Changes to the mask the foreground is
            cut by, see :class:`~.mask_edit.MaskEdit`. A view whose edited mask is empty
            stays as it is. Defaults to None.
    """

    def __init__(
        self,
        *,
        background: Background,
        prob: float | Mapping[str, Any] | ProbSchedule,
        min_foreground: float,
        max_foreground: float,
        mask_edit: Mapping[str, Any] | MaskEdit | None = None,
    ) -> None:
        self.background = background
        self.prob = ProbSchedule.of(prob)
        for name, value in (('min_foreground', min_foreground), ('max_foreground', max_foreground)):
            if not 0 <= value <= 1:
                raise ValueError(f'`{name}` must be in [0, 1], but got {value}')
        if min_foreground > max_foreground:
            raise ValueError(
                '`min_foreground` must not exceed `max_foreground`, but got '
                f'{min_foreground} > {max_foreground}'
            )
        self.min_foreground = min_foreground
        self.max_foreground = max_foreground
        self.mask_edit = MaskEdit.of(mask_edit)
        # a reference, so that a spawned worker shares the main process's stream
        self.stream = SAMPLE_STREAM

    def bind(self, dataset: Any) -> None:
        """Make a dataset known to the source."""
        self.background.bind(dataset)

    @cache_randomness
    def _draw(self, image: Array, mask: Array, sample_idx: int | None) -> Drawn | None:
        if np.random.rand() >= self.prob.at(self.stream.progress):
            return None
        mask = contiguous(mask)
        if not self.min_foreground <= foreground_share(mask) <= self.max_foreground:
            return None
        background = self.background.draw(image, mask, sample_idx)
        return None if background is None else Drawn(background, self.mask_edit.draw())

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
        drawn = self._draw(image, mask, sample_idx)
        self.background.observe(image, mask, sample_idx)
        changed = None if drawn is None else self._apply(image, contiguous(mask), drawn)
        if drawn is None or changed is None:
            # of two operations in a row the one that acted is named
            results.setdefault('background_op', None)
            results.setdefault('background_params', None)
            return results
        results['img'] = changed
        results['background_op'] = type(self).__name__
        results['background_params'] = self.background.describe(drawn.background) + (
            ', mask blurred' if drawn.blurred else ''
        )
        return results

    def _apply(self, image: Array, mask: Array, drawn: Drawn) -> Array | None:
        """The view on its new background; None when there is none after all."""
        mask = self.mask_edit.apply(mask, drawn.blurred)
        if not mask.any():
            return None
        background = self.background.render(drawn.background, *mask.shape)
        return None if background is None else composite(image, background, mask)

    def _options(self) -> str:
        text = (
            f'prob={self.prob}, min_foreground={self.min_foreground}, '
            f'max_foreground={self.max_foreground}'
        )
        return text if self.mask_edit == MaskEdit() else f'{text}, mask_edit={self.mask_edit}'
