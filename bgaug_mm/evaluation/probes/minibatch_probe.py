"""The linear probe of features that do not fit in memory."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .feature_rows import Features, read_rows
from .linear_probe import LinearProbe

_ROWS = 16384  # read at once


def fit_linear_probe_in_batches(
    features: Features,
    labels: Tensor | NDArray[np.int64],
    *,
    l2: float = 1e-3,
    epochs: int = 30,
    batch_size: int = 256,
    lr: float = 0.03,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> LinearProbe:
    """Fit logistic regression with Adam on random batches, in single precision.

    The objective is that of :func:`~bgaug_mm.evaluation.probes.linear_probe.fit_linear_probe`:
    mean cross-entropy + ``l2 / 2 * |weight|^2`` over standardised features. The learning
    rate falls to 0 along a cosine, so that the noise of the batches dies out; the optimizer,
    its rate and the number of epochs are our choice. Of a memory-mapped file some
    16,384 rows are in memory at a time.

    Args:
        features (Tensor | ndarray): (N, D), finite, floating.
        labels (Tensor | ndarray): (N,), integers from 0.
        l2 (float): Strength of the penalty, at least 0. Defaults to 1e-3.
        epochs (int): Passes over the features, at least 1. Defaults to 30.
        batch_size (int): At least 1. Defaults to 256.
        lr (float): First learning rate, above 0. Defaults to 0.03.
        seed (int): Of the batches; the global random state is not used. Defaults to 0.
        device (str | torch.device, optional): Where to compute. Defaults to None: where
            the features are.

    Raises:
        ValueError: For mismatched shapes, a non-finite feature, or an option out of range.
    """
    labels = torch.as_tensor(labels).cpu().long()
    if features.ndim != 2 or labels.shape != tuple(features.shape[:1]) or not len(labels):
        raise ValueError(
            '`features` must be (N, D) and `labels` (N,) with N > 0, but got '
            f'{tuple(features.shape)} and {tuple(labels.shape)}'
        )
    for name, value in (('epochs', epochs), ('batch_size', batch_size)):
        if value < 1:
            raise ValueError(f'`{name}` must be at least 1, but got {value}')
    if l2 < 0:
        raise ValueError(f'`l2` must be at least 0, but got {l2}')
    if not lr > 0:
        raise ValueError(f'`lr` must be above 0, but got {lr}')
    if device is None:
        device = features.device if isinstance(features, Tensor) else 'cpu'

    mean, std = _moments(features)
    shift, scale = mean.float().to(device), std.float().to(device)
    classes = int(labels.max()) + 1
    weight = torch.zeros(classes, features.shape[1], device=device, requires_grad=True)
    bias = torch.zeros(classes, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], lr=lr)
    generator = torch.Generator().manual_seed(seed)
    count = len(labels)
    block = max(1, _ROWS // batch_size) * batch_size
    steps, step = epochs * math.ceil(count / batch_size), 0
    with torch.enable_grad():
        for _ in range(epochs):
            order = torch.randperm(count, generator=generator)
            for start in range(0, count, block):
                rows, back = order[start : start + block].sort()
                some = read_rows(features, rows.numpy()).to(device)
                # the batches of the block: its rows, in the order drawn
                place = back.argsort()
                for batch in torch.split(place, batch_size):
                    for group in optimizer.param_groups:
                        group['lr'] = lr * (1 + math.cos(math.pi * step / steps)) / 2
                    standard = (some[batch.to(device)].float() - shift) / scale
                    truth = labels[rows[batch]].to(device)
                    loss = F.cross_entropy(standard @ weight.T + bias, truth)
                    loss = loss + l2 / 2 * weight.square().sum()
                    optimizer.zero_grad()
                    torch.autograd.backward(loss)
                    optimizer.step()
                    step += 1
    return LinearProbe(weight.detach().cpu().double(), bias.detach().cpu().double(), mean, std)


def _moments(features: Features) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the columns, (D,) float64 on the CPU; 1 where it is 0."""
    count, total = len(features), 0
    mean = torch.zeros(features.shape[1], dtype=torch.double)
    squares = mean.clone()  # summed around the mean so far
    for start in range(0, count, _ROWS):
        rows = read_rows(features, slice(start, start + _ROWS)).cpu().double()
        if not torch.isfinite(rows).all():
            bad = int((~torch.isfinite(rows)).any(1).nonzero()[0])
            raise ValueError(f'`features` must be finite, but row {start + bad} is not')
        share = len(rows) / (total + len(rows))
        apart = rows.mean(0) - mean
        squares += (rows - rows.mean(0)).square().sum(0) + apart.square() * total * share
        mean += apart * share
        total += len(rows)
    std = (squares / count).sqrt()
    return mean, torch.where(std > 1e-12 * (1 + mean.abs()), std, 1)
