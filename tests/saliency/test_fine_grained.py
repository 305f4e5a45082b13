import cv2
import numpy as np
import pytest

pytest.importorskip('cv2.saliency', reason='opencv-contrib is not installed')

from bgaug_mm.saliency import build_estimator


def dot(shape=(120, 160), ground=100, value=200):
    image = np.full((*shape, 3), ground, np.uint8)
    image[50:58, 100:108] = value
    return image


@pytest.mark.parametrize('value', [200, 10])
def test_bright_and_dark_things_stand_out(value):
    saliency = build_estimator('fine_grained')(dot(value=value))
    assert saliency.dtype == np.float32 and saliency.max() == 1
    assert saliency[50:58, 100:108].mean() > 0.8
    assert saliency[:20].max() < 0.2 and saliency[:, :40].max() < 0.2


def test_the_image_is_taken_as_rgb():
    """On bright ground blue is darker than red: luma 29 and 76 against 0 for black."""
    red, blue = dot(ground=150, value=0), dot(ground=150, value=0)
    red[50:58, 100:108, 0] = blue[50:58, 100:108, 2] = 255
    red[50:58, 20:28] = blue[50:58, 20:28] = 0  # what decides the scale
    for image, luma in ((red, 76), (blue, 29)):
        saliency = build_estimator('fine_grained')(image)
        ratio = saliency[50:58, 100:108].mean() / saliency[50:58, 20:28].mean()
        assert ratio == pytest.approx((150 - luma) / 150, abs=0.05)


@pytest.mark.parametrize('shape', [(1, 1), (30, 40), (2, 300)])
def test_a_uniform_image_has_nothing_salient(shape):
    assert not build_estimator('fine_grained')(np.full((*shape, 3), 77, np.uint8)).any()


def test_without_contrib_the_command_is_named(monkeypatch):
    monkeypatch.delattr(cv2, 'saliency')
    with pytest.raises(ImportError, match='cv2.saliency is not installed'):
        build_estimator('fine_grained')
