"""Helpers to read a world's raw material: images, crops, folds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

T = TypeVar('T')


def _read(path: Path, mode: str) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            # as OpenCV does, which the masks of photographs are made with
            upright = ImageOps.exif_transpose(image)
            return np.asarray(upright.convert(mode), dtype=np.uint8)
    except FileNotFoundError:
        raise FileNotFoundError(f'no image at {path}') from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f'{path} is not an image that can be read: {error}') from error


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read an image file as (H, W, 3) RGB."""
    return _read(path, 'RGB')


def read_rgba(path: Path) -> NDArray[np.uint8]:
    """Read an image file as (H, W, 4) RGBA; opaque where the file has no alpha."""
    return _read(path, 'RGBA')


def split_items(
    items: Sequence[T], rng: np.random.Generator, share: float = 0.65
) -> tuple[list[T], list[T]]:
    """Shuffle and split in two, neither part empty.

    Args:
        items: At least two.
        rng: Draws the order.
        share: Part of the items in the first list, in (0, 1).

    Raises:
        ValueError: For fewer than two items.
    """
    if len(items) < 2:
        raise ValueError(f'at least 2 items are needed to split them, but got {len(items)}')
    order = [items[index] for index in rng.permutation(len(items))]
    cut = min(max(round(share * len(items)), 1), len(items) - 1)
    return order[:cut], order[cut:]


def background_crop(
    photo: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    size: int,
    scale: tuple[float, float],
) -> NDArray[np.uint8]:
    """A random square of a photo, flipped half of the time, as (size, size, 3).

    Args:
        photo: (H, W, 3).
        rng: Draws side, place and flip.
        size: Side of the result in pixels.
        scale: Range of the square's side as a share of the photo's shorter side,
            in (0, 1].
    """
    height, width = photo.shape[:2]
    side = max(1, round(min(height, width) * rng.uniform(*scale)))
    top = int(rng.integers(height - side + 1))
    left = int(rng.integers(width - side + 1))
    square = photo[top : top + side, left : left + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    resample = Image.Resampling.BOX if side > size else Image.Resampling.BICUBIC
    resized = Image.fromarray(np.ascontiguousarray(square)).resize((size, size), resample)
    return np.asarray(resized, dtype=np.uint8)


def opaque_box(alpha: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (exclusive) of what is at least half opaque.

    Raises:
        ValueError: When nothing is.
    """
    solid = alpha >= 128
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if not len(rows):
        raise ValueError('the image is transparent everywhere')
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
