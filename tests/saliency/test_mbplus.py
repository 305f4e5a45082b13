"""MB+ on hand-made images whose answer follows from the equations."""

import cv2
import numpy as np
import pytest

pytest.importorskip('numba', reason='the saliency extra is not installed')

from bgaug_mm.saliency import MBPlus, build_estimator
from bgaug_mm.saliency.mbplus import eccentricity

GROUND, OBJECT = (40, 90, 60), (200, 40, 40)


def discs(*centers, radius=30, shape=(150, 200), colors=(OBJECT, OBJECT)):
    image = np.full((*shape, 3), GROUND, np.uint8)
    inside = np.zeros(shape, bool)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for (row, column), color in zip(centers, colors, strict=False):
        disc = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        image[disc] = color
        inside |= disc
    return image, inside


@pytest.mark.parametrize('options', [{}, dict(backgroundness=False), dict(smoothing=0)])
def test_a_disc_is_found_exactly(options):
    image, inside = discs((75, 100))
    saliency = MBPlus(**options)(image)
    assert saliency.dtype == np.float32 and saliency.shape == inside.shape
    assert saliency[inside].min() > 0.9 and saliency[~inside].max() == 0


def test_two_discs_alike_are_equally_salient():
    image, inside = discs((75, 50), (75, 150))
    saliency = MBPlus(center_prior=0)(image)
    np.testing.assert_array_equal(saliency, inside.astype(np.float32))


def test_the_disc_of_less_contrast_is_less_salient():
    image, _ = discs((75, 50), (75, 150), colors=(OBJECT, (80, 80, 60)))
    saliency = MBPlus(center_prior=0)(image)
    assert saliency[75, 50] == 1 and saliency[75, 150] < 0.2


def test_a_disc_on_the_frame_is_lost_by_the_distance_and_kept_by_backgroundness():
    image, inside = discs((75, 0))
    assert not MBPlus(backgroundness=False)(image).any()
    saliency = MBPlus(center_prior=0)(image)
    assert saliency[inside].min() > 0.9 and saliency[~inside].max() < 0.1


def test_chequerboard():
    """Every cell inside is cut off by cells of the other colour, so both colours are alike."""
    board = np.add.outer(np.arange(8), np.arange(10)) % 2
    image = np.where(board[..., None], GROUND, OBJECT).astype(np.uint8)
    image = image.repeat(10, 0).repeat(10, 1)
    saliency = MBPlus(backgroundness=False, smoothing=0, center_prior=0)(image)
    expected = np.zeros(board.shape)
    expected[1:-1, 1:-1] = 1
    np.testing.assert_array_equal(saliency, expected.repeat(10, 0).repeat(10, 1))


def test_uniform_and_tiny_images_have_nothing_salient():
    for shape in ((1, 1), (1, 50), (60, 2), (64, 64)):
        assert not MBPlus()(np.full((*shape, 3), (10, 200, 99), np.uint8)).any()


def test_contrast_is_the_sigmoid():
    image, _ = discs((75, 50), (75, 150), colors=(OBJECT, (120, 60, 50)))
    image = image[:, :, [1, 0, 2]]
    before = MBPlus(contrast=0)(image)
    stretched = 1 / (1 + np.exp(-10 * (before - 0.5)))
    low, high = 1 / (1 + np.exp(5)), 1 / (1 + np.exp(-5))
    expected = (stretched - low) / (high - low)
    np.testing.assert_allclose(MBPlus(contrast=10)(image), expected, atol=1e-5)


def test_smoothing_follows_the_size_of_the_image():
    """A speck beside a disc goes, and goes too when the image is twice as large."""
    image, inside = discs((75, 100))
    image[20:23, 20:23] = OBJECT
    for factor in (1, 2):
        large = image.repeat(factor, 0).repeat(factor, 1)
        saliency = MBPlus(size=None)(large)
        assert saliency[~inside.repeat(factor, 0).repeat(factor, 1)].max() == 0
    assert MBPlus(smoothing=0)(image)[21, 21] > 0.1


def test_eccentricity():
    result = eccentricity(5, 9)
    assert result[2, 4] == 0 and result[0, 0] == result[-1, -1] == 1
    assert result[2, 8] == pytest.approx(4 / 20**0.5)
    assert eccentricity(1, 1) == 0
    with pytest.raises(ValueError, match='read-only'):
        result[0, 0] = 0


def test_center_prior():
    image, _ = discs((75, 100), (25, 25), radius=20)
    flat, weighted = (MBPlus(center_prior=p, contrast=0, size=None)(image)[25, 25] for p in (0, 1))
    distance = np.hypot(25 - 74.5, 25 - 99.5) / np.hypot(74.5, 99.5)
    assert flat == pytest.approx(1)
    # rescaled by the most central pixel, half a pixel off the centre
    assert weighted == pytest.approx(1 - distance, abs=0.01)


def test_a_large_photograph_is_reduced():
    from skimage import data

    image = data.astronaut()
    saliency, small = MBPlus()(image), cv2.resize(image, (300, 300), interpolation=cv2.INTER_AREA)
    assert saliency.shape == image.shape[:2]
    expected = cv2.resize(MBPlus()(small), (512, 512), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(saliency, expected, atol=1e-6)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(passes=0), '`passes` must be at least 1, but got 0'),
        (dict(border=0), '`border` must be in (0, 0.5], but got 0'),
        (dict(center_prior=1.5), '`center_prior` must be in [0, 1], but got 1.5'),
        (dict(smoothing=-1), '`smoothing` must not be negative, but got -1'),
        (dict(contrast=-1), '`contrast` must not be negative, but got -1'),
        (dict(size=0), '`size` must be at least 1, but got 0'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError) as error:
        build_estimator('mbplus', **options)
    assert message in str(error.value)


def test_without_numba_the_command_is_named(monkeypatch):
    from bgaug_mm import environment

    find = environment.util.find_spec
    monkeypatch.setattr(
        environment.util, 'find_spec', lambda name: None if name == 'numba' else find(name)
    )
    with pytest.raises(ImportError, match='numba is not installed; run:\n.*saliency.txt'):
        MBPlus()
