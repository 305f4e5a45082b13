"""Put another background behind the foreground of a view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgaug_mm.registry import TRANSFORMS

from ..backgrounds.base import Background, build_background
from .background_op import BackgroundOp
from .mask_edit import MaskEdit
from .prob_schedule import ProbSchedule


@TRANSFORMS.register_module()
class BackgroundSwap(BackgroundOp):
    """Replace the background by one from a source of backgrounds (BG_Random, BG_Swaps).

    Source: Ryali, Schwab, Morcos, "Characterizing and Improving the Robustness of
    Self-Supervised Learning through Background Augmentations" (arXiv 2103.12719): the
    background of another image, that image's own foreground taken out, with a
    probability of 0.1 to 0.3 a view. The composite uses the soft mask and the
    background gets a crop and flip of its own, as in the released code of the same
    lab's Whac-A-Mole (bg_aug); that code composites after normalisation, this one
    before the photometric transforms. The limits of the foreground share are our
    choice. Put it behind the geometric transforms.

    Required Keys:

    - img
    - gt_seg_map
    - sample_idx (optional)

    Modified Keys:

    - img

    Added Keys:

    - background_op
    - background_params

    ``background_op`` is ``'BackgroundSwap'`` and ``background_params`` says what was
    drawn; both are None where nothing was done.
    ``sample_idx`` keeps a source of recent views from giving an image its own
    background.

    Args:
        background (dict | Background): A source, see :mod:`bgaug_mm.datasets.backgrounds`.
            Defaults to ``dict(type='bgaug_mm.RecentBackground')``.
        prob (float | dict): Probability, in [0, 1], or its schedule over the training,
            see :class:`~.prob_schedule.ProbSchedule`:
            ``dict(type='linear', start=0.0, end=0.3, until=0.5)``. Defaults to 0.2.
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
        background: Mapping[str, Any] | Background | None = None,
        prob: float | Mapping[str, Any] | ProbSchedule = 0.2,
        min_foreground: float = 0.05,
        max_foreground: float = 0.95,
        mask_edit: Mapping[str, Any] | MaskEdit | None = None,
    ) -> None:
        source = {'type': 'bgaug_mm.RecentBackground'} if background is None else background
        super().__init__(
            background=build_background(source),
            prob=prob,
            min_foreground=min_foreground,
            max_foreground=max_foreground,
            mask_edit=mask_edit,
        )

    def __repr__(self) -> str:
        return f'{type(self).__name__}(background={self.background}, {self._options()})'
