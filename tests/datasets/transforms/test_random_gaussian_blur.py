import numpy as np
import pytest

from bgaug_mm.datasets.transforms import RandomGaussianBlur


def test_the_same_seed_gives_mmselfsups_image(photos, noise, upstream, seeded, difference) -> None:
    options = dict(sigma_min=0.1, sigma_max=2.0, prob=0.5)
    ours = RandomGaussianBlur(**options)
    theirs = upstream('mmselfsup', 'RandomGaussianBlur', **options)
    blurred = 0
    for seed in range(20):
        image = (*photos, noise)[seed % 5]
        result = seeded(ours, image, seed)
        diff = difference(result, seeded(theirs, image, seed))
        assert diff.largest <= 3 and abs(diff.shift) < 0.1, (seed, diff)
        blurred += result is not image
    assert 4 < blurred < 16


def test_draws_uniformly_in_the_range() -> None:
    np.random.seed(0)
    blur = RandomGaussianBlur(0.5, 1.5, prob=1.0)
    sigmas = np.array([blur.draw() for _ in range(2000)])
    assert sigmas.min() >= 0.5 and sigmas.max() <= 1.5
    assert sigmas.mean() == pytest.approx(1.0, abs=0.03)
    assert RandomGaussianBlur(0.5, 1.5, prob=0.0).draw() is None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(sigma_min=-1, sigma_max=2), '0 <= `sigma_min` <= `sigma_max` must hold, but got -1'),
        (dict(sigma_min=3, sigma_max=2), 'but got 3 and 2'),
        (dict(sigma_min=0, sigma_max=2, prob=-0.1), r'`prob` must be in \[0, 1\], but got -0.1'),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        RandomGaussianBlur(**options)
