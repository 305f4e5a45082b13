"""Any algorithm with a backbone."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer
from .heads import all_pairs


@VIEW_SCORERS.register_module()
class GenericScorer(PairScorer):
    """Negative cosine of the two views' projections: hard are views that look different.

    Not the loss of the algorithm (our choice, for algorithms without a scorer). The projection
    is the output of ``model.neck``, or without one that of ``model.backbone``, maps averaged
    over space; of several outputs the last backbone stage and the neck's first.
    """

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """The projection."""
        output = model.backbone(view)
        if getattr(model, 'neck', None) is not None:
            output = model.neck(output)
            while isinstance(output, (tuple, list)):
                output = output[0]
        while isinstance(output, (tuple, list)):
            output = output[-1]
        return (output.flatten(2).mean(2) if output.dim() > 2 else output,)

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """Minus the cosine, in [-1, 1]."""
        unit = F.normalize(features[0], dim=-1)
        return -all_pairs(unit, unit)
