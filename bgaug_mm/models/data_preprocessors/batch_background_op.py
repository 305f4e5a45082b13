"""BackgroundRemove and BackgroundSwap for a whole batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from bgaug_mm.datasets.transforms.background_op import BackgroundOp

from . import batch_sources  # noqa: F401  (registers them)
from .batch_functional import foreground_share
from .batch_mask_edit import edit_masks
from .batch_source import Views, batch_source, to_device


class BatchDrawn(NamedTuple):
    """What was drawn for a batch of views; tensors on the CPU."""

    chosen: Tensor  #: (K,) int64, which views get another background
    blurred: Tensor  #: (K,) bool, whose mask is blurred
    background: Any  #: of the source


class Rendered(NamedTuple):
    """New backgrounds for some views of a batch, on the device."""

    chosen: Tensor  #: (K,) int64
    images: Tensor  #: (K, 3, H, W) uint8, as they are
    background: Tensor  #: float32 in 0 to 255, broadcasts to (K, 3, H, W)
    weights: Tensor  #: (K, 1, H, W) float32, the background's; 0 where nothing is to change


class BatchBackgroundOp:
    """Draws for whole batches what an operation of the pipeline draws for single views.

    Args:
        op (BackgroundOp): BackgroundRemove or BackgroundSwap.
        bank_size (int): Most images to keep of a folder, from 1.
    """

    def __init__(self, op: BackgroundOp, bank_size: int) -> None:
        self.op = op
        self.source = batch_source(op.background, bank_size)

    def draw(self, batch: int) -> BatchDrawn | None:
        """Draw on the host, from torch's default generator; None when no view is chosen.

        The shares of foreground are not known yet: views outside the limits may be
        chosen, and stay as they are.
        """
        prob = self.op.prob.at(self.op.stream.progress)
        chosen = (torch.rand(batch, dtype=torch.float64) < prob).nonzero()[:, 0]
        if not len(chosen):
            return None
        edit = self.op.mask_edit
        blurred = torch.rand(len(chosen), dtype=torch.float64) < edit.blur_prob
        return BatchDrawn(chosen, blurred & (edit.blur > 0), self.source.draw(chosen, batch))

    def render(self, drawn: BatchDrawn, views: Views) -> Rendered:
        """Backgrounds and weights of the chosen views."""
        chosen = to_device(drawn.chosen, views.images.device)
        background, changes = self.source.render(drawn.background, chosen, views)
        own = views.of(chosen)
        share = foreground_share(own.masks)
        changes = changes & (share >= self.op.min_foreground) & (share <= self.op.max_foreground)
        masks = edit_masks(self.op.mask_edit, own.masks, to_device(drawn.blurred, chosen.device))
        changes = changes & (masks.amax((1, 2, 3)) > 0)
        weights = (255 - masks) * changes[:, None, None, None] / 255
        return Rendered(chosen, own.images, background, weights)
