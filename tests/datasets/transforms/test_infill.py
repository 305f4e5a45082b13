import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.transforms.infill import (
    INFILLS,
    check_infill,
    has_room,
    infill,
    largest_border_strip,
)

RNG = np.random.default_rng(0)


def _box_mask(height: int, width: int, box) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 255
    return mask


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
def test_tile_strip_repeats_the_strip(side: str) -> None:
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
    np.testing.assert_array_equal(infill(image, mask, 'tile_strip'), expected)


def test_tile_strip_leaves_nothing_of_the_foreground() -> None:
    mask = np.zeros((40, 60), np.uint8)
    cv2.ellipse(mask, (30, 22), (15, 10), 0, 0, 360, 255, -1)
    image = np.full((40, 60, 3), 50, np.uint8)
    image[mask > 0] = 200
    assert (infill(image, mask, 'tile_strip') == 50).all()


def _largest_rectangle_area(box, height: int, width: int) -> int:
    """By trying all rectangles that do not meet the box."""
    best = 0
    for top in range(height):
        for bottom in range(top + 1, height + 1):
            for left in range(width):
                for right in range(left + 1, width + 1):
                    apart = right <= box[0] or left >= box[2] or bottom <= box[1] or top >= box[3]
                    if apart:
                        best = max(best, (bottom - top) * (right - left))
    return best


@pytest.mark.parametrize('box', [(2, 5, 4, 6), (0, 0, 6, 7), (1, 1, 8, 7), (5, 0, 9, 2)])
def test_the_strip_is_the_largest_rectangle_outside_the_box(box) -> None:
    x1, y1, x2, y2 = largest_border_strip(box, 8, 9)
    assert (x2 - x1) * (y2 - y1) == _largest_rectangle_area(box, 8, 9)


@pytest.mark.parametrize('seed', range(8))
def test_tile_rectangle_against_a_naive_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(8, 20, 2).tolist()
    x1, y1 = int(rng.integers(0, width - 3)), int(rng.integers(0, height - 3))
    box = (x1, y1, int(rng.integers(x1 + 1, width)), int(rng.integers(y1 + 1, height)))
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    left, top, right, bottom = largest_border_strip(box, height, width)
    expected = image.copy()
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            expected[y, x] = image[
                top + (y - box[1]) % (bottom - top), left + (x - box[0]) % (right - left)
            ]
    mask = _box_mask(height, width, box)
    image.flags.writeable = mask.flags.writeable = False
    np.testing.assert_array_equal(infill(image, mask, 'tile_rectangle', min_strip=0), expected)


def test_mean_fills_the_box_with_the_mean_of_the_background() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[:, :5] = (30, 60, 91)
    mask = np.zeros((10, 10), np.uint8)
    mask[4, 6] = mask[5, 7] = 255  # the box is 2 by 2, half of it not in the mask
    filled = infill(image, mask, 'mean')
    # 50 of 98 pixels of background have the colour
    assert filled[4:6, 6:8].reshape(-1, 3).tolist() == [[15, 31, 46]] * 4
    filled[4:6, 6:8] = image[4:6, 6:8]
    np.testing.assert_array_equal(filled, image)


@pytest.mark.parametrize('method', INFILLS)
@pytest.mark.parametrize('size', [(40, 60), (300, 200)])
def test_nothing_of_the_foreground_is_left(method: str, size) -> None:
    height, width = size
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 4, height // 4), 0, 0, 360, 255, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 1)  # the soft edge is mixed with the background
    image = np.full((*size, 3), 50, np.uint8)
    image[:] += np.uint8(np.round(150.0 / 255 * mask))[..., None]
    filled = infill(image, mask, method, threshold=8)
    assert np.abs(filled.astype(int) - 50).max() <= 5  # what a mask of 7 lets through
    assert filled.dtype == np.uint8 and filled.shape == image.shape


def test_inpaint_continues_what_is_around_and_leaves_the_rest() -> None:
    ramp = np.broadcast_to(np.arange(128, dtype=np.uint8)[:, None, None], (128, 160, 3)).copy()
    mask = _box_mask(128, 160, (60, 50, 90, 80))
    image = ramp.copy()
    image[mask > 0] = 255
    filled = infill(image, mask, 'inpaint')
    assert np.abs(filled.astype(int) - ramp).mean() < 2
    far = cv2.dilate(mask, np.ones((25, 25), np.uint8)) == 0
    np.testing.assert_array_equal(filled[far], image[far])


@pytest.mark.parametrize('method', INFILLS)
def test_without_foreground_or_without_room(method: str) -> None:
    image = RNG.integers(0, 256, (32, 32, 3), np.uint8)
    empty, full = np.zeros((32, 32), np.uint8), np.full((32, 32), 255, np.uint8)
    faint = np.full((32, 32), 63, np.uint8)
    assert infill(image, empty, method) is image
    assert infill(image, faint, method) is image
    assert infill(image, full, method) is None
    assert infill(image, full, method, min_strip=0) is None
    thin = full.copy()
    thin[0] = 0  # one row of 32 is less than a sixteenth
    assert infill(image, thin, method) is None
    assert infill(image, thin, method, min_strip=0) is not None
    thin[1] = 0
    assert infill(image, thin, method) is not None


@pytest.mark.parametrize('method', INFILLS)
def test_has_room_tells_what_infill_does(method: str) -> None:
    image = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    for box in [(0, 0, 30, 20), (0, 0, 30, 19), (1, 1, 29, 19), (4, 0, 30, 20), (10, 5, 20, 15)]:
        mask = _box_mask(20, 30, box)
        for share in (0.0, 0.05, 0.1, 0.3):
            room = has_room(mask, method, min_strip=share)
            assert room == (infill(image, mask, method, min_strip=share) is not None)


@pytest.mark.parametrize('method', INFILLS)
def test_the_arguments_are_left_alone(method: str) -> None:
    image = RNG.integers(0, 256, (33, 47, 3), np.uint8)
    mask = _box_mask(33, 47, (10, 5, 20, 25))
    before = image.copy(), mask.copy()
    image.flags.writeable = mask.flags.writeable = False
    filled = infill(image, mask, method)
    assert not np.shares_memory(filled, image)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('tile', 64, 0.1), "`infill` must be one of .* but got 'tile'"),
        (('mean', 0, 0.1), r'`threshold` must be in \[1, 255\], but got 0'),
        (('mean', 64, 1.5), r'`min_strip` must be in \[0, 1\], but got 1.5'),
    ],
)
def test_bad_options(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_infill(*options)
