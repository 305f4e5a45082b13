import numpy as np
import pytest

from bgaug_mm.datasets.backgrounds.base import Window, check_window, cut_window, draw_window

# each pixel holds its column and row
GRID = np.dstack(np.broadcast_arrays(np.arange(40), np.arange(20)[:, None], 0)).astype(np.uint8)


def test_a_window_of_the_same_size_is_a_plain_crop() -> None:
    np.testing.assert_array_equal(cut_window(GRID, Window(1.0, 0.5, 0.5, False), 20, 40), GRID)
    cut = cut_window(GRID, Window(0.5, 0.0, 1.0, False), 10, 20)
    np.testing.assert_array_equal(cut, GRID[10:, :20])
    cut = cut_window(GRID, Window(0.5, 1.0, 0.0, True), 10, 20)
    np.testing.assert_array_equal(cut, GRID[:10, :19:-1])


def test_the_window_keeps_the_proportions_of_the_view() -> None:
    cut = cut_window(GRID, Window(1.0, 0.5, 0.5, False), 20, 20)  # the central square
    np.testing.assert_array_equal(cut, GRID[:, 10:30])


@pytest.mark.parametrize('size', [(1, 1), (1, 50), (7, 3), (300, 200)])
@pytest.mark.parametrize('window', [Window(0.01, 0.3, 0.9, True), Window(1.0, 1.0, 1.0, False)])
def test_any_size(size, window) -> None:
    cut = cut_window(GRID, window, *size)
    assert cut.shape == (*size, 3) and cut.dtype == np.uint8
    assert cut_window(GRID[:1, :1], window, *size).shape == (*size, 3)


def test_drawn_windows_are_in_range() -> None:
    np.random.seed(0)
    windows = [draw_window((0.25, 0.81), 0.25) for _ in range(4000)]
    sides = np.array([window.side for window in windows])
    assert 0.5 <= sides.min() < 0.51 and 0.89 < sides.max() <= 0.9
    assert np.mean(sides**2) == pytest.approx(0.53, abs=0.01)  # uniform in area
    assert np.mean([window.flip for window in windows]) == pytest.approx(0.25, abs=0.03)
    assert not any(draw_window((1, 1), 0.0).flip for _ in range(20))
    assert draw_window((1.0, 1.0), 1.0).side == 1.0


def test_a_window_in_words() -> None:
    assert Window(0.62, 0.31, 0.8, True).describe() == 'crop 0.62 at (0.31, 0.80), flipped'
    assert Window(1.0, 0.0, 1.0, False).describe() == 'crop 1.00 at (0.00, 1.00)'


@pytest.mark.parametrize('scale', [(0, 1), (0.5, 0.4), (0.5, 1.1)])
def test_bad_scale(scale) -> None:
    with pytest.raises(ValueError, match='`scale` must be'):
        check_window(scale, 0.5)
    with pytest.raises(ValueError, match=r'`flip_prob` must be in \[0, 1\], but got 1.5'):
        check_window((1, 1), 1.5)
