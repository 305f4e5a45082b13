"""BYOL."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer, online_projection
from .heads import cosine_losses


@VIEW_SCORERS.register_module()
class BYOLScorer(PairScorer):
    """Both directions of the prediction of the target network's projection.

    Grill et al., "Bootstrap Your Own Latent", arXiv 2006.07733, eqs. (2) and (3), with the
    factor 2 of both libraries. The target network is the one before the step's update (the
    step moves it between the forward passes), so N online and N target passes.
    """

    algorithms = ('BYOL',)

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """Prediction and target projection."""
        predicted = model.head.predictor([online_projection(model, view)])[0]
        return predicted, model.target_net(view)[0]

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """Sum of both directions, doubled."""
        losses = cosine_losses(model.head, *features)
        return 2 * (losses + losses.mT)
