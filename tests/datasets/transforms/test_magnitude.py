import numpy as np
import pytest

from bgaug_mm.datasets.transforms.magnitude import Magnitude


def test_fixed_and_by_level() -> None:
    assert Magnitude(fixed=3).draw() == 3
    assert Magnitude(range=(1, 3)).draw() == 3  # level 10 of 10
    assert Magnitude(range=(1, 3), level=2.5).draw() == 1.5
    assert Magnitude(range=(3, 1), level=5, total_level=20).draw() == 2.5


def test_uniform_up_to_the_level() -> None:
    np.random.seed(0)
    values = [Magnitude(range=(0, 4), level=5, std='inf').draw() for _ in range(2000)]
    assert min(values) >= 0 and max(values) <= 2
    assert np.mean(values) == pytest.approx(1, abs=0.05)


def test_normal_around_the_level_and_clipped() -> None:
    np.random.seed(0)
    values = [Magnitude(range=(0, 10), level=9, std=1.0).draw() for _ in range(2000)]
    assert max(values) == 10 and np.median(values) == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({}, 'give one of `value` and `magnitude_range`, but got None and None'),
        (dict(range=(1,)), '`magnitude_range` must be two numbers'),
        (dict(fixed=1, total_level=0), '`total_level` must be above 0, but got 0'),
        (dict(fixed=1, std='x'), "`magnitude_std` must be a number or 'inf', but got 'x'"),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        Magnitude(**options)
