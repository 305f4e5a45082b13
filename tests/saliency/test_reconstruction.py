"""Reconstruction against scikit-image's; smoothing on hand-made maps."""

import numpy as np
import pytest
from skimage import morphology

pytest.importorskip('numba', reason='the saliency extra is not installed')

from bgaug_mm.saliency.reconstruction import reconstruct, smooth

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1), (17, 23)])
@pytest.mark.parametrize('seed', range(3))
def test_reconstruct_against_scikit_image(shape, seed):
    draw = np.random.default_rng(seed)
    mask = draw.integers(0, 256, shape).astype(np.uint8)
    marker = np.where(draw.random(shape) < 0.1, mask, mask // 3).astype(np.uint8)
    marker_before, mask_before = marker.copy(), mask.copy()
    expected = morphology.reconstruction(marker, mask, footprint=CROSS)
    np.testing.assert_array_equal(reconstruct(marker, mask), expected)
    np.testing.assert_array_equal(marker, marker_before)
    np.testing.assert_array_equal(mask, mask_before)


def test_a_winding_corridor_is_filled_to_its_end():
    mask = np.zeros((9, 40), np.uint8)
    mask[::2] = 200
    mask[1::4, -1] = mask[3::4, 0] = 200  # rows joined in turn right and left
    seed = np.zeros_like(mask)
    seed[0, 0] = 150
    np.testing.assert_array_equal(reconstruct(seed, mask), np.minimum(mask, 150))


def test_smooth_levels_what_is_narrower_than_the_kernel_and_keeps_outlines():
    values = np.full((40, 60), 30, np.uint8)
    rows, columns = np.mgrid[:40, :60]
    values[(rows - 20) ** 2 + (columns - 25) ** 2 < 150] = 220
    expected = values.copy()
    values[18:21, 24:27] = 100  # a dark hole in the disc
    values[5:8, 50:53] = 250  # a bright speck in the ground
    np.testing.assert_array_equal(smooth(values, 5), expected)


def test_smooth_with_one_pixel_changes_nothing():
    values = np.random.default_rng(0).integers(0, 256, (9, 11)).astype(np.uint8)
    np.testing.assert_array_equal(smooth(values, 1), values)
    assert (smooth(values, 50) != values).any()
