import math

import numpy as np
import pytest
import torch

from bgaug_mm.saliency import build_estimator
from bgaug_mm.saliency.found import head_weights
from bgaug_mm.saliency.vit_features import PatchFeatures


@pytest.fixture
def score(tiny_vit):
    def run(keys, attention, grid, **options):
        features = PatchFeatures(torch.tensor(keys), torch.tensor(attention), grid)
        return build_estimator('found', backbone=tiny_vit(), **options).score(features)

    return run


def test_head_weights_by_hand():
    """Mean .175; above it are 1 of 4 patches in the first head and 3 in the second."""
    attention = torch.tensor([[0.4, 0.0, 0.0, 0.1], [0.3, 0.2, 0.3, 0.1]])
    expected = torch.tensor([math.log(4 / 1), math.log(4 / 3)])
    torch.testing.assert_close(head_weights(attention), expected)


def test_what_is_unlike_the_least_attended_patch(score):
    attention = [[0.3, 0.2, 0.1, 0.0]]
    keys = [[[0.0, 1.0], [1.0, 4.0], [1.0, 1.0], [2.0, 0.0]]]  # cosines to the last: 0 .24 .7 1
    expected = [[1, 1], [0, 0]]
    np.testing.assert_array_equal(score(keys, attention, (2, 2)), expected)
    np.testing.assert_array_equal(score(keys, attention, (2, 2), threshold=0.2), [[1, 0], [0, 0]])
    np.testing.assert_array_equal(score(keys, attention, (1, 4), threshold=0.8), [[1, 1, 1, 0]])


def test_heads_of_sparse_attention_count_more(score):
    """The seed: patch 1 by the sum of both heads, patch 2 when the second head hardly counts."""
    attention = [[0.9, 0.05, 0.0, 0.0], [0.3, 0.2, 0.4, 0.4]]
    keys = [[[1.0, 0], [0.0, 1.0], [1.0, 0], [1.0, 0]]] * 2
    plain = score(keys, attention, (1, 4), reweight=False)
    np.testing.assert_array_equal(plain, [[1, 0, 1, 1]])
    # mean .28: shares 1/4 and 3/4, weights log 4 and log 4/3: sums 1.33, .13, .12, .12
    np.testing.assert_array_equal(score(keys, attention, (1, 4)), [[0, 1, 0, 0]])


def test_one_head_alone_is_not_weighted_away(score):
    attention, keys = [[0.5, 0.1]], [[[1.0, 0.0], [0.0, 1.0]]]
    np.testing.assert_array_equal(score(keys, attention, (1, 2)), [[1, 0]])


def test_equal_patches_are_all_background(score):
    assert not score([[[1.0, 2.0]] * 6] * 2, [[0.1] * 6] * 2, (2, 3)).any()


def test_bad_threshold(tiny_vit):
    with pytest.raises(ValueError, match=r'`threshold` must be in \[-1, 1\), but got 2'):
        build_estimator('found', backbone=tiny_vit(), threshold=2)


def test_without_a_class_token(tiny_vit):
    vit = tiny_vit(with_cls_token=False, out_type='featmap')
    with pytest.raises(ValueError, match='no class token, whose attention Found reads'):
        build_estimator('found', backbone=vit)
