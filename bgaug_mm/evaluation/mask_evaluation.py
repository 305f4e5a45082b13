"""Estimators and stored masks on images whose true masks are known."""

from __future__ import annotations

import ast
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import MaskFolder, MaskStore, read_mask_bytes
from bgaug_mm.datasets.transforms.loading import decode_mask
from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator, build_estimator
from bgaug_mm.saliency.base import fit
from bgaug_mm.saliency.image_list import list_images
from bgaug_mm.saliency.mask_maker import to_mask
from bgaug_mm.saliency.reading import read_image

from .saliency_metrics import MaskScores, score_mask

Picture = NDArray[np.uint8]


class Pair(NamedTuple):
    """An image, its path below the images' folder, and where its true mask is."""

    image: str
    name: str
    truth: str


def list_pairs(images: str, truth: str | None = None, *, limit: int | None = None) -> list[Pair]:
    """Images of a folder (to any depth, by name) with their true masks.

    Args:
        images: The folder.
        truth: Folder of the true masks, ``<path of the image without ending>.png``.
            Defaults to None: ``<images>_masks``.
        limit: Take so many, evenly spaced, at least 1. Defaults to None: all.

    Raises:
        ValueError: Without images; if one has no true mask, naming the first.
    """
    if limit is not None and limit < 1:
        raise ValueError(f'`limit` must be at least 1, but got {limit}')
    if not os.path.isdir(images):
        raise ValueError(f'there is no folder {images}')
    items = list_images(images)
    store = MaskFolder(images, truth)
    if not os.path.exists(store.root):
        raise ValueError(f'there are no true masks at {store.root}; name their place with --truth')
    if limit is not None and limit < len(items):
        items = [items[i * len(items) // limit] for i in range(limit)]
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
    image, truth = read_image(pair.image), _read_mask(pair.truth)
    if image.shape[:2] != truth.shape:
        raise ValueError(
            f'{pair.image} is {image.shape[1]}x{image.shape[0]}, but its true mask {pair.truth} '
            f'{truth.shape[1]}x{truth.shape[0]} (width x height)'
        )
    return fit(image, size), fit(truth, size)


def _read_mask(location: str) -> Picture:
    try:
        return decode_mask(read_mask_bytes(location))
    except (ValueError, OSError) as error:
        raise ValueError(f'mask {location}: {error}') from error


class StoredMasks:
    """Masks that were made before.

    Args:
        store: Where they are.
    """

    def __init__(self, store: MaskStore) -> None:
        self.store = store

    def __call__(self, path: str, image: Picture) -> Picture:
        """The mask of an image, brought to its size.

        Raises:
            ValueError: If there is none, or it has another aspect.
        """
        location = self.store.locate(path)
        if location is None or not self.store.exists(location):
            raise ValueError(f'{path} has no mask in {self.store.root}')
        mask = _read_mask(location)
        height, width = image.shape[:2]
        if abs(mask.shape[0] * width - mask.shape[1] * height) > max(*mask.shape, height, width):
            raise ValueError(
                f'mask {location} is {mask.shape[1]}x{mask.shape[0]}, which does not fit the image '
                f'{path}, {width}x{height} (width x height)'
            )
        if mask.shape == (height, width):
            return mask
        shrunk = cv2.INTER_AREA if mask.size > height * width else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(mask, (width, height), interpolation=shrunk), np.uint8)


class EstimatedMasks:
    """Masks that an estimator makes now, as they would be written to a file.

    Args:
        estimator: It.
    """

    def __init__(self, estimator: SaliencyEstimator) -> None:
        self.estimator = estimator

    def __call__(self, path: str, image: Picture) -> Picture:
        """(H, W) uint8.

        Raises:
            ValueError: If the map is not finite.
        """
        saliency = self.estimator(image)
        if not np.isfinite(saliency).all():
            raise ValueError(f'the map of {path} has values that are not finite')
        return to_mask(saliency, None)


MaskSource = StoredMasks | EstimatedMasks


@dataclass(frozen=True, kw_only=True)
class SourceSpec:
    """What ``[NAME=]ESTIMATOR[:KEY=VALUE,…]`` or ``NAME=FOLDER`` says.

    Attributes:
        name: For the tables.
        what: Name of the estimator, or the place of the masks.
        options: The estimator's.
        stored: Whether `what` is a place.
    """

    name: str
    what: str
    options: dict[str, Any]
    stored: bool

    @classmethod
    def parse(cls, text: str) -> SourceSpec:
        """Read a specification.

        Raises:
            ValueError: If it cannot be read, or the masks' place does not exist.
        """
        match = re.fullmatch(r'(?:([^=:]+)=)?([^:]+)(?::(.+))?', text)
        if not match:
            raise ValueError(
                f'{text!r} is neither ESTIMATOR[:KEY=VALUE,…] nor NAME=FOLDER with masks'
            )
        name, what, options = match.groups()
        SALIENCY_ESTIMATORS.import_from_location()
        if name and what not in SALIENCY_ESTIMATORS.module_dict:
            if not os.path.exists(what) or options:
                raise ValueError(f'{text!r}: {what} is neither an estimator nor a place of masks')
            return cls(name=name, what=what, options={}, stored=True)
        pairs = [part.partition('=') for part in re.split(r',(?=\w+=)', options or '') if part]
        for key, equals, _ in pairs:
            if not equals:
                raise ValueError(f'{text!r}: options must be KEY=VALUE, but got {key!r}')
        parsed = {key: _literal(value) for key, _, value in pairs}
        return cls(name=name or text, what=what, options=parsed, stored=False)

    def build(self, images: str) -> MaskSource:
        """The source, for images below a folder.

        Raises:
            ValueError, ImportError, OSError: With the reason why it cannot be built.
        """
        if self.stored:
            return StoredMasks(MaskFolder(images, self.what))
        return EstimatedMasks(build_estimator(self.what, **self.options))


def _literal(text: str) -> Any:
    """A Python literal, else the text itself (a path)."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


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
