"""Backgrounds from a folder of images."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from bgaug_mm.registry import BACKGROUNDS

from ..transforms.functional import Array
from .base import Background, Window, check_window, cut_window, draw_window

_EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.tif', '.tiff', '.webp')


def _read(path: str) -> Array | None:
    """An image as (H, W, 3) uint8 BGR; None when it cannot be read."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    return cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None


@BACKGROUNDS.register_module()
class FolderBackground(Background):
    """A random image of a folder (textures, photographs without objects, …).

    All images below the folder, in the order of their sorted paths, are equally
    likely. A file that cannot be read is logged once and the next one is taken. When
    none can be read any longer, the views stay as they are.

    Args:
        root (str): The folder; searched recursively.
        scale (tuple[float, float]): Range of the crop's area, as a share of the
            largest crop with the view's proportions, in (0, 1]. Defaults to (0.4, 1.0)
            (our choice).
        flip_prob (float): Probability of mirroring the background, in [0, 1].
            Defaults to 0.5.

    Raises:
        ValueError: If the folder does not exist or holds no image that can be read, for
            arguments out of range.
    """

    def __init__(
        self,
        root: str,
        *,
        scale: tuple[float, float] = (0.4, 1.0),
        flip_prob: float = 0.5,
    ) -> None:
        check_window(scale, flip_prob)
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise ValueError(f"`root` must be a folder of images, but there is no folder '{root}'")
        self.files = sorted(
            os.path.join(parent, name)
            for parent, _, names in os.walk(folder, followlinks=True)
            for name in names
            if name.lower().endswith(_EXTENSIONS)
        )
        if not self.files:
            raise ValueError(
                f"`root` must be a folder of images, but '{root}' holds no file that ends in "
                f'{", ".join(_EXTENSIONS)}'
            )
        if all(_read(path) is None for path in self.files):  # the first one ends it, mostly
            raise ValueError(f"none of the {len(self.files)} images in '{root}' can be read")
        self.root = root
        self.scale = scale
        self.flip_prob = flip_prob
        self._unreadable: set[str] = set()

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> tuple[int, Window]:
        """The index of a file and the window to cut from it."""
        return np.random.randint(len(self.files)), draw_window(self.scale, self.flip_prob)

    def render(self, params: tuple[int, Window], height: int, width: int) -> Array | None:
        """The window of that file, or of the next one that can be read; None without any."""
        first, window = params
        for step in range(len(self.files)):
            path = self.files[(first + step) % len(self.files)]
            if path in self._unreadable:
                continue
            image = _read(path)
            if image is not None:
                return cut_window(image, window, height, width)
            self._unreadable.add(path)
            print_log(
                f"background '{path}' cannot be read -> the next file is taken",
                logger='current',
                level=logging.WARNING,
            )
        return None

    def describe(self, params: tuple[int, Window]) -> str:
        """In words."""
        name = os.path.relpath(self.files[params[0]], Path(self.root).expanduser())
        return f'{type(self).__name__} {name}, {params[1].describe()}'

    def __repr__(self) -> str:
        return f'{type(self).__name__}(root={self.root!r}, scale={self.scale})'
