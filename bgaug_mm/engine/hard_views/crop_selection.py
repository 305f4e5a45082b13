"""Which global and local crops of a sample a multi-crop method trains on.

Pure tensor code. A multi-crop loss is separable: with ``matrix[b, t, s]`` the cross-entropy
between the teacher (or the code) of global view ``t`` and the student's prediction of view ``s``,
and ``matrix[b, g, g]`` a term that global view ``g`` has of its own (iBOT's masked patches; 0 for
DINO and SwAV), a sample's loss for the global views g1, g2 and the locals L is

    mean of matrix[t, s] over t in {g1, g2}, s in {g1, g2} ∪ L, s ≠ t
    + mean of matrix[g, g] over g in {g1, g2}.

So the hardest locals of a global pair are the largest of ``matrix[g1, l] + matrix[g2, l]``, and
the exact hardest choice is the best pair with its own best locals: no search over combinations.
Hard view selection (Ferreira et al., ICLR 2025) draws 64 or 128 random combinations instead; the
exact rule is derived here and tested against brute force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .selection import Objective, candidate_pairs, check_objective, choose

#: Random choices of which ``top`` and ``band`` take their quantiles.
NUM_DRAWS = 256


class _Terms(NamedTuple):
    """A sample's loss, split: ``pairs[b, p] + locals[b, p, chosen].sum()``."""

    pairs: Tensor  # (B, P)
    locals: Tensor  # (B, P, V - G)


def crop_loss(matrix: Tensor, index: Tensor) -> Tensor:
    """The loss of each sample for a choice of crops.

    Args:
        matrix (Tensor): (B, G, V) cross-entropies, the G global views first among the V students.
        index (Tensor): (B, 2 + k) int64, the two global views, then the locals (``G <= l < V``).

    Returns:
        Tensor: (B,), see the module's text.
    """
    samples = torch.arange(len(matrix), device=matrix.device)[:, None, None]
    return _mean_terms(matrix[samples, index[:, :2, None], index[:, None]])


def _mean_terms(terms: Tensor) -> Tensor:
    """Of (..., 2, 2 + k) terms of the two globals with all chosen views: (...)."""
    own = terms[..., [0, 1], [0, 1]].sum(-1)
    return (terms.sum((-2, -1)) - own) / (2 * (terms.shape[-1] - 1)) + own / 2


def select_crops(
    matrix: Tensor,
    num_locals: int,
    *,
    objective: Objective = 'hardest',
    recipes: Sequence[int] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Choose two global crops and some local ones for each sample.

    Args:
        matrix (Tensor): (B, G, V) cross-entropies, floating; ``[b, t, s]`` is that of global view
            t as the target of view s, the G global views first. The diagonal holds terms of a
            single global view, 0 where the method has none.
        num_locals (int): Locals to choose, 0 to V - G.
        objective (str or dict): ``'hardest'`` (exact), ``'easiest'`` (exact), ``'random'``,
            ``dict(type='top', q=…)`` or ``dict(type='band', low=…, high=…)`` as in
            :func:`~bgaug_mm.engine.hard_views.selection.choose`; the quantiles of the last two
            are those of 256 random choices (our choice: there are 51,480 of 4 + 16 crops).
            Defaults to ``'hardest'``.
        recipes (Sequence[int], optional): Recipe of each global view, two different numbers in
            all: the choice takes one view of each, the lower number first. Defaults to None: any
            two.
        generator (torch.Generator, optional): CPU generator of the random objectives, whose draws
            hence are the same on every device. Defaults to None, torch's own.

    Returns:
        Tensor: (B, 2 + num_locals) int64 on the matrix's device: two global views, then locals in
        rising order. The first of equals wins.

    Raises:
        ValueError: If there are too few views, or an option is not one of the above.
    """
    check_objective(objective)
    _, num_globals, num_views = matrix.shape
    if num_globals < 2 or num_views < num_globals:
        raise ValueError(
            f'`matrix` must be (B, G, V) with 2 <= G <= V, but got {tuple(matrix.shape)}'
        )
    if not 0 <= num_locals <= num_views - num_globals:
        raise ValueError(
            f'`num_locals` must be in [0, {num_views - num_globals}], the number of local '
            f'candidates, but got {num_locals}'
        )
    pairs = _unordered(candidate_pairs(num_globals, recipes), recipes).to(matrix.device)
    if objective == 'random':
        return _random_choices(matrix, pairs, num_locals, generator)
    terms = _terms(matrix, pairs, num_locals)
    if isinstance(objective, str):
        sign = 1 if objective == 'hardest' else -1
        return _extreme(terms, pairs, num_locals, num_globals, sign)
    return _of_quantile(matrix, pairs, num_locals, objective, generator)


def _unordered(pairs: Tensor, recipes: Sequence[int] | None) -> Tensor:
    """One order of each pair: by recipe, else by index (the loss is symmetric in the two)."""
    first, second = pairs.unbind(1)
    if recipes is not None:
        of = torch.as_tensor(list(recipes))
        first, second = of[first], of[second]
    return pairs[first < second]


def _terms(matrix: Tensor, pairs: Tensor, num_locals: int) -> _Terms:
    """In float32; scaled as :func:`crop_loss` is, so that the diagonal weighs as it does there."""
    matrix = matrix.float()
    num_globals = matrix.shape[1]
    first, second = pairs.unbind(1)
    count = 2 * (1 + num_locals)
    cross = (matrix[:, first, second] + matrix[:, second, first]) / count
    own = (matrix[:, first, first] + matrix[:, second, second]) / 2
    to_local = matrix[:, :, num_globals:]
    return _Terms(cross + own, (to_local[:, first] + to_local[:, second]) / count)


def _extreme(terms: _Terms, pairs: Tensor, num_locals: int, num_globals: int, sign: int) -> Tensor:
    """The exact hardest (sign 1) or easiest (-1) choice."""
    # a stable sort rather than topk, so that the first of equals wins on every device
    order = (sign * terms.locals).argsort(dim=2, descending=True, stable=True)[:, :, :num_locals]
    total = terms.pairs + terms.locals.gather(2, order).sum(2)
    best = choose(sign * total, objective='hardest')
    crops = torch.take_along_dim(order, best[:, None, None], 1)[:, 0]
    return torch.cat([pairs[best], crops.sort(1).values + num_globals], 1)


def _draw(
    count: int,
    pairs: Tensor,
    num_locals: int,
    candidates: range,
    generator: torch.Generator | None,
) -> Tensor:
    """(count, 2 + num_locals): independent choices, each equally likely."""
    which = torch.randint(len(pairs), (count,), generator=generator)
    order = torch.rand(count, len(candidates), generator=generator).argsort(1)
    crops = order[:, :num_locals].sort(1).values + candidates.start
    return torch.cat([pairs.cpu()[which], crops], 1).to(pairs.device)


def _random_choices(
    matrix: Tensor, pairs: Tensor, num_locals: int, generator: torch.Generator | None
) -> Tensor:
    _, num_globals, num_views = matrix.shape
    return _draw(len(matrix), pairs, num_locals, range(num_globals, num_views), generator)


def _of_quantile(
    matrix: Tensor,
    pairs: Tensor,
    num_locals: int,
    objective: Objective,
    generator: torch.Generator | None,
) -> Tensor:
    """One of 256 random choices, which all samples share: views are exchangeable."""
    _, num_globals, num_views = matrix.shape
    draws = _draw(NUM_DRAWS, pairs, num_locals, range(num_globals, num_views), generator)
    losses = _mean_terms(matrix.float()[:, draws[:, :2, None], draws[:, None]])
    return draws[choose(losses, objective=objective, generator=generator)]
