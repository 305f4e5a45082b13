import numpy as np
import pytest

from bgaug_mm.datasets.transforms.functional import (
    background_mean,
    composite,
    contiguous,
    foreground_box,
    foreground_share,
)


def test_composite_is_correctly_rounded_for_all_values() -> None:
    # all 2^24 triples would take a minute: all masks, every fifth value of the images
    values = np.arange(0, 256, 5, dtype=np.uint8)
    fg, bg, m = (grid.ravel() for grid in np.meshgrid(values, values, np.arange(256)))
    image = np.stack([fg] * 3, -1)[None].astype(np.uint8)
    other = np.stack([bg] * 3, -1)[None].astype(np.uint8)
    result = composite(image, other, m[None].astype(np.uint8))
    exact = (fg.astype(np.int64) * m + bg.astype(np.int64) * (255 - m)) / 255
    np.testing.assert_array_equal(result[0, :, 0], np.rint(exact))
    assert result.dtype == np.uint8


def test_composite_by_hand_and_without_writing() -> None:
    image = np.full((1, 3, 3), 200, np.uint8)
    background = np.full((1, 3, 3), (10, 20, 30), np.uint8)
    mask = np.array([[255, 0, 51]], np.uint8)
    for array in (image, background, mask):
        array.flags.writeable = False
    result = composite(image, background, mask)
    assert result[0].tolist() == [[200] * 3, [10, 20, 30], [48, 56, 64]]  # 0.2 · 200 + 0.8 · bg
    assert not np.shares_memory(result, image)


@pytest.mark.parametrize('rows', [1, -1])
@pytest.mark.parametrize('columns', [1, -1])
@pytest.mark.parametrize('shape', [(5, 7, 3), (5, 7)])
def test_contiguous_keeps_the_values(rows: int, columns: int, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    array.flags.writeable = False
    flipped = array[::rows, ::columns]
    result = contiguous(flipped)
    np.testing.assert_array_equal(result, flipped)
    assert result.flags.c_contiguous
    assert (result is array[::1, ::1]) or (rows, columns) != (1, 1) or result.base is array


def test_contiguous_of_a_crop_and_of_the_array_itself() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert contiguous(array) is array
    np.testing.assert_array_equal(contiguous(array[1:3, 1:4]), array[1:3, 1:4])
    assert contiguous(array[1:3, 1:4]).flags.c_contiguous


@pytest.mark.parametrize(('value', 'share'), [(0, 0.0), (255, 1.0), (51, 0.2)])
def test_foreground_share(value: int, share: float) -> None:
    assert foreground_share(np.full((7, 5), value, np.uint8)) == pytest.approx(share, abs=1e-12)


def test_foreground_box_against_a_naive_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        mask = (rng.random((9, 11)) ** 12 * 256).astype(np.uint8)
        ys, xs = np.nonzero(mask >= 64)
        expected = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) if len(xs) else None
        assert foreground_box(mask) == expected
    assert foreground_box(np.full((3, 4), 63, np.uint8)) is None
    assert foreground_box(np.full((3, 4), 64, np.uint8)) == (0, 0, 4, 3)
    assert foreground_box(np.full((3, 4), 1, np.uint8), threshold=1) == (0, 0, 4, 3)


def test_background_mean_against_a_naive_one() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (7, 9, 3), np.uint8)
    mask = rng.integers(0, 256, (7, 9), np.uint8)
    expected = np.zeros(3)
    for y in range(7):
        for x in range(9):
            expected += image[y, x] * ((255 - mask[y, x]) / 255)
    expected /= np.sum((255.0 - mask) / 255)
    assert background_mean(image, mask) == pytest.approx(tuple(expected), rel=1e-12)


def test_background_mean_by_hand_and_of_a_full_mask() -> None:
    image = np.array([[[0, 10, 255], [100, 20, 255]]], np.uint8)
    assert background_mean(image, np.array([[255, 0]], np.uint8)) == (100, 20, 255)
    assert background_mean(image, np.array([[0, 0]], np.uint8)) == (50, 15, 255)
    assert background_mean(image, np.array([[255, 255]], np.uint8)) is None
