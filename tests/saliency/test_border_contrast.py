"""Against scipy's Mahalanobis distance, and where the answer is plain."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

pytest.importorskip('numba', reason='the saliency extra is not installed')

from bgaug_mm.saliency.border_contrast import border_contrast


def test_against_scipy():
    lab = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.float32)
    result = border_contrast(lab, 0.1)
    maps = []
    for strip in (lab[:2], lab[-2:], lab[:, :3], lab[:, -3:]):
        colors = strip.reshape(-1, 3)
        inverse = np.linalg.inv(np.cov(colors.T, bias=True) + np.eye(3) / 12)
        center = colors.mean(axis=0)
        one = np.array([[mahalanobis(pixel, center, inverse) for pixel in row] for row in lab])
        maps.append(one / one.max())
    expected = np.sum(maps, axis=0) - np.max(maps, axis=0)
    np.testing.assert_allclose(result, expected / expected.max(), atol=1e-4)


def test_on_uniform_ground_is_the_euclidean_distance():
    lab = np.full((40, 40, 3), 100, np.float32)
    lab[10:15, 10:15, 1] += 30
    lab[20:25, 20:25, 2] -= 60
    result = border_contrast(lab, 0.1)
    assert result[12, 12] == pytest.approx(0.5) and result[22, 22] == pytest.approx(1)
    assert result[0, 0] == 0


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (20, 30)])
def test_a_uniform_image_has_no_contrast(shape):
    assert not border_contrast(np.full((*shape, 3), 77.7, np.float32), 0.1).any()


def test_an_object_over_one_strip_does_no_harm():
    lab = np.full((40, 40, 3), 100, np.float32)
    lab[10:30, :20] += 40
    result = border_contrast(lab, 0.1)
    assert result[10:30, :20].min() == 1 and not result[:10].any()


def test_input_is_only_read():
    lab = np.random.default_rng(0).random((9, 9, 3), dtype=np.float32)
    lab.setflags(write=False)
    border_contrast(lab, 0.2)
