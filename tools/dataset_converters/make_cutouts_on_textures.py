#!/usr/bin/env python
"""Make a world of photographic cut-outs on textures.

Takes a folder ``cutouts/<class>/*.png`` (RGBA, alpha is the object's mask) and
``textures/<class>/*.jpg``. Folds share no cut-out and no texture file: 65 % of
either train.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.datasets.worlds import (  # noqa: E402
    Fold,
    add_world_options,
    background_crop,
    make_world,
    opaque_box,
    read_rgb,
    read_rgba,
    split_items,
)

_SUFFIXES = {'.png', '.jpg', '.jpeg'}


def class_files(folder: Path) -> dict[str, list[Path]]:
    """Image files by class, both sorted by name.

    Raises:
        ValueError: When the folder is absent, or holds fewer than two classes
            of two images.
    """
    expected = (
        'expected <folder>/cutouts/<class>/*.png and <folder>/textures/<class>/*.jpg with at '
        'least two classes of two images each'
    )
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


class CutoutsOnTextures:
    """Cut-outs as objects, textures as backgrounds (a ``WorldSource``).

    Args:
        root: Folder with ``cutouts`` and ``textures``.
        size: Side of the images in pixels.
        seed: Draws the split of the files.
    """

    def __init__(self, root: Path, *, size: int, seed: int) -> None:
        self.size = size
        digest = hashlib.sha256()

        def load(
            kind: int, folder: Path, read: Callable[[Path], NDArray[np.uint8]]
        ) -> tuple[list[str], dict[Fold, list[list[NDArray[np.uint8]]]]]:
            pools: dict[Fold, list[list[NDArray[np.uint8]]]] = {'train': [], 'test': []}
            files = class_files(folder)
            for label, members in enumerate(files.values()):
                train, test = split_items(members, np.random.default_rng([seed, kind, label]))
                pools['train'].append([read(path) for path in train])
                pools['test'].append([read(path) for path in test])
                for path in members:
                    digest.update(f'{folder.name}/{path.parent.name}/{path.name}'.encode())
                    digest.update(path.read_bytes())
            return list(files), pools

        self.classes, self._cutouts = load(0, root / 'cutouts', read_cutout)
        self.backgrounds, self._textures = load(1, root / 'textures', read_rgb)
        self.sha256 = digest.hexdigest()

    def foreground(
        self, rng: np.random.Generator, fold: Fold, label: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A cut-out somewhere in the image, mirrored half of the time."""
        pool = self._cutouts[fold][label]
        cutout = pool[int(rng.integers(len(pool)))]
        if rng.random() < 0.5:
            cutout = np.ascontiguousarray(cutout[:, ::-1])
        longest = self.size * rng.uniform(0.65, 0.95)
        height, width = (
            max(1, round(longest * side / max(cutout.shape[:2]))) for side in cutout.shape[:2]
        )
        top = int(rng.integers(self.size - height + 1))
        left = int(rng.integers(self.size - width + 1))
        # Pillow weighs colours by alpha when it resizes RGBA, so what lies hidden under
        # alpha 0 makes no seam; a filter without overshoot makes none either.
        resized = Image.fromarray(cutout).resize((width, height), Image.Resampling.BILINEAR)
        canvas = np.zeros((self.size, self.size, 4), np.uint8)
        canvas[top : top + height, left : left + width] = np.asarray(resized)
        return canvas[..., :3], canvas[..., 3]

    def background(
        self, rng: np.random.Generator, fold: Fold, background: int
    ) -> NDArray[np.uint8]:
        """A random square of one of this fold's texture files."""
        pool = self._textures[fold][background]
        texture = pool[int(rng.integers(len(pool)))]
        return background_crop(texture, rng, size=self.size, scale=(0.4, 1.0))


def read_cutout(path: Path) -> NDArray[np.uint8]:
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


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='folder with cutouts/ and textures/')
    add_world_options(parser, per_class=400, test_per_class=80)
    args = parser.parse_args(argv)
    make_world(
        'make_cutouts_on_textures',
        args,
        lambda: CutoutsOnTextures(args.source, size=args.size, seed=args.seed),
        recorded=lambda source: {'source_sha256': source.sha256},
    )


if __name__ == '__main__':
    main()
