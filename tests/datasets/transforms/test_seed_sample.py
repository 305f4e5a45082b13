import random

import numpy as np
import pytest
import torch

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import SeedSample
from bgaug_mm.datasets.transforms.seed_sample import sample_seeds


def _draw() -> tuple[float, float, float]:
    return np.random.rand(), random.random(), torch.rand(1).item()


def test_a_sample_draws_the_same_whatever_was_drawn_before(stream) -> None:
    SAMPLE_STREAM.set(seed=5, epoch=2)
    seed = SeedSample()
    seed({'sample_idx': 9})
    first = _draw()
    _draw()
    seed({'sample_idx': np.int64(9)})
    assert _draw() == first


def test_seeds_epochs_and_samples_differ(stream) -> None:
    seed = SeedSample()
    draws = []
    for run, epoch, idx in np.ndindex(4, 4, 4):
        SAMPLE_STREAM.set(seed=run, epoch=epoch)
        seed({'sample_idx': idx})
        draws.append(_draw())
    for generator in zip(*draws, strict=True):
        assert len(set(generator)) == 64


def test_the_seeds_are_mixed_well() -> None:
    seeds = np.array([sample_seeds(0, 0, i)[0] for i in range(4096)], np.uint32)
    assert len(np.unique(seeds)) == 4096
    bits = (seeds[:, None] >> np.arange(32)) & 1
    # each bit is set in half of the seeds, and flips for half of the neighbours
    assert np.abs(bits.mean(0) - 0.5).max() < 0.05
    assert np.abs((bits[1:] != bits[:-1]).mean(0) - 0.5).max() < 0.05


@pytest.mark.parametrize('seed', [0, 2**31, 2**64 - 1])
def test_any_seed_of_a_run_fits(seed: int) -> None:
    for_numpy, for_random, for_torch = sample_seeds(seed, 10**6, 10**9)
    assert 0 <= for_numpy < 2**32
    assert 0 <= for_random < 2**64 and 0 <= for_torch < 2**64
    assert len({for_numpy, for_random, for_torch}) == 3


def test_nothing_happens_while_nobody_drives_the_stream(stream) -> None:
    SAMPLE_STREAM.set(seed=-1, epoch=3)
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    SeedSample()({})
    assert np.random.rand() == expected


def test_without_an_index(stream) -> None:
    SAMPLE_STREAM.set(seed=0, epoch=0)
    with pytest.raises(ValueError, match=r"needs the key `sample_idx`.*\['img_path'\]"):
        SeedSample()({'img_path': 'x'})
