"""MoCo v1 and v2."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer, online_projection
from .heads import all_pairs, cross_entropy_weight


@VIEW_SCORERS.register_module()
class MoCoScorer(PairScorer):
    """InfoNCE of a query (view i) with its key (view j) against the queue.

    He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", arXiv
    1911.05722, eq. (1). Not symmetric, so that both orders of a pair are candidates. The key
    encoder is the one before the step's update; the queue is read only. Keys are not shuffled
    over processes: shuffling keeps training from reading the pairing off the batch
    statistics, and a score trains nothing. Of ``bgaug_mm.MatchedNegativesMoCo``
    upstream's part of the loss is scored.
    """

    algorithms = ('MoCo',)
    symmetric = False

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """Query and key."""
        return online_projection(model, view), model.encoder_k(view)[0]

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """The sum over the queue once a query, of all its keys."""
        query, key = (F.normalize(feature, dim=-1) for feature in features)
        temperature = model.head.temperature
        queue = model.queue.float()
        negative = torch.stack([(q @ queue / temperature).logsumexp(1) for q in query], 1)
        positive = all_pairs(query, key) / temperature
        losses = torch.logaddexp(negative[:, :, None], positive) - positive
        return cross_entropy_weight(model.head) * losses
