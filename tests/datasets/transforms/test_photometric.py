import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image, ImageFilter

from bgaug_mm.datasets.transforms import photometric

FACTORS = (0.0, 0.2, 0.6, 0.87, 0.999, 1.0, 1.001, 1.17, 1.4, 1.8)
SHIFTS = (-0.5, -0.1, -0.031, 0.0, 0.05, 0.2, 0.5)
SIGMAS = (0.0, 0.1, 0.22, 0.35, 0.52, 0.83, 1.1, 1.47, 1.9, 2.6, 4.0)
# PIL's own warning that fromarray(mode=) goes, inside mmcv; ours do without
pytestmark = pytest.mark.filterwarnings('ignore')


def test_brightness_is_pillows_bit_by_bit(photos, noise) -> None:
    for image in (*photos, noise):
        for factor in FACTORS:
            np.testing.assert_array_equal(
                photometric.adjust_brightness(image, factor),
                mmcv.adjust_brightness(image, factor, backend='pillow'),
            )


def test_contrast_is_pillows_bit_by_bit(photos, noise) -> None:
    for image in (*photos, noise):
        for factor in FACTORS:
            np.testing.assert_array_equal(
                photometric.adjust_contrast(image, factor),
                mmcv.adjust_contrast(image, factor, backend='pillow'),
            )


def test_contrast_by_hand() -> None:
    image = np.array([[[0, 0, 0], [100, 100, 100], [200, 200, 200]]], np.uint8)
    # the mean is 100: 100 + 1.5·(0 − 100) is below 0, 100 + 1.5·100 = 250
    expected = [0, 100, 250]
    assert photometric.adjust_contrast(image, 1.5)[0, :, 0].tolist() == expected


def test_saturation_is_pillows_within_rounding(photos, noise, difference) -> None:
    shares = []
    for image in (*photos, noise):
        for factor in FACTORS:
            ours = photometric.adjust_saturation(image, factor)
            diff = difference(ours, mmcv.adjust_color(image, alpha=factor, backend='pillow'))
            assert diff.largest <= 1 + abs(1 - factor) and diff.share <= 0.02, (factor, diff)
            shares.append(diff.share)
    assert np.mean(shares) < 1e-3


def test_saturation_by_hand() -> None:
    image = np.array([[[0, 0, 200], [90, 90, 90]]], np.uint8)
    # luma of pure red: 0.299·200 = 60, and 60 + 0.5·(200 − 60) = 130; grey stays
    assert photometric.adjust_saturation(image, 0.5).tolist() == [[[30, 30, 130], [90, 90, 90]]]


def test_hue_is_pillows_but_for_edges_of_its_steps(photos, noise, difference) -> None:
    for image in (*photos, noise):
        for shift in SHIFTS:
            ours = photometric.adjust_hue(image, shift)
            diff = difference(ours, mmcv.adjust_hue(image, shift, backend='pillow'))
            assert diff.largest <= 6 and diff.share <= 0.005, (shift, diff)
            assert abs(diff.shift) < 0.01


def test_hue_by_hand() -> None:
    red = np.array([[[0, 0, 255]]], np.uint8)
    grey = np.full((1, 1, 3), 77, np.uint8)
    assert photometric.adjust_hue(red, 1 / 3).tolist() == [[[0, 255, 0]]]  # green
    # 85 steps of 1/255 back wrap at 256, as in Pillow: 171 steps, one more than blue
    assert photometric.adjust_hue(red, -1 / 3).tolist() == [[[255, 0, 6]]]
    assert photometric.adjust_hue(grey, 0.4).tolist() == grey.tolist()


@pytest.mark.parametrize('weights', [(0.114, 0.587, 0.2989), (1.0, 1.0, 1.0), (0.0, 0.0, 2.0)])
def test_grey_is_the_truncated_mean(photos, noise, weights, difference) -> None:
    share = np.array(weights) / sum(weights)
    for image in (*photos, noise):
        exact = (image * share).sum(axis=2)
        ours = photometric.to_grey(image, tuple(share))
        # of whole numbers that float64 misses, ours are the right ones
        diff = difference(ours, (exact + 1e-9).astype(np.uint8))
        assert diff.largest <= 1 and diff.share <= 1e-3
        assert difference(ours, exact.astype(np.uint8)).largest <= 1


def test_blur_is_pillows_within_the_rounding_of_six_passes(photos, noise, difference) -> None:
    for image in (*photos, noise):
        for sigma in SIGMAS:
            filtered = Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma))
            diff = difference(photometric.gaussian_blur(image, sigma), np.asarray(filtered))
            assert diff.largest <= 3 and abs(diff.shift) < 0.1, (sigma, diff)


def test_blur_has_the_variance_asked_for() -> None:
    impulse = np.zeros((41, 41, 3), np.uint8)
    impulse[20, 20] = 255
    for sigma in (0.8, 1.5, 2.0):
        row = photometric.gaussian_blur(impulse, sigma)[..., 0].sum(axis=0, dtype=float)
        variance = (row * (np.arange(41) - 20.0) ** 2).sum() / row.sum()
        # rounding takes the tails away
        assert variance == pytest.approx(sigma**2, rel=0.12)


def test_blur_leaves_uniform_images_and_repeats_the_border() -> None:
    uniform = np.full((9, 7, 3), 200, np.uint8)
    np.testing.assert_array_equal(photometric.gaussian_blur(uniform, 2.0), uniform)


def test_solarize_is_mmcvs_bit_by_bit(noise) -> None:
    for threshold in (0, 100.5, 128, 255, 256):
        np.testing.assert_array_equal(
            photometric.solarize(noise, threshold), mmcv.solarize(noise, threshold)
        )


@pytest.mark.parametrize(
    'function',
    [
        photometric.adjust_brightness,
        photometric.adjust_contrast,
        photometric.adjust_saturation,
        photometric.adjust_hue,
        photometric.gaussian_blur,
        photometric.solarize,
    ],
)
def test_result_is_new_and_the_argument_unchanged(function, photos) -> None:
    image = photos[0].copy()
    result = function(image, 0.3)
    assert not np.shares_memory(result, image) and result.flags.c_contiguous
    np.testing.assert_array_equal(image, photos[0])


def test_a_one_pixel_image_passes() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)
    assert photometric.gaussian_blur(image, 2.0).tolist() == image.tolist()
    assert cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[0, 0] == 22
    assert photometric.adjust_contrast(image, 0.0).tolist() == [[[22, 22, 22]]]
