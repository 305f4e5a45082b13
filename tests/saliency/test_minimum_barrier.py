"""FastMBD against the exact distance, found by trying every interval of values."""

import numpy as np
import pytest
from scipy import ndimage

pytest.importorskip('numba', reason='the saliency extra is not installed')

from bgaug_mm.saliency.minimum_barrier import minimum_barrier_distance


def fast(values, passes=3):
    values = np.array(values, np.float32, order='C')  # one memory layout: compiled once
    return minimum_barrier_distance(values[..., None], passes)[..., 0]


def exact(values):
    """Smallest u − l such that pixels in [l, u] join the pixel to the frame."""
    levels = np.unique(values)
    frame = np.ones(values.shape, bool)
    frame[1:-1, 1:-1] = False
    result = np.full(values.shape, np.inf)
    for low in levels:
        for high in levels[levels >= low]:
            parts, _ = ndimage.label((values >= low) & (values <= high))
            joined = np.isin(parts, np.unique(parts[frame & (parts > 0)])) & (parts > 0)
            result[joined] = np.minimum(result[joined], high - low)
    return result


@pytest.mark.parametrize('seed', range(5))
def test_exact_where_the_image_has_two_values(seed):
    values = np.random.default_rng(seed).integers(0, 2, (9, 12)) * 7
    np.testing.assert_array_equal(fast(values, passes=values.size), exact(values))


@pytest.mark.parametrize('seed', range(5))
def test_never_below_exact_and_never_higher_after_more_passes(seed):
    values = np.random.default_rng(seed).integers(0, 6, (8, 9))
    truth, results = exact(values), [fast(values, passes) for passes in (1, 2, 3, 10)]
    for before, after in zip(results, [*results[1:], truth], strict=True):
        assert (after <= before).all()
    assert (results[2] == truth).mean() > 0.8  # the paper's three passes come near


def test_on_a_slope_the_distance_is_the_climb_to_the_nearer_end():
    """Rows equal, values 0, 1, 2, …: the shortest way out is straight up, without a climb."""
    assert not fast(np.tile(np.arange(8), (6, 1))).any()
    pyramid = np.minimum.outer(*[np.minimum(np.arange(9), np.arange(9)[::-1])] * 2)
    np.testing.assert_array_equal(fast(pyramid), pyramid)


def test_disc_stands_out_by_its_contrast_unless_it_touches_the_frame():
    rows, columns = np.mgrid[:30, :40]
    disc = (rows - 15) ** 2 + (columns - 20) ** 2 < 64
    np.testing.assert_array_equal(fast(np.where(disc, 90, 20)), 70 * disc)
    touching = (rows - 15) ** 2 + columns**2 < 64
    assert not fast(np.where(touching, 90, 20)).any()


def test_a_spiral_needs_a_pass_for_every_second_turn():
    spiral = np.ones((9, 9))
    spiral[0, 1] = spiral[1, 1:8] = spiral[1:8, 7] = spiral[7, 1:8] = spiral[3:8, 1] = 0
    spiral[3, 1:6] = spiral[3:6, 5] = spiral[5, 3:6] = 0
    assert fast(spiral, passes=1)[5, 3] == 1
    assert fast(spiral, passes=6)[5, 3] == exact(spiral)[5, 3] == 0


def test_channels_do_not_see_each_other():
    values = np.random.default_rng(0).random((7, 8, 3), dtype=np.float32)
    together = minimum_barrier_distance(values, 3)
    for channel in range(3):
        alone = fast(values[..., channel])
        np.testing.assert_array_equal(together[..., channel], alone)


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (2, 9), (9, 2)])
def test_all_frame(shape):
    assert not fast(np.random.default_rng(0).random(shape)).any()


def test_input_is_only_read():
    values = np.random.default_rng(0).random((5, 6, 3), dtype=np.float32)
    before = values.copy()
    minimum_barrier_distance(values, 3)
    np.testing.assert_array_equal(values, before)
