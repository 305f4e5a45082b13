"""What every saliency estimator is: an RGB image in, a saliency map out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.registry import SALIENCY_ESTIMATORS

Image = NDArray[np.uint8]
Saliency = NDArray[np.float32]


class SaliencyEstimator(ABC):
    """Estimates how much each pixel belongs to the object in front.

    Call it with an image, or :meth:`batch` with several: the image is brought to the
    working size, :meth:`estimate` runs, and the map is brought back to the image's size.

    Args:
        size (int, optional): Longest side in pixels at which the map is computed; larger
            images are reduced (area average), smaller ones stay. None: the image's own.
    """

    #: Distributions besides the stack that it needs, by import name.
    requires: tuple[str, ...] = ()

    def __init__(self, size: int | None = None) -> None:
        if size is not None and size < 1:
            raise ValueError(f'`size` must be at least 1, but got {size}')
        self.size = size

    def __call__(self, image: Image) -> Saliency:
        """Saliency of an image.

        Args:
            image (ndarray): (H, W, 3) uint8, RGB, of any size from 1×1.

        Returns:
            ndarray: (H, W) float32 in [0, 1].

        Raises:
            ValueError: If the array is no RGB image.
        """
        return self.batch([image])[0]

    def batch(self, images: Sequence[Image]) -> list[Saliency]:
        """Saliency of several images, which may differ in size."""
        for image in images:
            check_image(image)
        maps = self.estimate_batch([fit(image, self.size) for image in images])
        return [
            restore(saliency, image.shape[:2]) for saliency, image in zip(maps, images, strict=True)
        ]

    def estimate_batch(self, images: Sequence[Image]) -> list[NDArray[Any]]:
        """Maps at working size; networks override it to run all images at once."""
        return [self.estimate(image) for image in images]

    @abstractmethod
    def estimate(self, image: Image) -> NDArray[Any]:
        """Map of one image at working size.

        Args:
            image (ndarray): (h, w, 3) uint8, RGB.

        Returns:
            ndarray: (h, w) floating, finite, in [0, 1]; zeros where nothing stands out.
        """


def check_image(image: NDArray[Any]) -> None:
    """Raise unless the array is an RGB image."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f'an image must be (H, W, 3) uint8 and not empty, but got {image.shape} {image.dtype}'
        )


def fit(image: Image, size: int | None) -> Image:
    """The image with its longest side reduced to `size`, if it is longer."""
    height, width = image.shape[:2]
    if size is None or max(height, width) <= size:
        return image
    scale = size / max(height, width)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, target, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def restore(saliency: NDArray[Any], shape: tuple[int, ...]) -> Saliency:
    """The map in float32 at (H, W), bilinear."""
    result = np.asarray(saliency, dtype=np.float32)
    if result.shape != tuple(shape):
        target = (shape[1], shape[0])
        result = np.asarray(
            cv2.resize(result, target, interpolation=cv2.INTER_LINEAR), dtype=np.float32
        )
    return np.clip(result, 0, 1)


def rescale(values: NDArray[Any]) -> NDArray[Any]:
    """Values stretched to [0, 1]; zeros if they are all (nearly) the same."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.zeros_like(values)
    return (values - low) / (high - low)


def build_estimator(config: str | dict[str, Any], **options: Any) -> SaliencyEstimator:
    """An estimator by its name ('rbd', 'mbplus', 'u2netp', …) or config.

    Args:
        config (str | dict): Name in the registry, or a dict with ``type``.
        **options: Further arguments of the estimator.

    Raises:
        ValueError: For an unknown name, with the known ones; for unknown options.
        ImportError: Naming what is not installed and the command that installs it.
    """
    config = dict(type=config, **options) if isinstance(config, str) else {**config, **options}
    SALIENCY_ESTIMATORS.import_from_location()
    names = sorted(name for name in SALIENCY_ESTIMATORS.module_dict if name.islower())
    if config.get('type') not in SALIENCY_ESTIMATORS.module_dict:
        raise ValueError(f'unknown estimator {config.get("type")!r}; known: {", ".join(names)}')
    try:
        estimator: SaliencyEstimator = SALIENCY_ESTIMATORS.build(config)
    except TypeError as error:
        raise ValueError(f'estimator {config["type"]!r}: {error}') from error
    return estimator
