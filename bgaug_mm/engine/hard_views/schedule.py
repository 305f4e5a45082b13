"""When views are selected, and for how many samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

#: Keeps these random numbers apart from others of the same seed, iteration and rank.
_STREAM = 0x48565


@dataclass(frozen=True)
class Schedule:
    """Functions of the iteration, so that nothing is to be restored when a run is resumed.

    Args:
        begin (int): First unit (epoch or iteration) with selection.
        end (int, optional): First one without again.
        warmup (int): Units over which the share of hard samples rises linearly from
            ``begin`` on.
        every_n_iters (int): Select in every n-th iteration, from ``begin``.
        mix (float): Share of the samples that stay random after the warm-up.
    """

    begin: int = 0
    end: int | None = None
    warmup: int = 0
    every_n_iters: int = 1
    mix: float = 0.0

    def __post_init__(self) -> None:
        """Raise a ValueError for an option that is out of range."""
        check_integer('begin', self.begin, 0)
        if self.end is not None:
            check_integer('end', self.end, self.begin + 1)
        check_integer('warmup', self.warmup, 0)
        check_integer('every_n_iters', self.every_n_iters, 1)
        if not 0 <= self.mix <= 1:
            raise ValueError(f'`mix` must be in [0, 1], but got {self.mix}')

    def share(self, iteration: int, unit: int) -> float:
        """Expected share of the samples that get hard views.

        Args:
            iteration (int): From 0, over all epochs.
            unit (int): Iterations an epoch, or 1 to count iterations.

        Returns:
            float: In [0, 1 - mix]; 0 in iterations without selection.
        """
        since = iteration - self.begin * unit
        ended = self.end is not None and iteration >= self.end * unit
        if since < 0 or ended or since % self.every_n_iters:
            return 0.0
        rise = min(1.0, (since + 1) / (self.warmup * unit)) if self.warmup else 1.0
        return (1 - self.mix) * rise


def iteration_generator(seed: int, iteration: int, rank: int) -> torch.Generator:
    """Random numbers of an iteration, on the CPU, whatever was drawn elsewhere."""
    entropy = np.random.SeedSequence((seed, iteration, rank, _STREAM))
    return torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))


def check_integer(name: str, value: object, least: int) -> None:
    """Raise a ValueError unless the option is an integer from ``least``."""
    if not isinstance(value, int) or value < least:
        raise ValueError(f'`{name}` must be an integer from {least}, but got {value!r}')
