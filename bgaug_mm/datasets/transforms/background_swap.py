"""Put another background behind the foreground of a view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgaug_mm.registry import BACKGROUNDS, TRANSFORMS

from ..backgrounds.base import Background
from .background_op import BackgroundOp
from .functional import Array


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

    ``background_op`` is ``'BackgroundSwap'``, or None where nothing was done.
    ``sample_idx`` keeps a source of recent views from giving an image its own
    background.

    Args:
        background (dict | Background): A source, see :mod:`bgaug_mm.datasets.backgrounds`.
            Defaults to ``dict(type='bgaug_mm.RecentBackground')``.
        prob (float): Probability, in [0, 1]. Defaults to 0.2.
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
        background: Mapping[str, Any] | Background | None = None,
        prob: float = 0.2,
        min_foreground: float = 0.05,
        max_foreground: float = 0.95,
    ) -> None:
        super().__init__(prob=prob, min_foreground=min_foreground, max_foreground=max_foreground)
        source = {'type': 'bgaug_mm.RecentBackground'} if background is None else background
        if not isinstance(source, Background):
            # our scope: the registry has no children, and a default scope or an
            # inherited `_scope_` of another package would make mmengine look for one
            source = BACKGROUNDS.build({**source, '_scope_': 'bgaug_mm'})
        self.background: Background = source

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Any:
        """What the source draws."""
        return self.background.draw(image, mask, sample_idx)

    def render(self, params: Any, height: int, width: int) -> Array:
        """What the source renders."""
        return self.background.render(params, height, width)

    def observe(self, image: Array, mask: Array, sample_idx: int | None) -> None:
        """Show the view to the source."""
        self.background.observe(image, mask, sample_idx)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(background={self.background}, prob={self.prob}, '
            f'min_foreground={self.min_foreground}, max_foreground={self.max_foreground})'
        )
