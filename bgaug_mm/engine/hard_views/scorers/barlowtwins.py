"""Barlow Twins."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bgaug_mm.models.algorithms.upstream import criterion
from bgaug_mm.registry import VIEW_SCORERS

from .base import PairScorer, online_projection
from .heads import unknown_loss


@VIEW_SCORERS.register_module()
class BarlowTwinsScorer(PairScorer):
    """Each sample's share of the redundancy that its batch has.

    Zbontar et al., "Barlow Twins", arXiv 2103.03230, eq. (1): L = Σ_ij w_ij (C_ij - δ_ij)², C
    the correlation of two views over the batch, w 1 on the diagonal and λ off it. L is a loss
    of the batch; no sample has one of its own. With C the mean over b of z_bi z'_bj,

        l_b = Σ_ij w_ij (C_ij - δ_ij) (z_bi z'_bj - δ_ij)

    has the mean L: how far sample b's own products lie in the direction in which the batch is
    off (half of what L would gain if b weighed more). Our choice: the paper on hard views
    has no Barlow Twins. A sample's share in a pair of views depends on the batch's same pair
    of views. With several processes C is that of this process.
    """

    algorithms = ('BarlowTwins',)

    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """The projection."""
        return (online_projection(model, view),)

    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """Without a D × D matrix: Σ_ij C_ij z_bi z'_bj = mean over c of (z_b·z_c)(z'_b·z'_c)."""
        loss: Any = criterion(model.head)
        if not hasattr(loss, 'lambd'):
            raise unknown_loss(loss, 'CrossCorrelationLoss')
        # upstream's batch norm without weights, view by view
        z = torch.stack([model.head.bn(view) for view in features[0]])
        count, samples, width = z.shape
        gram = z @ z.transpose(1, 2)  # (N, B, B)
        losses = z.new_empty(samples, count, count)
        for i in range(count):
            for j in range(i, count):
                products = z[i] * z[j]  # (B, D)
                diagonal = products.mean(0)  # of C
                off_and_on = (gram[i] * gram[j]).mean(1)
                on = products @ diagonal
                share = loss.lambd * (off_and_on - on) + on - products.sum(1)
                losses[:, i, j] = losses[:, j, i] = share - diagonal.sum() + width
        return losses
