"""Objects and backgrounds from files inside the scikit-learn and scikit-image wheels."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .composing import Fold
from .files import background_crop, read_rgb, split_items

# Read from the packages' folders: skimage.data.* may want to download.
PHOTOS = {
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


class Digits:
    """Handwritten digits, drawn with light strokes (an ``ObjectPool``).

    65 % of each digit's images train. No digit is in both folds.

    Args:
        size: Side of the images in pixels.
        seed: Draws the split.
    """

    def __init__(self, *, size: int, seed: int) -> None:
        from sklearn.datasets import load_digits

        self.size = size
        self.classes = [str(digit) for digit in range(10)]
        self.recorded: Mapping[str, Any] = {}
        data = load_digits()
        images = np.clip(data.images / 16, 0, 1).astype(np.float32)  # (1797, 8, 8)
        self.images: dict[Fold, list[NDArray[np.float32]]] = {'train': [], 'test': []}
        self.folds: dict[Fold, dict[str, list[str]]] = {'train': {}, 'test': {}}
        for digit, name in enumerate(self.classes):
            own: list[int] = np.flatnonzero(data.target == digit).tolist()
            train, test = split_items(own, np.random.default_rng([seed, digit]))
            parts: dict[Fold, list[int]] = {'train': train, 'test': test}
            for fold, members in parts.items():
                self.images[fold].append(images[members])
                self.folds[fold][name] = [str(index) for index in sorted(members)]

    def draw(
        self, rng: np.random.Generator, fold: Fold, label: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A digit somewhere in the image, in one light colour."""
        pool = self.images[fold][label]
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


class Photos:
    """Ten photographs as background classes (a ``PlatePool``).

    The left 62 % of each train, the rest tests.

    Args:
        size: Side of the plates in pixels.
    """

    def __init__(self, *, size: int) -> None:
        self.size = size
        self.classes = list(PHOTOS)
        self.recorded: Mapping[str, Any] = {}
        self.parts: dict[Fold, list[NDArray[np.uint8]]] = {'train': [], 'test': []}
        for package, relative in PHOTOS.values():
            photo = read_rgb(wheel_file(package, relative))
            cut = round(_LEFT * photo.shape[1])
            self.parts['train'].append(photo[:, :cut])
            self.parts['test'].append(photo[:, cut:])
        self.folds: dict[Fold, dict[str, list[str]]] = {
            'train': {name: [f'left {_LEFT:.0%} of {file}'] for name, (_, file) in PHOTOS.items()},
            'test': {name: [f'the rest of {file}'] for name, (_, file) in PHOTOS.items()},
        }

    def draw(self, rng: np.random.Generator, fold: Fold, label: int) -> NDArray[np.uint8]:
        """A random square of this fold's part of the photo."""
        return background_crop(self.parts[fold][label], rng, size=self.size, scale=(0.4, 0.9))
