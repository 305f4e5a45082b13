import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.transforms.mask_edit import MaskEdit

RNG = np.random.default_rng(0)


def _soft(height: int = 21, width: int = 30) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (6, 4), 20, 0, 360, 255, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 1.5)
    mask.flags.writeable = False
    return mask


def test_nothing_to_change() -> None:
    mask = _soft()
    assert MaskEdit().apply(mask, False) is mask
    assert MaskEdit.of(None) == MaskEdit.of({}) == MaskEdit()
    state = np.random.get_state()[1].copy()
    assert MaskEdit(dilate=2).draw() is False
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_threshold() -> None:
    mask = np.array([[0, 1, 127, 128, 255]], np.uint8)
    assert MaskEdit(threshold=128).apply(mask, False).tolist() == [[0, 0, 0, 255, 255]]
    assert MaskEdit(threshold=1).apply(mask, False).tolist() == [[0, 255, 255, 255, 255]]
    assert MaskEdit(threshold=255).apply(mask, False).tolist() == [[0, 0, 0, 0, 255]]


@pytest.mark.parametrize('dilate', [1, 3])
def test_dilate_is_the_maximum_over_a_square(dilate: int) -> None:
    mask = RNG.integers(0, 256, (9, 11), np.uint8)
    expected = np.zeros_like(mask)
    for y in range(9):
        for x in range(11):
            expected[y, x] = mask[
                max(y - dilate, 0) : y + dilate + 1, max(x - dilate, 0) : x + dilate + 1
            ].max()
    np.testing.assert_array_equal(MaskEdit(dilate=dilate).apply(mask, False), expected)


@pytest.mark.parametrize('blur', [0.8, 2.0])
def test_blur_against_a_naive_gaussian(blur: float) -> None:
    mask = _soft()
    radius = round(3 * blur)
    weights = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * blur**2))
    weights /= weights.sum()
    padded = np.pad(mask.astype(float), radius, mode='reflect')
    expected = np.zeros(mask.shape)
    for i, first in enumerate(weights):
        for j, second in enumerate(weights):
            expected += first * second * padded[i : i + 21, j : j + 30]
    result = MaskEdit(blur=blur).apply(mask, True)
    assert np.abs(result - expected).max() <= 1.5
    assert MaskEdit(blur=blur).apply(mask, False) is mask


def test_box() -> None:
    mask = np.zeros((6, 8), np.uint8)
    mask[1, 2], mask[3, 5], mask[5, 7] = 64, 255, 63
    expected = np.zeros_like(mask)
    expected[1:4, 2:6] = 255
    np.testing.assert_array_equal(MaskEdit(as_box=True).apply(mask, False), expected)
    assert not MaskEdit(as_box=True).apply(np.full((6, 8), 63, np.uint8), False).any()


def test_order_is_threshold_then_dilation_then_blur() -> None:
    mask = _soft()
    hard = MaskEdit(threshold=100).apply(mask, False)
    wide = MaskEdit(dilate=2).apply(hard, False)
    soft = MaskEdit(blur=1.5).apply(wide, True)
    edit = MaskEdit(threshold=100, dilate=2, blur=1.5)
    np.testing.assert_array_equal(edit.apply(mask, True), soft)
    np.testing.assert_array_equal(edit.apply(mask, False), wide)


def test_blur_probability() -> None:
    np.random.seed(0)
    edit = MaskEdit(blur=5.0, blur_prob=0.5)
    assert 900 < sum(edit.draw() for _ in range(2000)) < 1100
    assert all(MaskEdit(blur=5.0).draw() for _ in range(50))
    assert not any(MaskEdit(blur=5.0, blur_prob=0.0).draw() for _ in range(50))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(threshold=0), r'`mask_edit.threshold` must be None or in \[1, 255\], but got 0'),
        (dict(threshold=256), '`mask_edit.threshold` must be'),
        (dict(dilate=-1), '`mask_edit.dilate` must be an integer from 0, but got -1'),
        (dict(dilate=1.5), '`mask_edit.dilate` must be an integer from 0, but got 1.5'),
        (dict(blur=-1), '`mask_edit.blur` must be at least 0, but got -1'),
        (dict(blur_prob=2), r'`mask_edit.blur_prob` must be in \[0, 1\], but got 2'),
        (dict(as_box=True, threshold=9), 'give `mask_edit.as_box` or `mask_edit.threshold`'),
        (dict(sigma=1), r"`mask_edit` takes threshold, .*, but got \['sigma'\]"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaskEdit.of(options)
