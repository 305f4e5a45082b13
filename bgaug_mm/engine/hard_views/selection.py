"""Choosing by loss: plain tensor code that knows neither models nor runners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import torch
from torch import Tensor

Objective = str | Mapping[str, Any]


def check_objective(objective: Objective) -> tuple[float, float] | str:
    """Check an objective: ``'hardest'``, ``'easiest'``, or the quantiles that it draws between.

    Args:
        objective (str | dict): ``'hardest'``, ``'easiest'``, ``'random'``,
            ``dict(type='top', q=…)`` or ``dict(type='band', low=…, high=…)``.

    Returns:
        str | tuple[float, float]: The first two as they are, the others as (low, high) with
        0 the easiest and 1 the hardest: random is (0, 1), top q is (1 - q, 1).

    Raises:
        ValueError: If it is none of these or a quantile is out of range.
    """
    if isinstance(objective, str):
        if objective in ('hardest', 'easiest'):
            return objective
        if objective == 'random':
            return 0.0, 1.0
    elif isinstance(objective, Mapping):
        options = dict(objective)
        options.pop('_scope_', None)  # mmengine's, in configs inherited from another package
        kind = options.pop('type', None)
        if kind == 'top' and options.keys() == {'q'}:
            if not 0 < options['q'] <= 1:
                raise ValueError(f'`q` of the objective must be in (0, 1], but got {options["q"]}')
            return 1 - options['q'], 1.0
        if kind == 'band' and options.keys() == {'low', 'high'}:
            low, high = options['low'], options['high']
            if not 0 <= low < high <= 1:
                raise ValueError(
                    '`low` and `high` of the objective must satisfy 0 <= low < high <= 1, but got '
                    f'{low} and {high}'
                )
            return low, high
    raise ValueError(
        "`objective` must be 'hardest', 'easiest', 'random', dict(type='top', q=…) or "
        f"dict(type='band', low=…, high=…), but got {objective!r}"
    )


def choose(
    values: Tensor, *, objective: Objective = 'hardest', generator: torch.Generator | None = None
) -> Tensor:
    """One candidate a sample.

    A band draws uniformly among the candidates whose rank lies in it: of P candidates, ranks
    0 the easiest, those from ⌊low·P⌋ to ⌈high·P⌉ - 1, so that it is never empty. Top q draws
    among the ⌈q·P⌉ hardest. (Both are our choices; the paper takes the hardest.)

    Args:
        values (Tensor): Losses of the candidates, (B, P) float, P >= 1.
        objective (str | dict): See :func:`check_objective`.
        generator (torch.Generator, optional): CPU generator of the draws, which hence are the
            same on every device. Defaults to None, torch's own.

    Returns:
        Tensor: Index of the candidate, (B,) int64; of equal ones the first, in a band by
        stable ranks. Anything for a sample with NaN.

    Raises:
        ValueError: For a bad objective.
    """
    band = check_objective(objective)
    if isinstance(band, str):
        return values.argmax(1) if band == 'hardest' else values.argmin(1)
    samples, count = values.shape
    # rounded: 0.1 · 10 candidates is one candidate, whatever 1 - 0.9 is in binary
    first, end = floor(round(band[0] * count, 6)), ceil(round(band[1] * count, 6))
    drawn = torch.randint(first, end, (samples, 1), generator=generator)
    # a copy that waited would hold the host until all scores are there
    drawn = drawn.to(values.device, non_blocking=True)
    return values.argsort(dim=1, stable=True).gather(1, drawn).squeeze(1)


def candidate_pairs(
    num_views: int, recipes: Sequence[int] | None = None, *, ordered: bool = False
) -> Tensor:
    """Pairs of views to choose from.

    Args:
        num_views (int): N, at least 2.
        recipes (Sequence[int], optional): Recipe of each view, two different numbers in all; a
            pair then takes one view of each, the lower number's first, as the algorithm gets
            them. Defaults to None: any two views.
        ordered (bool): Whether (i, j) and (j, i) are two candidates, for losses that are not
            symmetric; without effect with ``recipes``. Defaults to False: i < j.

    Returns:
        Tensor: (P, 2) int64, ascending.

    Raises:
        ValueError: If there are fewer than two views, or recipes do not fit.
    """
    if num_views < 2:
        raise ValueError(f'`num_views` must be at least 2, but got {num_views}')
    views = range(num_views)
    if recipes is None:
        pairs = [(i, j) for i in views for j in views if i < j or (ordered and i != j)]
    else:
        if len(recipes) != num_views or len(set(recipes)) != 2:
            raise ValueError(
                f'`recipes` must be {num_views} numbers, one a view, and two different ones, but '
                f'got {list(recipes)}'
            )
        pairs = [(i, j) for i in views for j in views if recipes[i] < recipes[j]]
    return torch.tensor(pairs)


def select_pair(
    losses: Tensor,
    *,
    pairs: Tensor | None = None,
    objective: Objective = 'hardest',
    generator: torch.Generator | None = None,
) -> Tensor:
    """The pair of views of each sample.

    Args:
        losses (Tensor): (B, N, N) float, [b, i, j] the loss for view i first and j second.
        pairs (Tensor, optional): Candidates, (P, 2) int64. Defaults to None, all i < j.
        objective (str | dict): See :func:`check_objective`.
        generator (torch.Generator, optional): See :func:`choose`.

    Returns:
        Tensor: (B, 2) int64.
    """
    if pairs is None:
        pairs = candidate_pairs(losses.shape[1])
    pairs = pairs.to(losses.device, non_blocking=True)
    values = losses[:, pairs[:, 0], pairs[:, 1]]
    return pairs[choose(values, objective=objective, generator=generator)]


def gather_views(views: Sequence[Tensor], index: Tensor) -> list[Tensor]:
    """Views by index, per sample: one gather an output view.

    Args:
        views (Sequence[Tensor]): N views of one size, (B, C, H, W) each.
        index (Tensor): (B, K) int64.

    Returns:
        list[Tensor]: K views, (B, C, H, W); new tensors.
    """
    stacked = torch.stack(tuple(views))
    samples = torch.arange(len(index), device=stacked.device)
    return [stacked[column, samples] for column in index.to(stacked.device).unbind(1)]
