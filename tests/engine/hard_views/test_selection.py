"""Selection against loops and hand-computed choices."""

import pytest
import torch

from bgaug_mm.engine.hard_views.selection import (
    candidate_pairs,
    check_objective,
    choose,
    gather_views,
    select_pair,
)


def draws(objective, values, times=400):
    generator = torch.Generator().manual_seed(0)
    return {int(choose(values, objective=objective, generator=generator)[0]) for _ in range(times)}


def test_extremes_by_hand():
    values = torch.tensor([[1.0, 3.0, 2.0], [5.0, 5.0, 4.0], [-1.0, -2.0, -2.0]])
    assert choose(values, objective='hardest').tolist() == [1, 0, 0]
    assert choose(values, objective='easiest').tolist() == [0, 2, 1]


def test_quantiles_draw_from_their_ranks_and_from_all_of_them():
    values = torch.tensor([[0.1, 0.5, 0.3, 0.9, 0.7, 0.2]])  # by rank: 0, 5, 2, 1, 4, 3
    assert draws('random', values) == {0, 1, 2, 3, 4, 5}
    assert draws(dict(type='top', q=0.5), values) == {1, 3, 4}
    assert draws(dict(type='top', q=0.25), values) == {3, 4}  # ⌈1.5⌉
    assert draws(dict(type='top', q=0.01), values) == {3}
    assert draws(dict(type='top', q=1), values) == {0, 1, 2, 3, 4, 5}
    assert draws(dict(type='band', low=0.5, high=0.99), values) == {1, 3, 4}
    assert draws(dict(type='band', low=1 / 3, high=2 / 3), values) == {1, 2}
    assert draws(dict(type='band', low=0, high=0.01), values) == {0}


def test_objective_of_an_inherited_config():
    assert check_objective(dict(type='top', q=0.5, _scope_='bgaug_mm')) == (0.5, 1.0)


def test_top_tenth_of_ten_is_one():
    """1 - 0.9 is below 0.1 in binary; still one candidate, not two."""
    values = torch.arange(10.0)[None]
    assert draws(dict(type='top', q=0.1), values) == {9}
    assert draws(dict(type='band', low=0.1, high=0.2), values) == {1}
    assert len(draws(dict(type='top', q=0.9), values)) == 9


def test_band_draws_uniformly_and_per_sample():
    values = torch.rand(6000, 4, generator=torch.Generator().manual_seed(1))
    index = choose(
        values, objective=dict(type='top', q=0.5), generator=torch.Generator().manual_seed(0)
    )
    rank = values.argsort(1).argsort(1).gather(1, index[:, None]).squeeze(1)
    counts = rank.bincount(minlength=4).tolist()
    assert counts[:2] == [0, 0] and counts[2] == pytest.approx(3000, abs=150)


def test_same_generator_same_choice_and_the_global_stream_is_left_alone():
    values = torch.rand(50, 6)
    state = torch.get_rng_state()
    first, second = (
        choose(values, objective='random', generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ('objective', 'message'),
    [
        ('hard', "`objective` must be 'hardest', 'easiest'.*got 'hard'"),
        (None, '`objective` must be'),
        (dict(type='top'), '`objective` must be'),
        (dict(type='top', q=0), r'`q` of the objective must be in \(0, 1\], but got 0'),
        (dict(type='top', q=1.5), '`q` of the objective'),
        (dict(type='band', low=0.7, high=0.7), '0 <= low < high <= 1, but got 0.7 and 0.7'),
        (dict(type='band', low=0.2, high=0.7, q=1), '`objective` must be'),
    ],
)
def test_bad_objectives(objective, message):
    with pytest.raises(ValueError, match=message):
        check_objective(objective)
    with pytest.raises(ValueError, match=message):
        choose(torch.zeros(1, 2), objective=objective)


def test_pairs():
    assert candidate_pairs(2).tolist() == [[0, 1]]
    assert candidate_pairs(3).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert candidate_pairs(2, ordered=True).tolist() == [[0, 1], [1, 0]]
    assert len(candidate_pairs(4)) == 6 and len(candidate_pairs(4, ordered=True)) == 12
    one_of_each = [[0, 2], [0, 3], [1, 2], [1, 3]]
    assert candidate_pairs(4, [0, 0, 1, 1]).tolist() == one_of_each
    assert candidate_pairs(4, [0, 0, 1, 1], ordered=True).tolist() == one_of_each
    assert candidate_pairs(3, [2, 1, 1]).tolist() == [[1, 0], [2, 0]], 'lower recipe first'


@pytest.mark.parametrize('recipes', [[0, 1], [0, 0, 0], [0, 1, 2]])
def test_bad_pairs(recipes):
    with pytest.raises(ValueError, match='`recipes` must be 3 numbers, one a view, and two diff'):
        candidate_pairs(3, recipes)
    with pytest.raises(ValueError, match='`num_views` must be at least 2, but got 1'):
        candidate_pairs(1)


@pytest.mark.parametrize('num_views', [2, 3, 4, 6])
@pytest.mark.parametrize('recipes', [False, True])
@pytest.mark.parametrize('objective', ['hardest', 'easiest'])
def test_pair_against_a_loop(num_views, recipes, objective):
    losses = torch.randn(9, num_views, num_views, generator=torch.Generator().manual_seed(2))
    kinds = [i % 2 for i in range(num_views)] if recipes else None
    pairs = candidate_pairs(num_views, kinds)
    expected = []
    for sample in losses.tolist():
        best = None
        for i in range(num_views):
            for j in range(num_views):
                if (kinds[i] >= kinds[j]) if kinds else (i >= j):
                    continue
                value = sample[i][j] if objective == 'hardest' else -sample[i][j]
                if best is None or value > best[0]:
                    best = (value, [i, j])
        expected.append(best[1])
    assert select_pair(losses, pairs=pairs, objective=objective).tolist() == expected
    if not recipes:
        assert select_pair(losses, objective=objective).tolist() == expected, 'all pairs'


@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_gather_whole_tensors(dtype):
    """Four channels: the mask goes with its view."""
    views = [
        torch.stack([torch.full((4, 2, 3), 10 * view + sample) for sample in range(3)]).to(dtype)
        for view in range(4)
    ]
    index = torch.tensor([[0, 3], [2, 1], [3, 3]])
    first, second = gather_views(views, index)
    assert first.dtype == dtype and first.shape == (3, 4, 2, 3)
    for sample, (i, j) in enumerate(index.tolist()):
        assert torch.equal(first[sample], views[i][sample])
        assert torch.equal(second[sample], views[j][sample])
    before = [view.clone() for view in views]
    first.zero_()
    assert all(map(torch.equal, views, before)), 'the outputs are copies'
