"""SimSiam."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer, online_projection
from .heads import cosine_losses


@VIEW_SCORERS.register_module()
class SimSiamScorer(PairScorer):
    """Symmetric negative cosine of prediction and projection.

    Chen & He, "Exploring Simple Siamese Representation Learning", arXiv 2011.10566, eq. (2);
    the score of Ferreira et al., "Hard View Pretraining" (ICLR 2025), with the same sign as
    the loss. Serves SimSiam of mmselfsup and mmpretrain.
    """

    algorithms = ('SimSiam',)

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """Prediction and projection."""
        projected = online_projection(model, view)
        return model.head.predictor([projected])[0], projected

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """Mean of both directions."""
        losses = cosine_losses(model.head, *features)
        return 0.5 * (losses + losses.mT)
