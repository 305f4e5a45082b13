"""Contrast to the border against a loop over positions, and by hand."""

import numpy as np
import pytest
import torch

from bgaug_mm.models.saliency.border_contrast import border_contrast


def naive(features: np.ndarray, share: float, limit: float) -> np.ndarray:
    result = np.empty_like(features)
    height, width = features.shape[-2:]
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    inside = np.zeros((height, width), bool)
    inside[rows:-rows, columns:-columns] = True
    for index in np.ndindex(features.shape[:2]):
        band = features[index][~inside]
        distance = np.abs(features[index] - band.mean()) / np.sqrt(band.var() + 0.05)
        result[index] = np.minimum(distance, limit)
    return result


@pytest.mark.parametrize('shape', [(20, 20), (7, 12), (4, 3)])
@pytest.mark.parametrize('share', [0.1, 0.25])
def test_is_the_distance_to_the_border_in_deviations(shape, share) -> None:
    features = np.random.default_rng(0).normal(2, 3, (2, 3, *shape)).astype(np.float32)
    found = border_contrast(torch.from_numpy(features), share=share, limit=2.0)
    np.testing.assert_allclose(found, naive(features, share, 2.0), rtol=1e-4, atol=1e-5)


def test_an_object_on_even_ground_stands_out_whatever_the_ground() -> None:
    features = torch.zeros(2, 1, 10, 10)
    features[1] += 7
    features[:, :, 4:6, 4:6] += 1
    found = border_contrast(features)
    assert (found[:, :, 4:6, 4:6] - 1 / 0.05**0.5).abs().max() < 1e-4
    assert found.sum() == pytest.approx(8 / 0.05**0.5)


def test_a_single_position_is_its_own_border() -> None:
    assert border_contrast(torch.full((1, 2, 1, 1), 5.0)).abs().max() == 0
