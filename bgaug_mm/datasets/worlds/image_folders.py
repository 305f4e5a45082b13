"""Objects and backgrounds from folders of cut-outs and of photographs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .composing import Fold
from .files import background_crop, opaque_box, read_rgb, read_rgba, split_items

Pixels = NDArray[np.uint8]

_SUFFIXES = {'.png', '.jpg', '.jpeg'}
_CACHE = 2**28  # bytes of decoded images kept
# Objects and backgrounds are split by streams of their own.
OBJECTS, PLATES = 0, 1


def class_files(folder: Path) -> dict[str, list[Path]]:
    """Image files by class, both sorted by name.

    Raises:
        ValueError: When the folder is absent, or holds fewer than two classes
            of two images.
    """
    expected = 'expected <class>/*.png or *.jpg there, at least two classes of two images each'
    if not folder.is_dir():
        raise ValueError(f'no folder {folder}; {expected}')
    files = {
        entry.name: sorted(p for p in entry.iterdir() if p.suffix.lower() in _SUFFIXES)
        for entry in sorted(folder.iterdir())
        if entry.is_dir()
    }
    small = [name for name, members in files.items() if len(members) < 2]
    if len(files) < 2 or small:
        raise ValueError(
            f'{folder} has {len(files)} classes'
            + (f', of which {", ".join(small)} have fewer than two images' if small else '')
            + f'; {expected}'
        )
    return files


def split_files(folder: Path, *, seed: int, kind: int) -> dict[Fold, dict[str, list[Path]]]:
    """Files by fold and class, in an order that the seed draws: 65 % of each class train."""
    folds: dict[Fold, dict[str, list[Path]]] = {'train': {}, 'test': {}}
    for label, (name, members) in enumerate(class_files(folder).items()):
        train, test = split_items(members, np.random.default_rng([seed, kind, label]))
        folds['train'][name], folds['test'][name] = train, test
    return folds


def file_digest(files: Sequence[Path]) -> str:
    """SHA-256 over the last three parts of the paths and the files' bytes."""
    digest = hashlib.sha256()
    for path in files:
        digest.update('/'.join(path.parts[-3:]).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cached(read: Callable[[Path], Pixels], first: Path) -> Callable[[Path], Pixels]:
    """The function with a memory: for as many images like the first as fit into 256 MB."""
    return lru_cache(maxsize=max(1, _CACHE // read(first).nbytes))(read)


class _Files:
    """Files split in two folds, each read once at the start, so that bad ones are named early.

    Args:
        folder: ``<class>/*.png`` or ``*.jpg``.
        kind: ``OBJECTS`` or ``PLATES``.
        read: Reads a file.
        size: Side of the images in pixels.
        seed: Draws the split.
        limit: Take so many files of a class in each fold; None takes all.
    """

    def __init__(
        self,
        folder: Path,
        kind: int,
        read: Callable[[Path], Pixels],
        *,
        size: int,
        seed: int,
        limit: int | None = None,
    ) -> None:
        self.size = size
        parts = split_files(folder, seed=seed, kind=kind)
        self.classes = list(parts['train'])
        self.paths: dict[Fold, list[list[Path]]] = {
            fold: [members[:limit] for members in classes.values()]
            for fold, classes in parts.items()
        }
        #: All that are used, by name.
        self.files = sorted(p for part in self.paths.values() for some in part for p in some)
        self.folds: dict[Fold, dict[str, list[str]]] = {
            fold: {
                name: sorted(path.name for path in members)
                for name, members in zip(self.classes, classes, strict=True)
            }
            for fold, classes in self.paths.items()
        }
        self._read = cached(read, self.files[0])
        for path in self.files:
            self._read(path)

    @property
    def recorded(self) -> Mapping[str, Any]:
        """What the manifest keeps."""
        return {'sha256': file_digest(self.files)}

    def _pick(self, rng: np.random.Generator, fold: Fold, label: int) -> Pixels:
        pool = self.paths[fold][label]
        return self._read(pool[int(rng.integers(len(pool)))])


class Cutouts(_Files):
    """RGBA cut-outs ``<class>/*.png``, alpha being the mask (an ``ObjectPool``)."""

    def __init__(self, folder: Path, *, size: int, seed: int, limit: int | None = None) -> None:
        super().__init__(folder, OBJECTS, read_cutout, size=size, seed=seed, limit=limit)

    def draw(self, rng: np.random.Generator, fold: Fold, label: int) -> tuple[Pixels, Pixels]:
        """A cut-out somewhere in the image, mirrored half of the time."""
        return place(self._pick(rng, fold, label), rng, size=self.size)


class Textures(_Files):
    """Photographs ``<class>/*.jpg`` as backgrounds (a ``PlatePool``)."""

    def __init__(self, folder: Path, *, size: int, seed: int, limit: int | None = None) -> None:
        super().__init__(folder, PLATES, read_rgb, size=size, seed=seed, limit=limit)

    def draw(self, rng: np.random.Generator, fold: Fold, label: int) -> Pixels:
        """A random square of one of this fold's files."""
        return background_crop(self._pick(rng, fold, label), rng, size=self.size, scale=(0.4, 1.0))


def read_cutout(path: Path) -> Pixels:
    """Read an RGBA cut-out and trim its transparent frame.

    Raises:
        ValueError: When the file has no object or no background.
    """
    cutout = read_rgba(path)
    try:
        top, bottom, left, right = opaque_box(cutout[..., 3])
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    if (cutout[..., 3] == 255).all():
        raise ValueError(f'{path} is opaque everywhere; a cut-out needs an alpha channel')
    return cutout[top:bottom, left:right]


def place(cutout: Pixels, rng: np.random.Generator, *, size: int) -> tuple[Pixels, Pixels]:
    """A cut-out at a random place, mirrored half of the time.

    Its longest side becomes 65 to 95 % of the image's.

    Args:
        cutout: (H, W, 4) RGBA.
        rng: Draws mirroring, size and place.
        size: Side of the result in pixels.

    Returns:
        Colours (size, size, 3) and mask (size, size).
    """
    if rng.random() < 0.5:
        cutout = np.ascontiguousarray(cutout[:, ::-1])
    resized = resize_cutout(cutout, size * rng.uniform(0.65, 0.95))
    height, width = resized.shape[:2]
    top = int(rng.integers(size - height + 1))
    left = int(rng.integers(size - width + 1))
    canvas = np.zeros((size, size, 4), np.uint8)
    canvas[top : top + height, left : left + width] = resized
    return canvas[..., :3], canvas[..., 3]


def resize_cutout(cutout: Pixels, longest: float) -> Pixels:
    """A cut-out (H, W, 4) RGBA with a longest side of so many pixels, as a new array."""
    height, width = (
        max(1, round(longest * side / max(cutout.shape[:2]))) for side in cutout.shape[:2]
    )
    # Pillow weighs colours by alpha when it resizes RGBA, so what lies hidden under
    # alpha 0 makes no seam; a filter without overshoot makes none either.
    resized = Image.fromarray(cutout).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.uint8)
