"""Linear probe: multinomial logistic regression on frozen features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class LinearProbe:
    """A fitted probe.

    Attributes:
        weight (Tensor): (C, D), float64, for standardised features.
        bias (Tensor): (C,), float64.
        mean (Tensor): (D,), the training features' mean.
        std (Tensor): (D,), their standard deviation; 1 where it was 0.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    std: Tensor

    def predict(self, features: Tensor) -> Tensor:
        """Labels (N,) of features (N, D)."""
        return self.logits(features).argmax(1)

    def logits(self, features: Tensor) -> Tensor:
        """Logits (N, C), float64, of features (N, D)."""
        standard = (features.double() - self.mean) / self.std
        return standard @ self.weight.T + self.bias


def fit_linear_probe(
    features: Tensor, labels: Tensor, *, l2: float = 1e-3, max_iter: int = 200
) -> LinearProbe:
    """Fit logistic regression with full-batch L-BFGS, in double precision.

    Minimises mean cross-entropy + ``l2 / 2 * |weight|^2`` over features
    standardised by their own mean and deviation. The problem is convex, so
    nothing is drawn and nothing is tuned.

    What does not fit in memory takes
    :func:`~bgaug_mm.evaluation.probes.minibatch_probe.fit_linear_probe_in_batches`.

    Args:
        features (Tensor): (N, D), finite.
        labels (Tensor): (N,), integers from 0.
        l2 (float): Strength of the penalty, at least 0. Defaults to 1e-3.
        max_iter (int): Most steps of L-BFGS. Defaults to 200.

    Raises:
        ValueError: For mismatched shapes, a non-finite feature or a negative
            ``l2``.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1] or not len(labels):
        raise ValueError(
            '`features` must be (N, D) and `labels` (N,) with N > 0, but got '
            f'{tuple(features.shape)} and {tuple(labels.shape)}'
        )
    if l2 < 0:
        raise ValueError(f'`l2` must be at least 0, but got {l2}')
    if not torch.isfinite(features).all():
        raise ValueError('`features` must be finite, but some are nan or inf')

    features = features.double()
    std, mean = torch.std_mean(features, 0, correction=0)
    std = torch.where(std > 1e-12 * (1 + mean.abs()), std, 1)
    standard = (features - mean) / std

    classes = int(labels.max()) + 1
    weight = features.new_zeros(classes, features.shape[1], requires_grad=True)
    bias = features.new_zeros(classes, requires_grad=True)
    optimizer: Any = torch.optim.LBFGS(
        [weight, bias],
        max_iter=max_iter,
        history_size=20,
        tolerance_grad=1e-6,
        tolerance_change=1e-10,
        line_search_fn='strong_wolfe',
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(standard @ weight.T + bias, labels)
        loss = loss + l2 / 2 * weight.square().sum()
        torch.autograd.backward(loss)
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    return LinearProbe(weight.detach(), bias.detach(), mean, std)
