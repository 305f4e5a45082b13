"""Magnitudes as mmpretrain's transforms draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Magnitude:
    """A fixed value, or one from a range at a level that is fixed or drawn.

    The arguments of mmpretrain's ``BaseAugTransform`` and what they mean there.

    Args:
        fixed (float, optional): The value itself.
        range (tuple[float, float], optional): Values at level 0 and at ``total_level``.
        level (float): The level. Defaults to 10.
        std (float | str): 'inf': the level is uniform in [0, ``level``]; above 0: normal
            around ``level`` with this deviation, clipped to [0, ``total_level``]; else
            ``level``. Defaults to 0.
        total_level (float): Above 0. Defaults to 10.
        name (str): Of ``fixed``, for messages.

    Raises:
        ValueError: Unless exactly one of ``fixed`` and ``range`` is given; for a
            ``total_level`` or ``std`` that is none.
    """

    fixed: float | None = None
    range: tuple[float, float] | None = None
    level: float = 10
    std: float | str = 0.0
    total_level: float = 10
    name: str = 'value'

    def __post_init__(self) -> None:
        if (self.fixed is None) == (self.range is None):
            raise ValueError(
                f'give one of `{self.name}` and `magnitude_range`, but got {self.fixed} and '
                f'{self.range}'
            )
        if self.range is not None and len(self.range) != 2:
            raise ValueError(f'`magnitude_range` must be two numbers, but got {self.range}')
        if self.total_level <= 0:
            raise ValueError(f'`total_level` must be above 0, but got {self.total_level}')
        if isinstance(self.std, str) and self.std != 'inf':
            raise ValueError(f"`magnitude_std` must be a number or 'inf', but got {self.std!r}")

    def draw(self) -> float:
        """The value; draws from ``np.random`` where it is random."""
        if self.range is None:
            return float(self.fixed or 0)
        level = self.level
        if isinstance(self.std, str):
            level = float(np.random.uniform(0, level))
        elif self.std > 0:
            level = float(np.clip(np.random.normal(level, self.std), 0, self.total_level))
        low, high = self.range
        return level / self.total_level * (high - low) + low

    def __str__(self) -> str:
        if self.range is None:
            return f'{self.name}={self.fixed}'
        return (
            f'magnitude_range={self.range}, magnitude_level={self.level}, '
            f'magnitude_std={self.std}, total_level={self.total_level}'
        )
