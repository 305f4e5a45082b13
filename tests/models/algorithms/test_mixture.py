"""Drawn mixtures and what they make of two batches."""

import numpy as np
import pytest
import torch

from bgaug_mm.models.algorithms.mixture import Mixture


def batches(size: tuple[int, int] = (6, 8)):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(3, 3, *size, generator=generator) for _ in range(2)]


def test_global_mixture():
    first, second = batches()
    mixed = Mixture(0.25).apply(first, second)
    np.testing.assert_allclose(mixed, 0.25 * first.numpy() + 0.75 * second.numpy(), atol=1e-6)


def test_region():
    first, second = batches()
    kept = first.clone()
    mixed = Mixture(0.5, (1, 2, 5, 6)).apply(first, second)
    for y in range(6):
        for x in range(8):
            source = second if 1 <= x < 5 and 2 <= y < 6 else first
            assert torch.equal(mixed[:, :, y, x], source[:, :, y, x])
    assert torch.equal(first, kept)


@pytest.mark.parametrize('size', [(32, 32), (20, 48), (1, 1)])
def test_share_of_a_region_is_its_area(size):
    """Also where the border cuts it, so that the loss' weights are those of the pixels."""
    np.random.seed(0)
    ones, zeros = torch.ones(1, 1, *size), torch.zeros(1, 1, *size)
    for _ in range(50):
        drawn = Mixture.draw(size, alpha=1.0, region_prob=1.0)
        assert drawn.apply(ones, zeros).mean().item() == pytest.approx(drawn.share, abs=1e-6)
        assert drawn.box is not None and 0 <= drawn.share <= 1


def test_draws():
    np.random.seed(0)
    drawn = [Mixture.draw((32, 32), alpha=0.5, region_prob=0.3) for _ in range(4000)]
    regions = [m for m in drawn if m.box is not None]
    assert len(regions) / 4000 == pytest.approx(0.3, abs=0.03)
    shares = np.array([m.share for m in drawn if m.box is None])
    # Beta(α, α): mean 1/2, variance 1 / (4 (2α + 1))
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
    assert shares.var() == pytest.approx(1 / 8, abs=0.01)
    np.random.seed(0)
    assert drawn[:5] == [Mixture.draw((32, 32), alpha=0.5, region_prob=0.3) for _ in range(5)]
