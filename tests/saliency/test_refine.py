"""Refined masks follow the image's edges."""

import cv2
import numpy as np
import pytest

from bgaug_mm.saliency.refine import refine


@pytest.fixture
def disc() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disc on noise, its mask, and a blurred and shifted one."""
    truth = np.zeros((80, 100), np.uint8)
    cv2.circle(truth, (50, 40), 22, 255, -1)
    image = np.random.default_rng(0).integers(90, 120, (80, 100, 3), np.uint8)
    image[truth > 0] += np.array([120, 0, 0], np.uint8)
    rough = cv2.GaussianBlur(np.roll(truth, 3, axis=1), (0, 0), 5)
    for array in (image, rough):
        array.flags.writeable = False
    return image, truth, rough


def error(mask: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(mask.astype(float) - truth).mean() / 255)


def test_is_nearer_to_the_truth(disc) -> None:
    image, truth, rough = disc
    refined = refine(image, rough, method='grabcut')
    assert refined.shape == rough.shape and refined.dtype == np.uint8
    assert error(refined, truth) < 0.8 * error(rough, truth)
    np.testing.assert_array_equal(refined, refine(image, rough, method='grabcut'))


def test_a_weak_map_has_a_threshold_of_its_own(disc) -> None:
    image, truth, rough = disc
    weak = (0.4 * rough).astype(np.uint8)  # never above one half
    assert error(refine(image, weak, method='grabcut'), truth) < 0.8 * error(weak, truth)


def test_grabcut_leaves_what_it_cannot_cut(disc) -> None:
    image, _, rough = disc
    for level in (0, 255):
        even = np.full_like(rough, level)
        np.testing.assert_array_equal(refine(image, even, method='grabcut'), even)


def test_none_is_the_mask_itself(disc) -> None:
    assert refine(disc[0], disc[2], method='none') is disc[2]


def test_says_what_is_wrong(disc) -> None:
    image, _, rough = disc
    with pytest.raises(ValueError, match=r"`method` must be one of \['none', 'grabcut'\]"):
        refine(image, rough, method='crf')
    with pytest.raises(ValueError, match='`mask` must be'):
        refine(image, rough[1:], method='none')
