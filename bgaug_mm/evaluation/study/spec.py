"""What a study trains: worlds × methods × arms × seeds.

An arm is a way to train: the base, its control on a world without correlation, and the
base with a background operation, on exact or on spoilt masks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple


@dataclass(frozen=True, kw_only=True)
class World:
    """How a world is made.

    Attributes:
        make: Script in ``tools/dataset_converters`` with its arguments, in which
            ``{out}``, ``{seed}``, ``{rho}`` and ``{source}`` are filled in.
        rho: Class-background correlation of the worlds that are studied.
        uniform: The correlation of the control's worlds: 1 / number of backgrounds.
        source: Folder with the raw material, for makers that need one.
    """

    make: str
    rho: float = 0.9
    uniform: float
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Method:
    """A self-supervised method; its name and the world's name its config.

    Attributes:
        seeds: Number of seeds, counted from 0.
        epochs: Length of its trainings, if not the config's. The study's length overrides it.
        minutes: What one training takes on one core, until some have been timed.
    """

    seeds: int
    epochs: int | None = None
    minutes: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A way to train.

    Attributes:
        op: Background operation: a config, or the name of a file in
            ``configs/_base_/views``. None for none.
        prob: Its probability, if not the file's.
        matched_negatives: Whether MoCo gets background-matched negatives.
        masks: What is done to the masks, see
            :func:`~bgaug_mm.evaluation.study.masks.make_masks`. None: exact.
        uniform: Whether it trains and is probed on the control's world.
        epochs: 0 for random weights; None for the config's.
        methods: The methods it is for; None for all.
        late: Whether it is trained when all that is not late has been.
    """

    op: str | Mapping[str, Any] | None = None
    prob: float | None = None
    matched_negatives: bool = False
    masks: Mapping[str, Any] | None = None
    uniform: bool = False
    epochs: int | None = None
    methods: Sequence[str] | None = None
    late: bool = False


class Run(NamedTuple):
    """One training with its evaluation."""

    world: str
    method: str
    arm: str
    seed: int

    @property
    def name(self) -> str:
        """``world/method/arm/seed``."""
        return '/'.join(map(str, self))


@dataclass(frozen=True, kw_only=True)
class Study:
    """All that a study trains.

    Attributes:
        config: Config of a run, with ``{method}`` and ``{world}`` filled in: a path or
            ``package::path``.
        worlds, methods, arms: By name, in the order of the tables. The first arm is the
            base that the others are compared with.
        options: Changes to all configs, as ``--cfg-options``.
        epochs: Length of all trainings, if not the method's or the config's.
        title: Heading of the report.
    """

    config: str
    worlds: Mapping[str, World]
    methods: Mapping[str, Method]
    arms: Mapping[str, Arm]
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    title: str = 'Study'

    @property
    def base(self) -> str:
        """Name of the arm that the others are compared with."""
        return next(iter(self.arms))

    @property
    def control(self) -> str | None:
        """Name of the arm whose BG-Gap is subtracted."""
        return next((name for name, arm in self.arms.items() if arm.uniform), None)

    def runs(self, only: Sequence[str] = ()) -> list[Run]:
        """The runs in the order in which they are trained: comparisons complete early.

        Args:
            only: Patterns of names (``*``, ``?``), one of which must fit; a name that
                begins with a pattern and a slash fits too. Defaults to none: all.

        Raises:
            ValueError: If a pattern fits nothing.
        """
        found = [
            (arm.late, seed, Run(world, method, name, seed))
            for method, settings in self.methods.items()
            for world in self.worlds
            for name, arm in self.arms.items()
            if arm.methods is None or method in arm.methods
            for seed in range(settings.seeds)
        ]
        runs = [run for _, _, run in sorted(found, key=lambda entry: entry[:2])]
        for pattern in only:
            if not any(_fits(run, pattern) for run in runs):
                raise ValueError(
                    f'no run fits {pattern!r}; names are like {runs[0].name} (see --list)'
                )
        return [run for run in runs if not only or any(_fits(run, p) for p in only)]

    def quick(self) -> Study:
        """The same in minutes, to try it: small worlds, two epochs, two seeds at most."""
        small = '--per-class 64 --test-per-class 8'
        return replace(
            self,
            epochs=2,
            title=f'{self.title} (a trial, no result)',
            worlds={
                name: replace(world, make=f'{world.make} {small}')
                for name, world in self.worlds.items()
            },
            methods={
                name: replace(method, seeds=min(2, method.seeds), minutes=0.3)
                for name, method in self.methods.items()
            },
        )

    def with_sources(self, sources: Mapping[str, str]) -> Study:
        """With folders of raw material, by world.

        Raises:
            ValueError: For a folder that is not there or a world that is not in the study.
        """
        for name, source in sources.items():
            if name not in self.worlds:
                raise ValueError(f'`--source {name}=…`: the worlds are {", ".join(self.worlds)}')
            if not os.path.isdir(source):
                raise ValueError(f'`--source {name}={source}`: there is no such folder')
        worlds = {
            name: replace(world, source=os.path.abspath(sources[name]))
            if name in sources
            else world
            for name, world in self.worlds.items()
        }
        return replace(self, worlds=worlds)


def _fits(run: Run, pattern: str) -> bool:
    return fnmatchcase(run.name, pattern) or fnmatchcase(run.name, f'{pattern.rstrip("/")}/*')
