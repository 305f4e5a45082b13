"""Give every sample a random stream of its own."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from bgaug_mm.registry import TRANSFORMS

from ..sample_stream import SAMPLE_STREAM

_MASK = (1 << 64) - 1


def _mix(value: int) -> int:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): 64 bits to 64 bits."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def sample_seeds(seed: int, epoch: int, sample_idx: int) -> tuple[int, int, int]:
    """Three independent seeds for one sample in one epoch of one run.

    Returns:
        tuple[int, int, int]: For ``np.random`` (32 bits), ``random`` and torch (64
        bits each).
    """
    first = _mix(_mix(_mix(seed) ^ epoch) ^ sample_idx)
    second = _mix(first)
    return first >> 32, second, _mix(second)


@TRANSFORMS.register_module()
class SeedSample(BaseTransform):
    """Seed the generators from (seed of the run, epoch, index of the sample).

    Put it first in the pipeline and ``bgaug_mm.SampleSeedHook`` into
    ``default_hooks.sampler_seed``: then what is drawn for a sample depends neither
    on the number of workers nor on where a run was resumed, and no two epochs draw
    the same. (mmengine seeds a worker once, at its start: without persistent
    workers each epoch repeats the one before, with them a resumed run starts its
    streams over.)

    Seeds ``np.random``, ``random`` and torch's default CPU generator of the process
    the pipeline runs in. Does nothing while no hook drives the stream. Costs about
    15 µs a sample.

    Required Keys:

    - sample_idx

    Modified Keys:

    - (none)

    Added Keys:

    - (none)

    Raises:
        ValueError: If the results hold no ``sample_idx`` (mmengine's BaseDataset
            and all that derive from it add it).
    """

    def __init__(self) -> None:
        # a reference, so that a spawned worker shares the main process's stream
        self.stream = SAMPLE_STREAM

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Seed the generators; the results pass through untouched."""
        seed = self.stream.seed
        if seed < 0:
            return results
        if 'sample_idx' not in results:
            raise ValueError(
                '`SeedSample` needs the key `sample_idx`, but the results have only '
                f'{sorted(results)}; put it first in the pipeline of a dataset that '
                'derives from mmengine.dataset.BaseDataset'
            )
        for_numpy, for_random, for_torch = sample_seeds(
            seed, self.stream.epoch, int(results['sample_idx'])
        )
        np.random.seed(for_numpy)
        random.seed(for_random)
        # not torch.manual_seed: that one also queues a seed for CUDA
        torch.default_generator.manual_seed(for_torch)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
