"""What the scorers of multi-crop methods share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from bgaug_mm.models.algorithms.self_distillation import group_by_size

from .base import ViewScorer


class MultiCropScorer(ViewScorer, ABC):
    """Base of scorers whose loss is separable over crops.

    The loss that the algorithm takes for a choice of crops is then
    :func:`~bgaug_mm.engine.hard_views.crop_selection.crop_loss` of the matrix.
    """

    multi_crop = True

    @abstractmethod
    def crop_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """Cross-entropies of all global views as targets of all views.

        Args:
            model: The unwrapped algorithm.
            views (Sequence[Tensor]): V preprocessed view batches, each (B, 3, H, W), float: first
                the G global ones, of the first one's size, then the smaller local ones.

        Returns:
            Tensor: (B, G, V) float32; ``[b, t, s]`` with the target of global view t and the
            prediction of view s, ``[b, g, g]`` what global view g has as a term of its own.
        """

    def pair_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """The loss of two views without locals, from the same matrix.

        Args:
            model: The unwrapped algorithm.
            views (Sequence[Tensor]): N preprocessed view batches of one size, (B, 3, H, W).

        Returns:
            Tensor: (B, N, N) float32, symmetric; the diagonal has no meaning.
        """
        matrix = self.crop_losses(model, views)
        own = matrix.diagonal(dim1=1, dim2=2)
        off_diagonal = (matrix + matrix.transpose(1, 2)) / 2
        return off_diagonal + (own[:, :, None] + own[:, None]) / 2


def forward_by_size(forward: Callable[[Tensor], Tensor], views: Sequence[Tensor]) -> Tensor:
    """(V, B, …): one pass a size, as in the training step, so that BN sees the same batches."""
    outputs = torch.cat([forward(torch.cat(group)) for group in group_by_size(views)])
    return outputs.view(len(views), -1, *outputs.shape[1:])


def cross_entropy_matrix(probs: Tensor, logits: Tensor) -> Tensor:
    """``-sum_k probs[t, b, k] * log_softmax(logits[s, b])[k]`` for all t and s.

    As ``logsumexp(logits) - probs · logits``: one product of matrices a sample, and no tensor of
    (G, V, B, K).

    Args:
        probs (Tensor): (G, B, K), each summing to 1 over K.
        logits (Tensor): (V, B, K), already divided by the temperature.

    Returns:
        Tensor: (B, G, V) float32.
    """
    probs, logits = probs.float(), logits.float()
    with torch.autocast(logits.device.type, enabled=False):  # the product would be cast to half
        agreement = torch.bmm(probs.transpose(0, 1), logits.permute(1, 2, 0))
        return logits.logsumexp(2).t()[:, None] - agreement
