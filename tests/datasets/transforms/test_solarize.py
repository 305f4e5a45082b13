import numpy as np
import pytest

from bgaug_mm.datasets.transforms import RandomSolarize, Solarize


@pytest.mark.parametrize(
    ('library', 'name', 'ours', 'options'),
    [
        ('mmselfsup', 'RandomSolarize', RandomSolarize, dict(threshold=100, prob=0.5)),
        ('mmpretrain', 'Solarize', Solarize, dict(thr=128, prob=0.5)),
        (
            'mmpretrain',
            'Solarize',
            Solarize,
            dict(magnitude_range=(0, 256), magnitude_std='inf', magnitude_level=7, prob=0.5),
        ),
        (
            'mmpretrain',
            'Solarize',
            Solarize,
            dict(magnitude_range=(256, 0), magnitude_std=1.5, magnitude_level=9, prob=0.5),
        ),
    ],
)
def test_the_same_seed_gives_upstreams_image(
    library, name, ours, options, photos, upstream, seeded
) -> None:
    theirs = upstream(library, name, **options)
    ours = ours(**options)
    changed = 0
    for seed in range(16):
        image = photos[seed % 4]
        result = seeded(ours, image, seed)
        np.testing.assert_array_equal(result, seeded(theirs, image, seed))
        changed += result is not image
    assert 2 < changed < 14


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match='give one of `thr` and `magnitude_range`'):
        Solarize()
    with pytest.raises(ValueError, match=r'`prob` must be in \[0, 1\], but got 1.1'):
        RandomSolarize(prob=1.1)
