import numpy as np
import pytest

from bgaug_mm.datasets.backgrounds import GreyBackground

IMAGE, MASK = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)


def test_fixed_level() -> None:
    source = GreyBackground(level=9)
    image = source.render(source.draw(IMAGE, MASK, None), 4, 6)
    assert image.shape == (4, 6, 3) and image.dtype == np.uint8 and (image == 9).all()


def test_in_words() -> None:
    assert GreyBackground().describe(120) == 'GreyBackground level 120'


def test_random_level_is_uniform() -> None:
    np.random.seed(0)
    levels = [GreyBackground().draw(IMAGE, MASK, None) for _ in range(4000)]
    assert set(levels) == set(range(256))
    assert np.mean(levels) == pytest.approx(127.5, abs=5)


@pytest.mark.parametrize('level', [-1, 256, 'grey', 1.5])
def test_bad_level(level) -> None:
    with pytest.raises(ValueError, match='`level` must be'):
        GreyBackground(level=level)
