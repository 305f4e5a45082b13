import numpy as np
import pytest

from bgaug_mm.datasets.transforms import BackgroundRemove

MASK = np.zeros((10, 10), np.uint8)
MASK[:, :5] = 255
IMAGE = np.full((10, 10, 3), 50, np.uint8)


def _background(fill: str, **options) -> np.ndarray:
    op = BackgroundRemove(prob=1.0, fill=fill, **options)
    results = op({'img': IMAGE, 'gt_seg_map': MASK})
    assert (results['img'][:, :5] == 50).all()
    assert results['background_op'] == 'BackgroundRemove'
    return results['img'][:, 5:].reshape(-1, 3)


def test_zero_and_mean() -> None:
    assert (_background('zero') == 0).all()
    assert (_background('mean') == (104, 116, 124)).all()
    assert (_background('mean', mean=(1, 2.6, 3)) == (1, 3, 3)).all()


def test_mean_of_the_views_own_background() -> None:
    image = IMAGE.copy()
    image[:5, 5:] = (10, 20, 30)
    op = BackgroundRemove(prob=1.0, fill='mean', mean=None)
    results = op({'img': image, 'gt_seg_map': MASK})
    assert (results['img'][:, 5:] == (30, 35, 40)).all()
    assert results['background_params'] == 'MeanBackground colour (30, 35, 40)'


def test_random_grey_is_one_level_a_view_and_uses_all() -> None:
    np.random.seed(0)
    levels = set()
    for _ in range(3000):
        pixels = _background('random_grey')
        assert (pixels == pixels[0, 0]).all()
        levels.add(int(pixels[0, 0]))
    assert levels == set(range(256))


def test_noise_differs_from_pixel_to_pixel_and_repeats_with_the_seed() -> None:
    np.random.seed(0)
    first, second = _background('noise'), _background('noise')
    np.random.seed(0)
    np.testing.assert_array_equal(_background('noise'), first)
    assert len(np.unique(first)) > 80 and (first != second).mean() > 0.9


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(fill='grey'), "`fill` must be one of .* but got 'grey'"),
        (dict(mean=(1, 2)), '`mean` must be three numbers'),
        (dict(mean=(1, 2, 300)), '`mean` must be three numbers'),
        (dict(prob=-1), '`prob` must be in'),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BackgroundRemove(**options)
