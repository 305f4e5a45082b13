"""MoCo v3."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer, online_projection
from .heads import cross_entropy_weight


@VIEW_SCORERS.register_module()
class MoCoV3Scorer(PairScorer):
    """InfoNCE of both directions, the keys of this process' batch as negatives.

    Chen, Xie, He, "An Empirical Study of Training Self-Supervised Vision Transformers", arXiv
    2104.02057, algorithm 1. The momentum encoder is the one before the step's update. The
    keys of other processes are left out.
    """

    algorithms = ('MoCoV3',)

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """Prediction and key."""
        predicted = model.head.predictor([online_projection(model, view)])[0]
        return predicted, model.momentum_encoder(view)[0]

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """From N·N matrices of similarities, one at a time."""
        query, key = (F.normalize(feature, dim=-1) for feature in features)
        count, samples = query.shape[:2]
        one_way = query.new_empty(count, count, samples)
        for i in range(count):
            for j in range(count):
                logits = query[i] @ key[j].T / model.head.temperature
                one_way[i, j] = logits.logsumexp(1) - logits.diagonal()
        both = one_way + one_way.transpose(0, 1)
        return cross_entropy_weight(model.head) * both.permute(2, 0, 1)
