"""RandomGrayscale of mmcv, on OpenCV."""

from __future__ import annotations

import random
from collections.abc import Sequence

import cv2

from bgaug_mm.registry import TRANSFORMS

from . import photometric
from .functional import Array
from .photometric_transform import PhotometricTransform, check_probability


@TRANSFORMS.register_module()
class RandomGrayscale(PhotometricTransform):
    """Turn an image grey with a probability.

    mmcv's transform of this name, some ten times as fast. The same generator state (of
    ``random``) makes the same images grey; the grey differs by at most one level (see
    :func:`~bgaug_mm.datasets.transforms.photometric.to_grey`).

    Required Keys:

    - img

    Modified Keys:

    - img

    Added Keys:

    - (none)

    Args:
        prob (float): Probability, in [0, 1]. Defaults to 0.1.
        keep_channels (bool): True gives (H, W, 3), False (H, W). Defaults to False, as
            in mmcv.
        channel_weights (Sequence[float]): Weights of the three channels, at least 0; they
            are divided by their sum. Defaults to (1, 1, 1).
        color_format (str): 'bgr' or 'rgb': order of the channels in ``img``, which
            ``channel_weights`` follow. mmcv's 'hsv' is not offered. Defaults to 'bgr'.

    Raises:
        ValueError: For arguments out of range; for an image that is not (H, W, 3) uint8.
    """

    def __init__(
        self,
        prob: float = 0.1,
        keep_channels: bool = False,
        channel_weights: Sequence[float] = (1.0, 1.0, 1.0),
        color_format: str = 'bgr',
    ) -> None:
        self.prob = check_probability(prob)
        if len(channel_weights) != 3 or min(channel_weights) < 0 or not sum(channel_weights):
            raise ValueError(
                '`channel_weights` must be three numbers from 0 on, one of them above 0, but got '
                f'{channel_weights}'
            )
        if color_format not in ('bgr', 'rgb'):
            raise ValueError(f"`color_format` must be 'bgr' or 'rgb', but got {color_format!r}")
        self.keep_channels = keep_channels
        self.channel_weights = tuple(channel_weights)
        self.color_format = color_format
        total = sum(channel_weights)
        first, second, third = (weight / total for weight in channel_weights)
        self._weights = (first, second, third)

    def draw(self) -> bool | None:
        """True to turn the image grey, else None."""
        return True if random.random() < self.prob else None

    def apply(self, image: Array, params: bool) -> Array:
        """The grey image."""
        grey = photometric.to_grey(image, self._weights)
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) if self.keep_channels else grey

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, keep_channels={self.keep_channels}, '
            f'channel_weights={self.channel_weights}, color_format={self.color_format!r})'
        )
