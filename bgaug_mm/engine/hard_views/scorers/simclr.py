"""SimCLR."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer, online_projection
from .heads import cross_entropy_weight


@VIEW_SCORERS.register_module()
class SimCLRScorer(PairScorer):
    """NT-Xent of a sample's two anchors, averaged, among views i and j of this process' batch.

    Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", arXiv
    2002.05709, eq. (1); the score of Hard View Pretraining, which sums the two anchors: the
    same order. With one process and without batch norm the mean is upstream's loss. Upstream
    puts both views through batch norms as one batch; here each view is a batch, since the
    pairs share its forward pass. The negatives of other processes are left out.
    """

    algorithms = ('SimCLR',)

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """The projection."""
        return (online_projection(model, view),)

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """From N(N+1)/2 matrices of similarities, one at a time."""
        (projected,) = features
        # upstream's normalisation
        unit = projected / (projected.norm(dim=2, keepdim=True) + 1e-10)
        count, samples = unit.shape[:2]
        temperature = model.head.temperature
        own = unit.new_empty(count, samples)  # of [i, b]: view i's other samples
        cross = unit.new_empty(count, count, samples)  # of [i, j, b]: all samples of view j
        positive = unit.new_empty(count, count, samples)
        for i in range(count):
            within = (unit[i] @ unit[i].T / temperature).fill_diagonal_(-torch.inf)
            own[i] = within.logsumexp(1)
            for j in range(i, count):
                logits = unit[i] @ unit[j].T / temperature
                cross[i, j], cross[j, i] = logits.logsumexp(1), logits.logsumexp(0)
                positive[i, j] = positive[j, i] = logits.diagonal()
        anchor = torch.logaddexp(own[:, None], cross) - positive
        losses = 0.5 * cross_entropy_weight(model.head) * (anchor + anchor.transpose(0, 1))
        return losses.permute(2, 0, 1)
