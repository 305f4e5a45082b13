"""The cut against numpy's dense eigensolver, and on graphs whose cut is known."""

import numpy as np
import pytest
import torch

from bgaug_mm.saliency import build_estimator
from bgaug_mm.saliency.tokencut import foreground, second_eigenvector
from bgaug_mm.saliency.vit_features import PatchFeatures


@pytest.fixture
def cut(tiny_vit):
    """Patches with the given keys (h, w, dims) on two heads -> saliency."""

    def run(keys, **options):
        keys = torch.as_tensor(np.asarray(keys, np.float32))
        height, width = keys.shape[:2]
        heads = keys.reshape(height * width, 2, -1).permute(1, 0, 2)
        features = PatchFeatures(heads, torch.zeros(2, height * width), (height, width))
        return build_estimator('tokencut', backbone=tiny_vit(), **options).score(features)

    return run


def blocks(front, ground=(1.0, 0, 0, 0), thing=(0, 0, 1.0, 0), noise=0.1):
    keys = np.where(np.asarray(front)[..., None], thing, ground)
    return keys + noise * np.random.default_rng(0).standard_normal(keys.shape)


@pytest.mark.parametrize('seed', range(3))
def test_second_eigenvector_against_the_generalised_problem(seed):
    weights = np.random.default_rng(seed).random((12, 12))
    weights += weights.T
    degree = np.diag(weights.sum(axis=1))
    values, vectors = np.linalg.eig(np.linalg.inv(degree) @ (degree - weights))
    expected = vectors[:, np.argsort(values.real)[1]].real
    result = second_eigenvector(weights)
    assert abs(expected @ result) == pytest.approx(
        np.linalg.norm(expected) * np.linalg.norm(result)
    )


def test_second_eigenvector_of_two_blocks_has_two_values():
    weights = np.full((7, 7), 1e-5)
    weights[:3, :3] = weights[3:, 3:] = 1
    vector = second_eigenvector(weights)
    assert np.ptp(vector[:3]) < 1e-9 and np.ptp(vector[3:]) < 1e-9
    # orthogonal to the constant in the metric of the degrees 3 and 4 (nearly)
    assert vector[0] * 9 + vector[3] * 16 == pytest.approx(0, abs=1e-3)


def test_a_thing_in_the_middle_is_in_front(cut):
    front = np.zeros((6, 8), bool)
    front[2:4, 3:6] = True
    np.testing.assert_array_equal(cut(blocks(front)), front)


def test_a_thing_larger_than_its_ground_is_in_front_too(cut):
    """The ground is the smaller side, with the larger entries, but holds the corners."""
    front = np.ones((8, 8), bool)
    front[[0, -1]] = front[:, [0, -1]] = False
    np.testing.assert_array_equal(cut(blocks(front, noise=0)), front)


def test_only_what_is_connected_with_the_seed_remains(cut):
    front = np.zeros((6, 8), bool)
    front[1:4, 1:4] = front[4, 6] = True
    keys = blocks(front, noise=0)
    assert cut(keys, connected=False).sum() == 10
    result = cut(keys)
    assert result.sum() in (1, 9)  # the entries are equal: the first one is the seed
    assert result[2, 2] == 1 and result[4, 6] == 0


def test_a_graph_without_structure_has_nothing_in_front(cut):
    assert not cut(np.ones((4, 5, 4))).any()  # all alike
    assert not cut(np.ones((1, 1, 4))).any()
    assert not cut(np.eye(4).reshape(2, 2, 4)).any()  # all different


def test_tau_decides_what_is_alike(cut):
    front = np.zeros((6, 8), bool)
    front[2:4, 3:6] = True
    keys = blocks(front, thing=(1.0, 0, 1.0, 0), noise=0)  # cosine 0.71 to the ground
    assert not cut(keys).any()
    np.testing.assert_array_equal(cut(keys, tau=0.8), front)


def test_foreground_by_hand():
    vector = np.array([[-1.0, -1, -1], [-1, 5, -1], [-1, -1, 4]])
    expected = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], bool)
    np.testing.assert_array_equal(foreground(vector), expected)
    np.testing.assert_array_equal(foreground(-vector), expected)
    assert foreground(vector, connected=False)[2, 2]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(tau=1), '`tau` must be in [-1, 1), but got 1'),
        (dict(epsilon=0), '`epsilon` must be in (0, 1), but got 0'),
    ],
)
def test_bad_options(tiny_vit, options, message):
    with pytest.raises(ValueError) as error:
        build_estimator('tokencut', backbone=tiny_vit(), **options)
    assert message in str(error.value)
