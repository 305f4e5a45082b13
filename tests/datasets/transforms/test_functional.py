import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.transforms.functional import (
    composite,
    contiguous,
    foreground_box,
    foreground_share,
    largest_border_strip,
    tile_infill,
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


@pytest.mark.parametrize(
    ('box', 'strip'),
    [
        ((2, 5, 4, 6), (0, 0, 10, 5)),  # above
        ((2, 1, 4, 2), (0, 2, 10, 8)),  # below
        ((6, 1, 9, 7), (0, 0, 6, 8)),  # left
        ((1, 1, 4, 7), (4, 0, 10, 8)),  # right
    ],
)
def test_largest_border_strip(box, strip) -> None:
    assert largest_border_strip(box, 8, 10) == strip


def test_no_strip_beside_a_full_box() -> None:
    x1, y1, x2, y2 = largest_border_strip((0, 0, 10, 8), 8, 10)
    assert (x2 - x1) * (y2 - y1) == 0


@pytest.mark.parametrize('side', ['above', 'below', 'left', 'right'])
def test_tile_infill_repeats_the_strip(side: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    mask = np.zeros((12, 12), np.uint8)
    mask[3:11, 1:11] = 255
    expected = image.copy()
    for y in range(3, 11):  # three rows above the box, repeated
        expected[y, 1:11] = image[(y - 3) % 3, 1:11]
    turn = {
        'above': lambda a: a,
        'below': lambda a: a[::-1],
        'left': lambda a: a.swapaxes(0, 1),
        'right': lambda a: a.swapaxes(0, 1)[:, ::-1],
    }[side]
    image, mask, expected = (np.ascontiguousarray(turn(a)) for a in (image, mask, expected))
    if side in ('below', 'right'):  # the strip is repeated from its own start
        expected = image.copy()
        for i in range(8):
            if side == 'below':
                expected[1 + i, 1:11] = image[9 + i % 3, 1:11]
            else:
                expected[1:11, 1 + i] = image[1:11, 9 + i % 3]
    image.flags.writeable = mask.flags.writeable = False
    np.testing.assert_array_equal(tile_infill(image, mask), expected)


def test_tile_infill_leaves_nothing_of_the_foreground() -> None:
    mask = np.zeros((40, 60), np.uint8)
    cv2.ellipse(mask, (30, 22), (15, 10), 0, 0, 360, 255, -1)
    image = np.full((40, 60, 3), 50, np.uint8)
    image[mask > 0] = 200
    assert (tile_infill(image, mask) == 50).all()


def test_tile_infill_without_foreground_or_without_room() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    assert tile_infill(image, np.zeros((32, 32), np.uint8)) is image
    assert tile_infill(image, np.full((32, 32), 255, np.uint8)) is None
    thin = np.full((32, 32), 255, np.uint8)
    thin[0] = 0  # one row of 32 is less than a sixteenth
    assert tile_infill(image, thin) is None
    assert tile_infill(image, thin, min_strip=0) is not None
    thin[1] = 0
    assert tile_infill(image, thin) is not None
