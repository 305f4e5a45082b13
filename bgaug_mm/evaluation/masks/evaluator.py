"""Masks on images whose true masks are known."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bgaug_mm.datasets.mask_store import open_mask_store
from bgaug_mm.saliency.base import fit
from bgaug_mm.saliency.image_list import list_images
from bgaug_mm.saliency.reading import read_image

from ..evenly import evenly
from .metrics import MaskScores, score_mask
from .sources import MaskSource, Picture, read_known_mask


class Pair(NamedTuple):
    """An image, its path below the images' folder, and where its true mask is."""

    image: str
    name: str
    truth: str


def list_pairs(images: str, truth: str | None = None, *, limit: int | None = None) -> list[Pair]:
    """Images of a folder (to any depth, by name) with their true masks.

    Args:
        images: The folder.
        truth: Folder of the true masks, ``<path of the image without ending>.png``, or a
            packed store. Defaults to None: ``<images>_masks``.
        limit: Take so many, evenly spaced, at least 1. Defaults to None: all.

    Raises:
        ValueError: Without images; if one has no true mask, naming the first.
    """
    if limit is not None and limit < 1:
        raise ValueError(f'`limit` must be at least 1, but got {limit}')
    if not os.path.isdir(images):
        raise ValueError(f'there is no folder {images}')
    items = list_images(images)
    store = open_mask_store(images, truth)
    if not os.path.exists(store.root):
        raise ValueError(f'there are no true masks at {store.root}; name their place with --truth')
    if limit is not None:
        items = [items[index] for index in evenly(len(items), limit)]
    pairs = [Pair(item.path, item.name, store.locate(item.path) or '') for item in items]
    missing = [pair for pair in pairs if not store.exists(pair.truth)]
    if missing:
        raise ValueError(
            f'{len(missing)} of {len(pairs)} images have no true mask, the first '
            f'{missing[0].image} (looked for {missing[0].truth})'
        )
    return pairs


def read_pair(pair: Pair, size: int | None = None) -> tuple[Picture, Picture]:
    """An image (H, W, 3) and its true mask (H, W), both reduced to a longest side.

    Raises:
        ValueError: If they differ in size, or a file cannot be read.
    """
    image, truth = read_image(pair.image), read_known_mask(pair.truth)
    if image.shape[:2] != truth.shape:
        raise ValueError(
            f'{pair.image} is {image.shape[1]}x{image.shape[0]}, but its true mask {pair.truth} '
            f'{truth.shape[1]}x{truth.shape[0]} (width x height)'
        )
    return fit(image, size), fit(truth, size)


class SourceError(RuntimeError):
    """A source failed on an image; the others may go on."""


class Evaluation(NamedTuple):
    """Scores of one source, by image, and what an image took."""

    scores: list[MaskScores]
    seconds: list[float]


def evaluate_source(
    source: MaskSource,
    pairs: Sequence[Pair],
    *,
    size: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Score a source on all images, one at a time.

    The first image is estimated once before the clock runs: what is compiled or loaded
    at first use does not count.

    Args:
        source: The masks.
        pairs: Images and true masks.
        size: Longest side in pixels to which images and true masks are reduced first.
            Defaults to None: as they are.
        advance: Called after each image. Defaults to nothing.

    Raises:
        SourceError: If the source fails, naming the image.
        ValueError: If an image or its true mask cannot be used.
    """
    scores, seconds = [], []
    _mask_of(source, pairs[0].image, read_pair(pairs[0], size)[0])
    for pair in pairs:
        image, truth = read_pair(pair, size)
        start = time.perf_counter()
        mask = _mask_of(source, pair.image, image)
        seconds.append(time.perf_counter() - start)
        scores.append(score_mask(mask, truth))
        advance()
    return Evaluation(scores, seconds)


def _mask_of(source: MaskSource, path: str, image: Picture) -> Picture:
    try:
        return source(path, image)
    except Exception as error:  # a network's runtime may raise anything
        raise SourceError(f'{path}: {error or type(error).__name__}') from error
