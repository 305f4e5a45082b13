"""The exact choice of crops against a search over all of them."""

from itertools import combinations

import pytest
import torch

from bgaug_mm.engine.hard_views.crop_selection import crop_loss, select_crops

RECIPES = [None, [0, 0, 1, 1], [1, 0, 0, 1]]


def make_matrix(batch=6, num_globals=4, num_locals=5, seed=0, levels=None):
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, num_globals, num_globals + num_locals)
    if levels:  # few values: many ties; sums of halves and small integers are exact
        return torch.randint(levels, shape, generator=generator).float()
    return torch.randn(shape, generator=generator)


def naive_loss(matrix, choice):
    """One sample's (G, V) matrix, in Python's floats."""
    targets, views = choice[:2], choice
    terms = [float(matrix[t, s]) for t in targets for s in views if s != t]
    own = [float(matrix[t, t]) for t in targets]
    return sum(terms) / len(terms) + sum(own) / len(own)


def all_choices(num_globals, num_locals, k, recipes):
    for a, b in combinations(range(num_globals), 2):
        if recipes is not None:
            if recipes[a] == recipes[b]:
                continue
            a, b = sorted((a, b), key=lambda g: recipes[g])
        for crops in combinations(range(num_globals, num_globals + num_locals), k):
            yield (a, b, *crops)


@pytest.mark.parametrize('recipes', RECIPES)
@pytest.mark.parametrize('k', [0, 1, 2, 4, 5])
@pytest.mark.parametrize('levels', [None, 3])
@pytest.mark.parametrize('objective', ['hardest', 'easiest'])
def test_exact_against_a_search(recipes, k, levels, objective):
    matrix = make_matrix(levels=levels)
    chosen = select_crops(matrix, k, objective=objective, recipes=recipes)
    assert chosen.shape == (6, 2 + k) and chosen.dtype == torch.int64
    best = max if objective == 'hardest' else min
    for sample, row in zip(matrix, chosen.tolist(), strict=True):
        allowed = list(all_choices(4, 5, k, recipes))
        assert tuple(row) in allowed
        expected = best(naive_loss(sample, choice) for choice in allowed)
        assert naive_loss(sample, row) == pytest.approx(expected, abs=1e-5)


def test_the_first_of_equals_wins():
    matrix = torch.zeros(2, 3, 7)
    assert select_crops(matrix, 2).tolist() == [[0, 1, 3, 4]] * 2
    assert select_crops(matrix, 2, objective='easiest').tolist() == [[0, 1, 3, 4]] * 2


def test_by_hand():
    # globals 0, 1, 2; locals 3, 4. Sums for pair (1, 2): locals 0.5 + 0.5 and 4 + 0.
    matrix = torch.zeros(1, 3, 5)
    matrix[0, 0, 1], matrix[0, 1, 0] = 1.0, 1.0
    matrix[0, 1, 3], matrix[0, 2, 3] = 0.5, 0.5
    matrix[0, 1, 4] = 4.0
    # pair (0, 1): 2 + 4; pair (1, 2): 0 + 4: over the 4 terms of one local
    assert select_crops(matrix, 1).tolist() == [[0, 1, 4]]
    assert crop_loss(matrix, torch.tensor([[0, 1, 4]])).tolist() == [1.5]
    # an own term of 5 for global 2 counts 5 / 2: the pairs with it win, (1, 2) has the locals
    matrix[0, 2, 2] = 5.0
    assert select_crops(matrix, 1).tolist() == [[1, 2, 4]]
    assert crop_loss(matrix, torch.tensor([[1, 2, 4]])).tolist() == [3.5]


@pytest.mark.parametrize('k', [0, 3])
def test_loss_of_a_choice(k):
    matrix = make_matrix()
    index = torch.tensor([[3, 1, *range(4, 4 + k)]]).expand(6, -1)
    expected = [naive_loss(sample, index[0].tolist()) for sample in matrix]
    torch.testing.assert_close(crop_loss(matrix, index), torch.tensor(expected))


@pytest.mark.parametrize('recipes', RECIPES)
def test_random_choices_are_uniform(recipes):
    allowed = list(all_choices(4, 4, 2, recipes))
    generator = torch.Generator().manual_seed(0)
    matrix = torch.zeros(400 * len(allowed), 4, 8)
    chosen = select_crops(matrix, 2, objective='random', recipes=recipes, generator=generator)
    rows = [tuple(row) for row in chosen.tolist()]
    counts = torch.tensor([rows.count(choice) for choice in allowed]).float()
    assert counts.sum() == len(rows)
    # chi-squared with len - 1 degrees of freedom: mean len - 1, variance 2 (len - 1)
    statistic = float(((counts - 400) ** 2 / 400).sum())
    assert statistic < len(allowed) - 1 + 5 * (2 * (len(allowed) - 1)) ** 0.5
    again = select_crops(
        matrix, 2, objective='random', recipes=recipes, generator=generator.manual_seed(0)
    )
    assert torch.equal(chosen, again)


@pytest.mark.parametrize(
    ('objective', 'low', 'high'),
    [(dict(type='top', q=0.25), 0.75, 1.0), (dict(type='band', low=0.4, high=0.6), 0.4, 0.6)],
)
def test_quantiles_of_all_choices(objective, low, high):
    matrix = make_matrix(batch=64)
    generator = torch.Generator().manual_seed(0)
    chosen = select_crops(matrix, 2, objective=objective, generator=generator).tolist()
    ranks = []
    for sample, row in zip(matrix, chosen, strict=True):
        losses = [naive_loss(sample, choice) for choice in all_choices(4, 5, 2, None)]
        ranks.append(sum(loss < naive_loss(sample, row) for loss in losses) / len(losses))
    # estimated from 256 of the 60 choices: a tenth of play on either side
    assert low - 0.1 < min(ranks) and max(ranks) < high + 0.1
    assert len({tuple(row) for row in chosen}) > 5


def test_the_global_stream_stays():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    generator = torch.Generator().manual_seed(1)
    for objective in ('hardest', 'random', dict(type='top', q=0.5)):
        select_crops(make_matrix(), 2, objective=objective, generator=generator)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ('shape', 'k', 'options', 'message'),
    [
        ((1, 1, 4), 1, {}, r'2 <= G <= V, but got \(1, 1, 4\)'),
        ((1, 4, 2), 1, {}, r'2 <= G <= V, but got \(1, 4, 2\)'),
        ((1, 2, 4), 3, {}, r'`num_locals` must be in \[0, 2\], .* but got 3'),
        ((1, 2, 4), -1, {}, r'`num_locals` must be in \[0, 2\], .* but got -1'),
        ((1, 2, 4), 1, dict(objective='worst'), 'worst'),
        ((1, 2, 4), 1, dict(recipes=[0, 0]), 'recipes'),
    ],
)
def test_bad_input(shape, k, options, message):
    with pytest.raises(ValueError, match=message):
        select_crops(torch.zeros(shape), k, **options)
