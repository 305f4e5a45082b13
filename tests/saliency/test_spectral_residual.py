"""OpenCV's spectral residual, against the paper's equations in numpy."""

import cv2
import numpy as np
import pytest

pytest.importorskip('cv2.saliency', reason='opencv-contrib is not installed')

from scipy import ndimage
from skimage import data

from bgaug_mm.saliency import build_estimator


def naive(image, scale=64):
    """Hou and Zhang, §3: log spectrum minus its 3×3 mean, back, squared, blurred."""
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (scale, scale))
    spectrum = np.fft.fft2(grey.astype(float))
    log = np.log(np.abs(spectrum))
    residual = log - ndimage.uniform_filter(log, 3, mode='nearest')
    result = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return ndimage.gaussian_filter(result, 2.5)


def test_against_the_equations():
    image = data.astronaut()
    result = cv2.resize(build_estimator('spectral_residual')(image), (64, 64))
    assert np.corrcoef(result.ravel(), naive(image).ravel())[0, 1] > 0.9


def test_a_thing_on_even_ground_stands_out():
    image = np.random.default_rng(0).integers(90, 110, (120, 160, 3)).astype(np.uint8)
    image[50:58, 100:108] = (250, 250, 30)
    saliency = build_estimator('spectral_residual')(image)
    assert saliency.min() == 0 and saliency.max() == 1
    assert saliency[50:58, 100:108].mean() > 5 * saliency.mean()


@pytest.mark.parametrize('shape', [(1, 1), (30, 40), (2, 300)])
def test_a_uniform_image_has_nothing_salient(shape):
    assert not build_estimator('spectral_residual')(np.full((*shape, 3), 77, np.uint8)).any()


def test_scale_is_used_and_checked():
    image = data.astronaut()
    results = [build_estimator('spectral_residual', scale=s)(image) for s in (64, 32)]
    assert np.abs(results[0] - results[1]).mean() > 0.01
    with pytest.raises(ValueError, match='`scale` must be at least 8, but got 2'):
        build_estimator('spectral_residual', scale=2)


def test_without_contrib_the_command_is_named(monkeypatch):
    monkeypatch.delattr(cv2, 'saliency')
    with pytest.raises(ImportError, match='install --no-deps opencv-contrib-python=='):
        build_estimator('spectral_residual')
