"""A probability that changes over the training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TYPES = ('constant', 'linear', 'cosine')


@dataclass(frozen=True, kw_only=True)
class ProbSchedule:
    """A probability as a function of the training's progress.

    ``start`` up to the share ``begin`` of the training, ``end`` from ``until`` on, and in
    between a straight line or half a cosine wave. (ForAug schedules its probability;
    shapes and defaults are our choice.)

    The progress is ``SAMPLE_STREAM.progress``, which
    :class:`~bgaug_mm.engine.hooks.SampleSeedHook` writes: finished epochs over all
    epochs, so that a resumed run goes on where it stopped. Without the hook it is 0.

    Args:
        type (str): ``'constant'``, ``'linear'`` or ``'cosine'``.
        start (float): In [0, 1].
        end (float, optional): In [0, 1]; needed unless constant.
        begin (float): Share of the training, in [0, 1]. Defaults to 0.0.
        until (float): Share of the training, in [``begin``, 1]; equal to ``begin`` it
            makes a step. Defaults to 1.0.

    Raises:
        ValueError: For options out of range.
    """

    type: str
    start: float
    end: float | None = None
    begin: float = 0.0
    until: float = 1.0

    def __post_init__(self) -> None:
        if self.type not in _TYPES:
            raise ValueError(f'`prob.type` must be one of {_TYPES}, but got {self.type!r}')
        if self.type == 'constant':
            if self.end not in (None, self.start):
                raise ValueError(f'a constant `prob` has no `end`, but got {self.end}')
        elif self.end is None:
            raise ValueError(f'`prob` of type {self.type!r} needs `end`')
        for name in ('start', 'end'):
            value = getattr(self, name)
            if name == 'end' and value is None:
                continue
            if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                # a constant is what the user wrote as a plain number
                where = 'prob' if self.type == 'constant' else f'prob.{name}'
                raise ValueError(f'`{where}` must be in [0, 1], but got {value!r}')
        if not 0 <= self.begin <= self.until <= 1:
            raise ValueError(
                '`prob.begin` and `prob.until` must be shares of the training with '
                f'0 <= begin <= until <= 1, but got {self.begin} and {self.until}'
            )

    @classmethod
    def of(cls, prob: float | Mapping[str, Any] | ProbSchedule) -> ProbSchedule:
        """From a number or a config."""
        if isinstance(prob, ProbSchedule):
            return prob
        if not isinstance(prob, Mapping):
            return cls(type='constant', start=prob)
        fields = list(cls.__dataclass_fields__)
        if not {'type', 'start'} <= set(prob) <= set(fields):
            raise ValueError(
                f'`prob` must be a number or a dict of {", ".join(fields)} (the first two are '
                f'needed), but got {dict(prob)}'
            )
        return cls(**prob)

    def at(self, progress: float) -> float:
        """The probability at a progress in [0, 1]."""
        if self.end is None or progress < self.begin:
            return self.start
        if progress >= self.until:
            return self.end
        share = (progress - self.begin) / (self.until - self.begin)
        if self.type == 'cosine':
            share = (1 - math.cos(math.pi * share)) / 2
        return self.start + (self.end - self.start) * share

    def __repr__(self) -> str:
        if self.end is None:
            return repr(self.start)
        return f'{self.type}({self.start} to {self.end}, from {self.begin} until {self.until})'
