"""What the photometric transforms have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from .functional import Array, contiguous


class PhotometricTransform(BaseTransform):
    """Draw parameters, then change ``img`` by them; the mask stays.

    A subclass says what is drawn (:meth:`draw`) and what it does (:meth:`apply`).
    """

    @abstractmethod
    def draw(self) -> Any:
        """Draw the parameters; None to leave the image as it is."""

    @abstractmethod
    def apply(self, image: Array, params: Any) -> Array:
        """Apply drawn parameters to an image, (H, W, 3) uint8, contiguous; not random."""

    @cache_randomness
    def _draw(self) -> Any:
        return self.draw()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img`` with the parameters drawn; a new array when it changes."""
        name = type(self).__name__
        if 'img' not in results:
            raise ValueError(f'`{name}` needs the key `img`; put it behind the image loading')
        image = results['img']
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(
                f'`{name}` needs `img` (H, W, 3) uint8, but got {image.shape} {image.dtype}; put '
                'it before any normalisation'
            )
        params = self._draw()
        if params is not None:
            # flipped by mmcv, the image is a view with negative strides, slow for OpenCV
            results['img'] = self.apply(contiguous(image), params)
        return results


def check_probability(prob: float) -> float:
    """The probability, or ValueError when it is out of [0, 1]."""
    if not 0 <= prob <= 1:
        raise ValueError(f'`prob` must be in [0, 1], but got {prob}')
    return float(prob)
