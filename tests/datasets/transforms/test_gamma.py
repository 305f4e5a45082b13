import numpy as np
import pytest

from bgaug_mm.datasets.transforms import GammaDistortion
from bgaug_mm.datasets.transforms.gamma import distort_gamma


@pytest.mark.parametrize('gamma', [0.2, 0.5, 1.0, 2.2, 5.0])
def test_against_the_formula(gamma, noise) -> None:
    expected = np.vectorize(lambda value: round(255 * (value / 255) ** gamma))(noise[:40, :40])
    result = distort_gamma(noise[:40, :40], gamma)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)


def test_values_by_hand() -> None:
    levels = np.array([[[0, 51, 255]]], np.uint8)  # 51 is a fifth
    assert distort_gamma(levels, 2.0).tolist() == [[[0, 10, 255]]]  # 255 / 25
    assert distort_gamma(levels, 0.5).tolist() == [[[0, 114, 255]]]  # 255 / √5


def test_draws_log_uniformly_from_the_range() -> None:
    np.random.seed(0)
    transform = GammaDistortion((0.25, 4.0))
    drawn = np.array([transform.draw() for _ in range(2000)])
    assert 0.25 <= drawn.min() < 0.27 and 3.8 < drawn.max() <= 4
    assert 0.46 < (drawn < 1).mean() < 0.54
    assert {GammaDistortion(3).draw() for _ in range(3)} == {3.0}


def test_probability_and_seed(photos, seeded) -> None:
    transform = GammaDistortion([0.2, 5.0], prob=0.5)
    results = [seeded(transform, photos[0], seed) for seed in range(40)]
    same = sum(result is photos[0] for result in results)
    assert 10 < same < 30
    for seed in (0, 1, 2):
        np.testing.assert_array_equal(seeded(transform, photos[0], seed), results[seed])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(gamma=0), r'`gamma` must be above 0, or \(min, max\) of such, but got 0'),
        (dict(gamma=(2.0, 1.0)), '`gamma` must be above 0'),
        (dict(gamma=(1.0,)), '`gamma` must be above 0'),
        (dict(gamma=float('nan')), '`gamma` must be above 0'),
        (dict(gamma=1.0, prob=1.3), r'`prob` must be in \[0, 1\], but got 1.3'),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        GammaDistortion(**options)


def test_bad_input(photos) -> None:
    with pytest.raises(ValueError, match='`gamma` must be above 0 and finite, but got -1'):
        distort_gamma(photos[0], -1)
    with pytest.raises(ValueError, match=r'needs `img` \(H, W, 3\) uint8'):
        GammaDistortion(2.0)({'img': photos[0].astype(np.float32)})
