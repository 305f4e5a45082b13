"""Several objects on one background: the images of a detection set.

Objects come from a world's pools, those of ``train`` and ``val`` from disjoint folds.
They stand in the image whole and are painted from the largest to the smallest; a later
one covers earlier ones. A pixel belongs to the last object that is at least half opaque
there, so masks and boxes are those of what is visible, exactly. An object that would
leave an earlier one less visible than ``min_visible`` is placed elsewhere, and after ten
attempts left out of the picture: nothing is seen that is not annotated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .composing import Fold, WorldSource, composite, correlated, paired_background
from .files import opaque_box
from .image_folders import resize_cutout
from .run_lengths import mask_box

#: Longest side below which an object cannot be told, in pixels.
LEAST_SIDE = 8
_ATTEMPTS = 10
# Streams of random numbers: another rho leaves the objects as they are.
_OBJECTS, _PLATE = 0, 1


@dataclass(frozen=True, kw_only=True)
class SceneOptions:
    """What scenes look like.

    Args:
        size: Side of the images in pixels, at least 32, which the pools must share.
        labels: Classes to take, as indices of the source's classes.
        objects: Least and largest number of objects that are drawn for a scene, uniformly.
        scale: Least and largest longest side of an object as a share of the image's,
            drawn log-uniformly: every doubling equally often.
        min_visible: Least share of an object's pixels that others leave visible, in
            (0, 1].
        rho: Probability that the background is the one that the class of the first
            drawn object is paired with, in [0, 1]; None: all backgrounds equally often.
        seed: Of all draws, and of the pairing. Not negative.

    Raises:
        ValueError: For options out of range.
    """

    size: int
    labels: Sequence[int]
    objects: tuple[int, int] = (1, 4)
    scale: tuple[float, float] = (0.1, 0.9)
    min_visible: float = 0.25
    rho: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 32:
            raise ValueError(f'`size` must be at least 32, but got {self.size}')
        least, most = self.objects
        if not 1 <= least <= most:
            raise ValueError(
                '`objects` must be two numbers, at least 1 and ascending, but got '
                f'{least} and {most}'
            )
        low, high = self.scale
        if not 0 < low <= high <= 1:
            raise ValueError(
                '`scale` must be two shares of the image in (0, 1], ascending, but got '
                f'{low} and {high}'
            )
        if low * self.size < LEAST_SIDE:
            raise ValueError(
                f'`scale` {low} of {self.size} pixels makes objects of {low * self.size:.3g} '
                f'pixels, of which nothing can be told; it must be at least '
                f'{LEAST_SIDE / self.size:.3g} at this size'
            )
        if not 0 < self.min_visible <= 1:
            raise ValueError(f'`min_visible` must be in (0, 1], but got {self.min_visible}')
        if self.rho is not None and not 0 <= self.rho <= 1:
            raise ValueError(f'`rho` must be in [0, 1], but got {self.rho}')
        if self.seed < 0:
            raise ValueError(f'`seed` must be at least 0, but got {self.seed}')


class SceneObject(NamedTuple):
    """An object as far as it is visible."""

    label: int  # index in the options' labels
    mask: NDArray[np.bool_]  # (S, S), what is visible
    visible: float  # share of its pixels that nothing covers

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels, the latter two exclusive."""
        return mask_box(self.mask)

    @property
    def area(self) -> int:
        """Visible pixels."""
        return int(self.mask.sum())


@dataclass(frozen=True)
class Scene:
    """An image and its objects, from back to front."""

    image: NDArray[np.uint8]  # (S, S, 3) RGB
    objects: Sequence[SceneObject]
    background: int  # index in the source's backgrounds


def compose_scene(source: WorldSource, fold: Fold, index: int, options: SceneOptions) -> Scene:
    """Compose a scene: a function of the source, the fold, the number and the options alone.

    Args:
        source: Objects and backgrounds of the options' size.
        fold: Which of the source's folds to draw from.
        index: Number of the scene.
        options: See :class:`SceneOptions`.
    """

    def stream(purpose: int) -> np.random.Generator:
        fold_number = {'train': 0, 'test': 1}[fold]
        return np.random.default_rng([options.seed, purpose, fold_number, index])

    rng = stream(_OBJECTS)
    least, most = options.objects
    chosen = rng.integers(len(options.labels), size=int(rng.integers(least, most + 1)))
    low, high = options.scale
    sides = options.size * low * (high / low) ** rng.random(len(chosen))
    cutouts = [
        _cutout(source, rng, fold, options.labels[label], side)
        for label, side in zip(chosen, sides, strict=True)
    ]
    order = np.argsort(-sides, kind='stable')
    canvas = _Canvas(options.size, options.min_visible)
    placed = [number for number in order if canvas.place(cutouts[number], rng)]

    rng = stream(_PLATE)
    paired = paired_background(source, options.labels[chosen[0]], options.seed)
    total = len(source.backgrounds)
    background = correlated(rng, paired, total, 1 / total if options.rho is None else options.rho)
    image = source.background(rng, fold, background)
    for cutout, corner in zip((cutouts[number] for number in placed), canvas.corners, strict=True):
        image = _painted(image, cutout, corner)
    objects = [
        SceneObject(int(chosen[number]), canvas.owner == k, canvas.visible[k] / canvas.full[k])
        for k, number in enumerate(placed)
    ]
    return Scene(image, objects, background)


def _cutout(
    source: WorldSource, rng: np.random.Generator, fold: Fold, label: int, side: float
) -> NDArray[np.uint8]:
    """An object of a class without its empty frame, RGBA, its longest side so long."""
    colour, mask = source.foreground(rng, fold, label)
    top, bottom, left, right = opaque_box(mask)
    return resize_cutout(np.dstack([colour, mask])[top:bottom, left:right], side)


def _region(cutout: NDArray[np.uint8], corner: tuple[int, int]) -> tuple[slice, slice]:
    (top, left), (height, width) = corner, cutout.shape[:2]
    return slice(top, top + height), slice(left, left + width)


def _painted(
    image: NDArray[np.uint8], cutout: NDArray[np.uint8], corner: tuple[int, int]
) -> NDArray[np.uint8]:
    painted = image.copy()
    region = _region(cutout, corner)
    painted[region] = composite(cutout[..., :3], cutout[..., 3], image[region])
    return painted


class _Canvas:
    """Which object every pixel belongs to, while objects are placed."""

    def __init__(self, size: int, min_visible: float) -> None:
        self.owner = np.full((size, size), -1)
        self.min_visible = min_visible
        self.corners: list[tuple[int, int]] = []
        self.full: list[int] = []  # pixels of each object
        self.visible: list[int] = []  # those that nothing covers

    def place(self, cutout: NDArray[np.uint8], rng: np.random.Generator) -> bool:
        """Find a place that leaves all objects visible enough; False when there is none."""
        solid = cutout[..., 3] >= 128
        if not solid.any():  # strokes may vanish when they are reduced
            return False
        room = np.subtract(self.owner.shape, solid.shape) + 1
        for corner in rng.integers(room, size=(_ATTEMPTS, 2)).tolist():
            region = _region(cutout, corner)
            covered = np.bincount(self.owner[region][solid] + 1, minlength=len(self.full) + 1)[1:]
            left = np.subtract(self.visible, covered)
            if (left < self.min_visible * np.array(self.full)).any():
                continue
            self.owner[region][solid] = len(self.full)
            self.visible = [*left.astype(int).tolist(), int(solid.sum())]
            self.full.append(int(solid.sum()))
            self.corners.append((corner[0], corner[1]))
            return True
        return False
