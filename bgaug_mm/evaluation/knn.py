"""Weighted k-nearest-neighbour classification on frozen features."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def knn_predict(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    *,
    k: int = 20,
    temperature: float = 0.07,
    chunk: int = 1024,
) -> Tensor:
    """Vote of the k most similar bank entries, weighted by exp(cosine / temperature).

    Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance
    Discrimination" (CVPR 2018, section 3.4), temperature as there; k is the
    caller's (200 on ImageNet).

    Args:
        bank (Tensor): (N, D) features.
        bank_labels (Tensor): (N,), integers from 0.
        queries (Tensor): (M, D) features.
        k (int): Neighbours, at least 1; all of the bank when it is smaller.
            Defaults to 20.
        temperature (float): Above 0. Defaults to 0.07.
        chunk (int): Queries compared at once. Defaults to 1024.

    Returns:
        Tensor: (M,) labels; the smallest of equally voted ones.

    Raises:
        ValueError: For an empty bank or options out of range.
    """
    if len(bank) == 0 or bank_labels.shape != bank.shape[:1]:
        raise ValueError(
            '`bank` must be (N, D) and `bank_labels` (N,) with N > 0, but got '
            f'{tuple(bank.shape)} and {tuple(bank_labels.shape)}'
        )
    if k < 1:
        raise ValueError(f'`k` must be at least 1, but got {k}')
    if temperature <= 0:
        raise ValueError(f'`temperature` must be above 0, but got {temperature}')

    bank = F.normalize(bank, dim=1)
    classes = int(bank_labels.max()) + 1
    predictions = []
    for part in torch.split(F.normalize(queries, dim=1), chunk):
        similarity, index = (part @ bank.T).topk(min(k, len(bank)), dim=1)  # (m, k)
        # relative to the nearest: the same vote, and no overflow at small temperatures
        weights = ((similarity - similarity[:, :1]) / temperature).exp()
        votes = part.new_zeros(len(part), classes)
        votes.scatter_add_(1, bank_labels[index], weights)
        predictions.append(votes.argmax(1))
    return torch.cat(predictions) if predictions else bank_labels.new_zeros(0)
