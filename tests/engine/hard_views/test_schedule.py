"""When views are selected, by hand."""

import numpy as np
import pytest
import torch

from bgaug_mm.engine.hard_views.schedule import Schedule, check_integer, iteration_generator


def shares(count, unit=1, **options):
    return [Schedule(**options).share(iteration, unit) for iteration in range(count)]


def test_shares_by_hand():
    assert shares(3) == [1, 1, 1]
    assert shares(6, begin=2, end=4) == [0, 0, 1, 1, 0, 0]
    assert shares(6, unit=2, begin=1, end=2) == [0, 0, 1, 1, 0, 0]
    assert shares(6, begin=1, every_n_iters=2) == [0, 1, 0, 1, 0, 1]
    assert shares(6, begin=1, warmup=4) == [0, 0.25, 0.5, 0.75, 1, 1]
    assert shares(5, unit=2, warmup=2, mix=0.5) == [0.125, 0.25, 0.375, 0.5, 0.5]
    assert shares(2, mix=1) == [0, 0]


def test_generator_of_an_iteration():
    def draw(*key):
        return torch.rand(4, generator=iteration_generator(*key)).tolist()

    state = torch.get_rng_state()
    assert draw(1, 2, 3) == draw(1, 2, 3)
    others = [draw(*key) for key in [(0, 2, 3), (1, 0, 3), (1, 2, 0), (1, 2, 3)]]
    assert len({tuple(numbers) for numbers in others}) == 4
    assert torch.equal(torch.get_rng_state(), state)
    # not the numbers that SampleSeedHook gives to the step
    (step,) = np.random.SeedSequence((1, 2, 3)).generate_state(1)
    assert draw(1, 2, 3) != torch.rand(4, generator=torch.Generator().manual_seed(int(step)))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(begin=None), '`begin` must be an integer from 0, but got None'),
        (dict(begin=2, end=2), '`end` must be an integer from 3, but got 2'),
        (dict(mix=-0.1), r'`mix` must be in \[0, 1\], but got -0.1'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Schedule(**options)
    with pytest.raises(ValueError, match="`n` must be an integer from 1, but got '1'"):
        check_integer('n', '1', 1)
