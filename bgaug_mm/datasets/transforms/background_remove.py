"""Take the background of a view away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bgaug_mm.registry import TRANSFORMS

from ..backgrounds.base import Background
from ..backgrounds.grey import GreyBackground
from ..backgrounds.mean import MeanBackground
from ..backgrounds.noise import NoiseBackground
from .background_op import BackgroundOp
from .mask_edit import MaskEdit
from .prob_schedule import ProbSchedule

_FILLS: dict[str, Callable[[], Background]] = {
    'random_grey': GreyBackground,
    'mean': MeanBackground,
    'zero': lambda: GreyBackground(level=0),
    'noise': NoiseBackground,
}


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
    - background_params

    ``background_op`` is ``'BackgroundRemove'`` and ``background_params`` says what was
    drawn; both are None where nothing was done.

    Args:
        prob (float | dict): Probability, in [0, 1], or its schedule over the training,
            see :class:`~.prob_schedule.ProbSchedule`:
            ``dict(type='linear', start=0.0, end=0.3, until=0.5)``. Defaults to 0.2.
        fill (str): ``'random_grey'`` (one level a view, uniform in 0 to 255),
            ``'mean'``, ``'zero'`` (black) or ``'noise'`` (uniform, each value of each
            pixel). Defaults to 'random_grey'.
        mean (Sequence[float], optional): The colour of ``'mean'``, in the channel order
            of ``img``; None is the mean of each view's own background. Defaults to
            ImageNet's in BGR, (103.53, 116.28, 123.675), which the data preprocessor
            makes zero.
        min_foreground (float): Views with less foreground stay as they are, in
            [0, 1]. Defaults to 0.05.
        max_foreground (float): Views with more foreground stay as they are, in
            [0, 1]. Defaults to 0.95.
        mask_edit (dict, optional): Changes to the mask the foreground is cut by:
            hard threshold, dilation, blurred edge, box; see
            :class:`~.mask_edit.MaskEdit`. Defaults to None: the soft mask as it is.

    Raises:
        ValueError: For arguments out of range, missing keys, arrays that do not fit.
    """

    def __init__(
        self,
        *,
        prob: float | Mapping[str, Any] | ProbSchedule = 0.2,
        fill: str = 'random_grey',
        mean: Sequence[float] | None = (103.53, 116.28, 123.675),
        min_foreground: float = 0.05,
        max_foreground: float = 0.95,
        mask_edit: Mapping[str, Any] | MaskEdit | None = None,
    ) -> None:
        if fill not in _FILLS:
            raise ValueError(f'`fill` must be one of {tuple(_FILLS)}, but got {fill!r}')
        mean_source = MeanBackground(mean=mean)  # checks `mean` whatever the fill
        super().__init__(
            background=mean_source if fill == 'mean' else _FILLS[fill](),
            prob=prob,
            min_foreground=min_foreground,
            max_foreground=max_foreground,
            mask_edit=mask_edit,
        )
        self.fill = fill

    def __repr__(self) -> str:
        return f'{type(self).__name__}(fill={self.fill!r}, {self._options()})'
