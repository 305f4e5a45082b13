"""Resizing by OpenCV, Pillow or torch."""

from __future__ import annotations

import mmcv
import torch
from torch.nn import functional as F

from .functional import Array

BACKENDS = ('cv2', 'pillow', 'torch')
INTERPOLATIONS = ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos')

#: What the backend 'torch' has with Pillow's antialiasing.
TORCH_INTERPOLATIONS = ('bilinear', 'bicubic')


def _has_pillow_filters() -> bool:
    """Whether this torch resizes uint8 images as Pillow does, and fast (from 2.1 on)."""
    major, minor = (int(part) for part in torch.__version__.split('.')[:2])
    return (major, minor) >= (2, 1)


_TORCH = _has_pillow_filters()


def resize(image: Array, size: tuple[int, int], interpolation: str, backend: str) -> Array:
    """Resize an image or mask.

    'torch' computes Pillow's antialiased filters in integers, four to five times as fast.
    On photographs it differs from Pillow by one level in at most a quarter of the values
    (1 % on average); bicubic also by more, up to 10 levels, in at most two values out of
    1,000. Where torch is older than 2.1 and has no such filters, Pillow serves.

    Args:
        image (ndarray): (H, W, 3) or (H, W) uint8.
        size (tuple[int, int]): Output (height, width) in pixels.
        interpolation (str): One of :data:`INTERPOLATIONS`.
        backend (str): One of :data:`BACKENDS`; 'torch' has
            :data:`TORCH_INTERPOLATIONS` alone.

    Returns:
        ndarray: Of the new size, a new array.
    """
    # a copy, because Pillow takes a cut-out with row strides five times as slowly, and
    # torch warns of read-only memory
    if backend == 'torch' and _TORCH:
        pixels = torch.from_numpy(image.copy().reshape(1, *image.shape[:2], -1))
        resized = F.interpolate(
            pixels.permute(0, 3, 1, 2),
            size,
            mode=interpolation,
            align_corners=False,
            antialias=True,
        )
        result: Array = resized.permute(0, 2, 3, 1).numpy().reshape(*size, *image.shape[2:])
        return result
    if backend != 'cv2':
        image, backend = image.copy(), 'pillow'
    resized_image: Array = mmcv.imresize(
        image, size[::-1], interpolation=interpolation, backend=backend
    )
    return resized_image


def check_resize(interpolation: str, backend: str, *, name: str = 'interpolation') -> None:
    """Raise ValueError for a backend that is none, or has no such interpolation.

    Args:
        interpolation (str): To be checked.
        backend (str): To be checked.
        name (str): Of the option that holds the interpolation, for the message.
    """
    if backend not in BACKENDS:
        raise ValueError(f'`backend` must be one of {BACKENDS}, but got {backend!r}')
    known = TORCH_INTERPOLATIONS if backend == 'torch' else INTERPOLATIONS
    if interpolation not in known:
        raise ValueError(
            f'`{name}` must be one of {known} (backend {backend!r}), but got {interpolation!r}'
        )
