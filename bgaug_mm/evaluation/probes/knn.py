"""Weighted k-nearest-neighbour classification on frozen features, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .feature_rows import Features, read_rows


@overload
def knn_predict(
    bank: Features,
    bank_labels: Tensor | NDArray[Any],
    queries: Features,
    *,
    k: int = ...,
    temperature: float = ...,
    chunk: int = ...,
    bank_chunk: int = ...,
    device: str | torch.device | None = ...,
) -> Tensor: ...


@overload
def knn_predict(
    bank: Features,
    bank_labels: Tensor | NDArray[Any],
    queries: Features,
    *,
    k: Sequence[int],
    temperature: float = ...,
    chunk: int = ...,
    bank_chunk: int = ...,
    device: str | torch.device | None = ...,
) -> dict[int, Tensor]: ...


def knn_predict(
    bank: Features,
    bank_labels: Tensor | NDArray[Any],
    queries: Features,
    *,
    k: int | Sequence[int] = 20,
    temperature: float = 0.07,
    chunk: int = 1024,
    bank_chunk: int = 16384,
    device: str | torch.device | None = None,
) -> Tensor | dict[int, Tensor]:
    """Vote of the k most similar bank entries, weighted by exp(cosine / temperature).

    Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance
    Discrimination" (CVPR 2018, section 3.4), temperature as there; k is the
    caller's (200 on ImageNet).

    Args:
        bank (Tensor | ndarray): (N, D) features; see :func:`nearest_neighbours`.
        bank_labels (Tensor | ndarray): (N,), integers from 0.
        queries (Tensor | ndarray): (M, D) features.
        k (int | Sequence[int]): Neighbours, at least 1; all of the bank when it is
            smaller. Several cost no more than the largest. Defaults to 20.
        temperature (float): Above 0. Defaults to 0.07.
        chunk (int): Queries compared at once. Defaults to 1024.
        bank_chunk (int): Bank entries they are compared with at once. Defaults to 16384.
        device (str | torch.device, optional): Where to compare. Defaults to None: where
            the bank is.

    Returns:
        Tensor | dict[int, Tensor]: (M,) int64 labels, on the queries' device; the smallest
        of equally voted ones. For a sequence of k: by k.

    Raises:
        ValueError: For an empty bank, features that do not fit or are not finite, or
            options out of range.
    """
    counts = [k] if isinstance(k, int) else list(k)
    if not counts or min(counts) < 1:
        raise ValueError(f'`k` must be at least 1, but got {k}')
    if not temperature > 0:
        raise ValueError(f'`temperature` must be above 0, but got {temperature}')
    labels = torch.as_tensor(bank_labels).cpu().long()
    if len(bank) == 0 or labels.shape != (len(bank),):
        raise ValueError(
            '`bank` must be (N, D) and `bank_labels` (N,) with N > 0, but got '
            f'{tuple(bank.shape)} and {tuple(labels.shape)}'
        )
    if labels.min() < 0:
        raise ValueError(f'`bank_labels` must be integers from 0, but got {int(labels.min())}')

    similarity, index = nearest_neighbours(
        bank, queries, k=max(counts), chunk=chunk, bank_chunk=bank_chunk, device=device
    )
    # Relative to the nearest: the same vote, and no overflow at small temperatures. Summed
    # on the CPU in double precision: the same on every device.
    weights = ((similarity - similarity[:, :1]) / temperature).exp()
    found = _votes(labels[index], weights, sorted({*counts}), int(labels.max()) + 1, chunk)
    if isinstance(queries, Tensor):
        found = {count: one.to(queries.device) for count, one in found.items()}
    return found[k] if isinstance(k, int) else {count: found[count] for count in counts}


def _votes(
    labels: Tensor, weights: Tensor, counts: Sequence[int], classes: int, chunk: int
) -> dict[int, Tensor]:
    """Labels with the most votes of the first `count` of (M, k), for each count."""
    parts: dict[int, list[Tensor]] = {count: [] for count in counts}
    for some, theirs in zip(torch.split(labels, chunk), torch.split(weights, chunk), strict=True):
        votes = weights.new_zeros(len(some), classes)
        start = 0
        for count in counts:
            votes.scatter_add_(1, some[:, start:count], theirs[:, start:count])
            parts[count].append(votes.argmax(1))
            start = count
    return {count: torch.cat(found) for count, found in parts.items()}


def nearest_neighbours(
    bank: Features,
    queries: Features,
    *,
    k: int,
    chunk: int = 1024,
    bank_chunk: int = 16384,
    device: str | torch.device | None = None,
) -> tuple[Tensor, Tensor]:
    """The k bank entries of largest cosine similarity, nearest first.

    The bank is read once, chunk by chunk, and each chunk compared with the queries, chunk
    by chunk; only the k best so far are kept. Of a memory-mapped file no more than a chunk
    stays in memory. Of equally similar entries the first in the bank comes first, however
    the chunks are cut, as far as rounding leaves them equal.

    Args:
        bank (Tensor | ndarray): (N, D), N > 0, finite, floating.
        queries (Tensor | ndarray): (M, D), finite, floating.
        k (int): At least 1; all of the bank when it is smaller.
        chunk (int): Queries at once, at least 1. Defaults to 1024.
        bank_chunk (int): Bank entries at once, at least 1. Defaults to 16384.
        device (str | torch.device, optional): Where to compare. Defaults to None: where
            the bank is.

    Returns:
        tuple[Tensor, Tensor]: Similarities (M, min(k, N)), float64, and indices into the
        bank, int64, both on the CPU.

    Raises:
        ValueError: For features that do not fit or are not finite, or options out of range.
    """
    for name, value in (('k', k), ('chunk', chunk), ('bank_chunk', bank_chunk)):
        if value < 1:
            raise ValueError(f'`{name}` must be at least 1, but got {value}')
    if bank.ndim != 2 or queries.ndim != 2 or bank.shape[1] != queries.shape[1] or not len(bank):
        raise ValueError(
            '`bank` must be (N, D) and `queries` (M, D) with N > 0, but got '
            f'{tuple(bank.shape)} and {tuple(queries.shape)}'
        )
    if device is None:
        device = bank.device if isinstance(bank, Tensor) else 'cpu'
    starts = range(0, len(queries), chunk)
    best: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        for offset in range(0, len(bank), bank_chunk):
            entries = _unit(bank, offset, bank_chunk, device, 'bank')
            for i, start in enumerate(starts):
                similarity = _unit(queries, start, chunk, device, 'queries') @ entries.T
                values, index = _largest(similarity, k)
                index += offset
                if offset:
                    values = torch.cat([best[i][0], values], 1)
                    index = torch.cat([best[i][1], index], 1)
                values, order = values.sort(dim=1, descending=True, stable=True)
                merged = values[:, :k].clone(), index.gather(1, order[:, :k])
                if offset:
                    best[i] = merged
                else:
                    best.append(merged)
            del entries  # before the next ones are read
    if not best:
        return torch.zeros(0, min(k, len(bank))).double(), torch.zeros(0, min(k, len(bank))).long()
    values, index = (torch.cat(parts).cpu() for parts in zip(*best, strict=True))
    return values.double(), index


def _largest(similarity: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row by index; of equals the first."""
    if similarity.shape[1] <= k:
        return similarity, torch.arange(similarity.shape[1], device=similarity.device).repeat(
            len(similarity), 1
        )
    values, index = similarity.topk(k + 1, dim=1)
    index = index[:, :k]
    # when the next one equals the k-th, topk may have taken any of them
    tied = (values[:, k - 1] == values[:, k]).nonzero()[:, 0]
    if len(tied):
        order = similarity[tied].argsort(dim=1, descending=True, stable=True)
        index[tied] = order[:, :k]
    index = index.sort(dim=1).values
    return similarity.gather(1, index), index


def _unit(
    features: Features, start: int, count: int, device: str | torch.device, name: str
) -> Tensor:
    """Rows of unit length, in single precision or better, on the device."""
    rows = read_rows(features, slice(start, start + count))
    dtype = torch.promote_types(rows.dtype, torch.float32)
    unit = F.normalize(rows.to(device=device, dtype=dtype), dim=1)
    if not torch.isfinite(unit).all():
        bad = int((~torch.isfinite(unit)).any(1).nonzero()[0])
        raise ValueError(f'`{name}` must be finite, but row {start + bad} is not')
    return unit
