"""Where the masks that are evaluated come from: an estimator, or a store."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import MaskStore, open_mask_store, read_mask
from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator, build_estimator
from bgaug_mm.saliency.mask_maker import to_mask

Picture = NDArray[np.uint8]


def read_known_mask(location: str) -> Picture:
    """The mask at a location.

    Raises:
        ValueError: Naming it, if it cannot be used.
    """
    try:
        return read_mask(location)
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
        mask = read_known_mask(location)
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
            return StoredMasks(open_mask_store(images, self.what))
        return EstimatedMasks(build_estimator(self.what, **self.options))


def _literal(text: str) -> Any:
    """A Python literal, else the text itself (a path)."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
