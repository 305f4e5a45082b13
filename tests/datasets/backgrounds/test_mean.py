import numpy as np
import pytest

from bgaug_mm.datasets.backgrounds import MeanBackground

IMAGE = np.zeros((4, 6, 3), np.uint8)
IMAGE[:, :3] = (200, 100, 50)
MASK = np.zeros((4, 6), np.uint8)
MASK[:, 5] = 255


def test_mean_of_the_views_own_background() -> None:
    source = MeanBackground()
    colour = source.draw(IMAGE, MASK, None)
    assert colour == pytest.approx((120, 60, 30))  # three of five columns
    image = source.render(colour, 2, 3)
    assert image.shape == (2, 3, 3) and image.dtype == np.uint8
    assert (image == (120, 60, 30)).all()
    assert source.describe(colour) == 'MeanBackground colour (120, 60, 30)'


def test_soft_pixels_count_by_what_is_background_in_them() -> None:
    mask = np.zeros((4, 6), np.uint8)
    mask[:, :3] = 204  # a fifth of them is background
    assert MeanBackground().draw(IMAGE, mask, None) == pytest.approx((200 / 6, 100 / 6, 50 / 6))


def test_a_view_without_background() -> None:
    assert MeanBackground().draw(IMAGE, np.full_like(MASK, 255), None) is None


def test_given_colour_is_rounded() -> None:
    source = MeanBackground(mean=(1, 2.6, 3.4))
    assert source.mean == (1.0, 2.6, 3.4)
    assert (source.render(source.draw(IMAGE, MASK, 0), 4, 6) == (1, 3, 3)).all()


@pytest.mark.parametrize('mean', [(1, 2), (1, 2, 300), (-1, 2, 3)])
def test_bad_colour(mean) -> None:
    with pytest.raises(ValueError, match='`mean` must be three numbers'):
        MeanBackground(mean=mean)
