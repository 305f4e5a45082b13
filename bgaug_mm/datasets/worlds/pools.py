"""Where a world's objects and backgrounds come from: two pools make a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .composing import Fold


class _Pool(Protocol):
    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes."""
        ...

    @property
    def folds(self) -> Mapping[Fold, Mapping[str, Sequence[str]]]:
        """Fold → class → names of what is drawn from; the two folds share nothing."""
        ...

    @property
    def recorded(self) -> Mapping[str, Any]:
        """Options and digests that decide what is drawn, for the manifest."""
        ...


class ObjectPool(_Pool, Protocol):
    """Objects by class."""

    def draw(
        self, rng: np.random.Generator, fold: Fold, label: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """An object: colours (S, S, 3) RGB and soft mask (S, S), 255 = object."""
        ...


class PlatePool(_Pool, Protocol):
    """Backgrounds by class."""

    def draw(self, rng: np.random.Generator, fold: Fold, label: int) -> NDArray[np.uint8]:
        """A plate (S, S, 3), RGB."""
        ...


@dataclass(frozen=True)
class PooledSource:
    """Objects from one pool, backgrounds from another (a ``WorldSource``)."""

    objects: ObjectPool
    plates: PlatePool

    @property
    def classes(self) -> Sequence[str]:
        """Classes of the objects."""
        return self.objects.classes

    @property
    def backgrounds(self) -> Sequence[str]:
        """Classes of the backgrounds."""
        return self.plates.classes

    def foreground(
        self, rng: np.random.Generator, fold: Fold, label: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """An object and its mask."""
        return self.objects.draw(rng, fold, label)

    def background(
        self, rng: np.random.Generator, fold: Fold, background: int
    ) -> NDArray[np.uint8]:
        """A plate."""
        return self.plates.draw(rng, fold, background)
