import pytest

from bgaug_mm.datasets.transforms import GaussianBlur

RANGE = dict(magnitude_range=(0.1, 2.0))


@pytest.mark.parametrize('options', [{**RANGE, 'magnitude_std': 'inf'}, dict(radius=1.3)])
def test_the_same_seed_gives_mmpretrains_image(options, photos, upstream, seeded, difference):
    ours = GaussianBlur(**options, prob=0.5)
    theirs = upstream('mmpretrain', 'GaussianBlur', **options, prob=0.5)
    blurred = 0
    for seed in range(16):
        image = photos[seed % 4]
        result = seeded(ours, image, seed)
        diff = difference(result, seeded(theirs, image, seed))
        assert diff.largest <= 3 and abs(diff.shift) < 0.1, (seed, diff)
        blurred += result is not image
    assert 2 < blurred < 14


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({}, 'give one of `radius` and `magnitude_range`'),
        (dict(radius=1, **RANGE), 'give one of `radius` and `magnitude_range`'),
        (dict(radius=-1), 'the radius must be at least 0, but got radius=-1'),
        (dict(magnitude_range=(-1, 2)), 'the radius must be at least 0'),
        (dict(radius=1, prob=2), r'`prob` must be in \[0, 1\], but got 2'),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianBlur(**options)
