import numpy as np
import pytest

from bgaug_mm.datasets.robustness import CORRUPTIONS
from bgaug_mm.evaluation.robustness.mce import (
    ALEXNET_CLEAN_ERROR,
    ALEXNET_ERRORS,
    corruption_error,
    mean_corruption_error,
    relative_corruption_error,
)


def test_the_constants_are_those_of_the_15_corruptions():
    assert tuple(ALEXNET_ERRORS) == CORRUPTIONS
    # rounded, as in appendix C of the paper
    published = [88.6, 89.4, 92.3, 82.0, 82.6, 78.6, 79.8, 86.7, 82.7, 81.9, 56.5, 85.3, 64.6, 71.8]
    assert list(ALEXNET_ERRORS.values()) == pytest.approx([*published, 60.7], abs=0.051)


def test_by_hand():
    # mean of the severities 50; AlexNet's 88.6428
    errors = [30, 40, 50, 60, 70]
    assert corruption_error('gaussian_noise', errors) == pytest.approx(56.4061, abs=1e-4)
    # (50 - 24) / (88.6428 - 43.48) = 26 / 45.1628
    relative = relative_corruption_error('gaussian_noise', errors, 24)
    assert relative == pytest.approx(57.5695, abs=1e-4)


def test_alexnet_has_100_and_a_perfect_model_0():
    alexnet = {name: [error] * 5 for name, error in ALEXNET_ERRORS.items()}
    assert mean_corruption_error(alexnet) == pytest.approx(100)
    assert mean_corruption_error(alexnet, ALEXNET_CLEAN_ERROR) == pytest.approx(100)
    assert mean_corruption_error(dict.fromkeys(CORRUPTIONS, [0] * 5)) == 0


def test_every_corruption_weighs_the_same():
    errors = {name: [0] * 5 for name in CORRUPTIONS}
    errors['fog'] = [81.9324] * 5  # AlexNet's: CE 100
    errors['snow'] = [0, 0, 0, 0, 86.6816]  # CE 20
    assert mean_corruption_error(errors) == pytest.approx((100 + 20) / 15)


def test_of_images_the_mean_is_that_of_the_means():
    rng = np.random.default_rng(0)
    errors = {name: 100.0 * rng.integers(0, 2, (5, 30)) for name in CORRUPTIONS}
    means = {name: one.mean(1) for name, one in errors.items()}
    clean = 100.0 * rng.integers(0, 2, 30)
    assert mean_corruption_error(errors).mean() == pytest.approx(mean_corruption_error(means))
    assert mean_corruption_error(errors, clean).mean() == pytest.approx(
        mean_corruption_error(means, clean.mean())
    )


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match='needs all 15 corruptions; there is no frost'):
        mean_corruption_error({name: [0] * 5 for name in CORRUPTIONS if name != 'frost'})
    with pytest.raises(ValueError, match=r'fog needs the errors of 5 severities, but got \(4,\)'):
        corruption_error('fog', [0] * 4)
    with pytest.raises(ValueError, match="`corruption` must be one of .* but got 'rain'"):
        corruption_error('rain', [0] * 5)
