#!/usr/bin/env python
"""Make a small world, handwritten digits on photos, without any download.

Digits and photos come from files inside the scikit-learn and scikit-image
wheels. Digits are drawn with light strokes; each digit has a photo it mostly
appears on (option ``--rho``). Folds share no digit and no part of a photo:
65 % of the digits and the left 62 % of each photo train.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
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
    read_rgb,
    split_items,
)

# Read from the packages' folders: skimage.data.* may want to download.
_PHOTOS = {
    'brick': ('skimage', 'data/brick.png'),
    'grass': ('skimage', 'data/grass.png'),
    'gravel': ('skimage', 'data/gravel.png'),
    'coffee': ('skimage', 'data/coffee.png'),
    'chelsea': ('skimage', 'data/chelsea.png'),
    'hubble_deep_field': ('skimage', 'data/hubble_deep_field.jpg'),
    'ihc': ('skimage', 'data/ihc.png'),
    'motorcycle_left': ('skimage', 'data/motorcycle_left.png'),
    'china': ('sklearn', 'datasets/images/china.jpg'),
    'flower': ('sklearn', 'datasets/images/flower.jpg'),
}
_PIP_NAMES = {'skimage': 'scikit-image', 'sklearn': 'scikit-learn'}
_LEFT = 0.62


def wheel_file(package: str, relative: str) -> Path:
    """Path of a file inside an installed package, without importing it.

    Raises:
        FileNotFoundError: When the package or the file is missing, with the
            install command.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f'{_PIP_NAMES[package]} is not installed; pip install {_PIP_NAMES[package]}'
        )
    path = Path(spec.origin).parent / relative
    if not path.is_file():
        raise FileNotFoundError(
            f'this version of {_PIP_NAMES[package]} has no {relative} (looked at {path}); '
            f'pip install -U {_PIP_NAMES[package]}'
        )
    return path


class DigitsOnPhotos:
    """Handwritten digits as objects, photos as backgrounds (a ``WorldSource``).

    Args:
        size: Side of the images in pixels.
        seed: Draws the split of the digits.
    """

    def __init__(self, *, size: int, seed: int) -> None:
        from sklearn.datasets import load_digits

        self.size = size
        self.classes = [str(digit) for digit in range(10)]
        self.backgrounds = list(_PHOTOS)
        data = load_digits()
        images = np.clip(data.images / 16, 0, 1).astype(np.float32)  # (1797, 8, 8)
        self._digits: dict[Fold, list[NDArray[np.float32]]] = {'train': [], 'test': []}
        for digit in range(10):
            own = np.flatnonzero(data.target == digit)
            folds = split_items(own, np.random.default_rng([seed, digit]))
            for fold, members in zip(('train', 'test'), folds, strict=True):
                self._digits[fold].append(images[members])  # type: ignore[index]
        self._photos: dict[Fold, list[NDArray[np.uint8]]] = {'train': [], 'test': []}
        for package, relative in _PHOTOS.values():
            photo = read_rgb(wheel_file(package, relative))
            cut = round(_LEFT * photo.shape[1])
            self._photos['train'].append(photo[:, :cut])
            self._photos['test'].append(photo[:, cut:])

    def foreground(
        self, rng: np.random.Generator, fold: Fold, label: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A digit somewhere in the image, in one light colour."""
        pool = self._digits[fold][label]
        digit = pool[int(rng.integers(len(pool)))]
        colour = rng.integers(190, 256, 3)
        side = round(self.size * rng.uniform(0.65, 0.95))
        top, left = (int(value) for value in rng.integers(0, self.size - side + 1, 2))
        smooth = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
        mask = np.zeros((self.size, self.size), np.uint8)
        # A steeper slope through the middle: 8x8 pixels alone give a blur, not a stroke.
        stroke = np.clip((smooth - 0.5) * 2.5 + 0.5, 0, 1)
        mask[top : top + side, left : left + side] = np.rint(255 * stroke)
        image = np.broadcast_to(colour.astype(np.uint8), (*mask.shape, 3))
        return image, mask

    def background(
        self, rng: np.random.Generator, fold: Fold, background: int
    ) -> NDArray[np.uint8]:
        """A random square of this fold's part of the photo."""
        photo = self._photos[fold][background]
        return background_crop(photo, rng, size=self.size, scale=(0.4, 0.9))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_world_options(parser, per_class=320, test_per_class=64)
    args = parser.parse_args(argv)
    make_world(
        'make_digits_on_photos', args, lambda: DigitsOnPhotos(size=args.size, seed=args.seed)
    )


if __name__ == '__main__':
    main()
