import numpy as np
import pytest

from bgaug_mm.datasets.worlds.run_lengths import decode_mask, encode_mask, mask_box


def test_by_hand():
    mask = np.array([[0, 1, 1], [0, 0, 1]], bool)
    # down the columns: 0 0, 1 0, 1 1
    assert encode_mask(mask) == {'size': [2, 3], 'counts': [2, 1, 1, 2]}
    assert encode_mask(~mask) == {'size': [2, 3], 'counts': [0, 2, 1, 1, 2]}
    assert encode_mask(np.zeros((2, 3), bool))['counts'] == [6]
    assert encode_mask(np.ones((2, 3), bool))['counts'] == [0, 6]


@pytest.mark.parametrize('share', [0.0, 0.02, 0.5, 0.98, 1.0])
@pytest.mark.parametrize('shape', [(1, 1), (7, 3), (16, 33)])
def test_round_trip_and_naive_runs(share, shape):
    mask = np.random.default_rng(0).random(shape) < share
    runs = encode_mask(mask)
    np.testing.assert_array_equal(decode_mask(runs), mask)
    expected, inside = [0], False
    for x in range(shape[1]):
        for y in range(shape[0]):
            if mask[y, x] != inside:
                expected.append(0)
                inside = not inside
            expected[-1] += 1
    assert runs['counts'] == expected
    assert all(type(count) is int for count in [*runs['counts'], *runs['size']])  # for json


def test_counts_must_fill_the_mask():
    for counts in ([5], [7], [7, -1]):
        with pytest.raises(ValueError, match=r'pixels do not make a mask of 3×2'):
            decode_mask({'size': [2, 3], 'counts': counts})


def test_box():
    mask = np.zeros((5, 6), bool)
    mask[1, 2] = mask[3, 4] = True
    assert mask_box(mask) == (2, 1, 5, 4)
    with pytest.raises(ValueError, match='the mask is empty'):
        mask_box(mask & False)
