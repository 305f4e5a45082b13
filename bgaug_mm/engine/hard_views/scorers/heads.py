"""What the losses in upstream's heads are, so that they can be taken sample by sample."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.models.algorithms.upstream import criterion


def cosine_losses(head: Any, predicted: Tensor, target: Tensor) -> Tensor:
    """Loss of a LatentPredictHead's CosineSimilarityLoss for all pairs of views.

    Args:
        head: Upstream's head.
        predicted (Tensor): Outputs of its predictor, (N, B, D).
        target (Tensor): (N, B, D).

    Returns:
        Tensor: (B, N, N); [b, i, j] of view i's prediction and view j's target.

    Raises:
        ValueError: If the head has another loss.
    """
    loss: Any = criterion(head)
    if not hasattr(loss, 'shift_factor'):
        raise unknown_loss(loss, 'CosineSimilarityLoss')
    cosine = all_pairs(F.normalize(predicted, dim=-1), F.normalize(target, dim=-1))
    return loss.shift_factor - loss.scale_factor * cosine


def cross_entropy_weight(head: Any) -> float:
    """Weight of a head's cross-entropy over logits with one right answer.

    Raises:
        ValueError: If the head has another loss, or one with classes weighed.
    """
    loss: Any = criterion(head)
    plain = type(loss).__name__ == 'CrossEntropyLoss' and not (
        getattr(loss, 'use_sigmoid', False)
        or getattr(loss, 'use_soft', False)
        or getattr(loss, 'class_weight', None)
    )
    if not plain:
        raise unknown_loss(loss, 'CrossEntropyLoss')
    return float(getattr(loss, 'loss_weight', 1.0))


def all_pairs(first: Tensor, second: Tensor) -> Tensor:
    """Inner products of a sample's views: (N, B, D), (N, B, D) -> (B, N, N)."""
    return first.transpose(0, 1) @ second.permute(1, 2, 0)


def unknown_loss(loss: Any, known: str) -> ValueError:
    """The error for a head whose loss cannot be taken sample by sample."""
    return ValueError(
        f"views can be scored by the head's loss `{known}`, but it is `{type(loss).__name__}`: "
        "name another `scorer`, e.g. scorer='GenericScorer'"
    )
