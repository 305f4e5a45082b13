import numpy as np
import pytest

from bgaug_mm.datasets.transforms import RandomSolarize

INVERT = RandomSolarize(threshold=0, prob=1.0)


def test_changes_nothing_but_the_image_and_gives_a_new_one() -> None:
    image, mask = np.full((4, 5, 3), 7, np.uint8), np.zeros((4, 5), np.uint8)
    image.flags.writeable = False
    results = INVERT({'img': image, 'gt_seg_map': mask})
    assert results['gt_seg_map'] is mask
    assert (results['img'] == 248).all() and (image == 7).all()


def test_the_same_image_goes_through_when_nothing_is_drawn() -> None:
    image = np.zeros((4, 5, 3), np.uint8)[:, ::-1]
    assert RandomSolarize(prob=0.0)({'img': image})['img'] is image


def test_flipped_views_are_as_good_as_copies() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    for view in (image[:, ::-1], image[::-1], image[::-1, ::-1], image[1:4, 1:3]):
        np.testing.assert_array_equal(INVERT({'img': view})['img'], 255 - view)


@pytest.mark.parametrize(
    ('results', 'message'),
    [
        ({}, '`RandomSolarize` needs the key `img`'),
        ({'img': np.zeros((4, 5), np.uint8)}, r'\(H, W, 3\) uint8, but got \(4, 5\) uint8'),
        ({'img': np.zeros((4, 5, 4), np.uint8)}, r'but got \(4, 5, 4\) uint8'),
        ({'img': np.zeros((4, 5, 3))}, 'float64; put it before any normalisation'),
    ],
)
def test_names_what_is_wrong(results, message) -> None:
    with pytest.raises(ValueError, match=message):
        INVERT(results)
