"""Backgrounds of other images of the same dataset."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmengine import fileio
from mmengine.logging import print_log

from bgaug_mm.registry import BACKGROUNDS

from ..mask_store import read_mask
from ..transforms.functional import Array
from ..transforms.infill import check_infill, has_room, infill
from .base import Background, Window, check_window, cut_window, draw_window

#: Decoding at a fraction of the size, the smallest first.
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


class Candidates(NamedTuple):
    """Donors to try in turn."""

    indices: tuple[int, ...]
    own: int | None  #: index of the view's image
    window: Window


@BACKGROUNDS.register_module()
class DonorBackground(Background):
    """A random other image of the same dataset, its foreground taken out (BG_Random).

    Source: Ryali, Schwab, Morcos (arXiv 2103.12719): the background of another image,
    with that image's own foreground taken out. Which images may be donors is not known
    to us: here all others are equally likely (our choice).

    The source has to be in the pipeline of a
    :class:`~bgaug_mm.datasets.SaliencyMaskDataset`, which binds itself to it. A donor
    costs a second decoding of an image and a mask; the image is decoded at 1/2, 1/4 or
    1/8 of its size where that is enough for the view (which is cheap for JPEG alone).
    RecentBackground costs next to nothing.

    Of the ``max_tries`` images drawn for a view the first one that serves is taken: not
    one without enough background (also with a full mask, or none), with a missing or
    bad mask, or that cannot be read. When none serves, the view stays as it is. A
    missing or bad file is logged once (in each worker); that an image has no mask or too
    little background is logged for the first one alone.

    Args:
        infill (str): How the foreground is taken out, see
            :func:`~bgaug_mm.datasets.transforms.infill.infill`: 'tile_strip',
            'tile_rectangle', 'inpaint' or 'mean'. Defaults to 'tile_strip'.
        scale (tuple[float, float]): Range of the crop's area, as a share of the largest
            crop with the view's proportions, in (0, 1]. Defaults to (0.4, 1.0) (our
            choice).
        flip_prob (float): Probability of mirroring the background, in [0, 1].
            Defaults to 0.5.
        threshold (int): Mask value from which on a pixel counts for the donor's
            foreground, 1 to 255. Defaults to 64.
        min_strip (float): Least usable share of background, in [0, 1]; see
            :func:`~bgaug_mm.datasets.transforms.infill.has_room`. Defaults to 1/16.
        max_tries (int): Images drawn for a view. Defaults to 5 (our choice).
        resize_to_image (bool): Resize a mask of another size to the image's instead of
            calling it bad; set it where ``LoadSaliencyMask`` has it set. Defaults to
            False.

    Raises:
        ValueError: For arguments out of range, when the source is in no
            SaliencyMaskDataset.
    """

    def __init__(
        self,
        *,
        infill: str = 'tile_strip',
        scale: tuple[float, float] = (0.4, 1.0),
        flip_prob: float = 0.5,
        threshold: int = 64,
        min_strip: float = 1 / 16,
        max_tries: int = 5,
        resize_to_image: bool = False,
    ) -> None:
        check_infill(infill, threshold, min_strip)
        check_window(scale, flip_prob)
        if max_tries < 1:
            raise ValueError(f'`max_tries` must be at least 1, but got {max_tries}')
        self.infill = infill
        self.scale = scale
        self.flip_prob = flip_prob
        self.threshold = threshold
        self.min_strip = min_strip
        self.max_tries = max_tries
        self.resize_to_image = resize_to_image
        self._dataset: Any = None
        #: Indices of the images that have turned out to be of no use.
        self._useless: set[int] = set()
        self._told = False

    def bind(self, dataset: Any) -> None:
        """Take the donors from a SaliencyMaskDataset."""
        self._dataset = dataset
        self._useless = set()

    def __deepcopy__(self, memo: dict[int, Any]) -> DonorBackground:
        """A copy bound to the same dataset, or to its copy when that is being copied."""
        new = copy.copy(self)
        new._dataset = memo.get(id(self._dataset), self._dataset)
        new._useless = set(self._useless)
        return new

    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Candidates | None:
        """Images to try and the window to cut; None in a dataset of one image."""
        if self._dataset is None:
            raise ValueError(
                '`DonorBackground` has no dataset to take images from: use it in the pipeline of '
                "dict(type='bgaug_mm.SaliencyMaskDataset', ...), or call `bind(dataset)`"
            )
        others = len(self._dataset) - (sample_idx is not None)
        if not others:
            return None
        indices = np.random.randint(others, size=self.max_tries)
        if sample_idx is not None:
            indices += indices >= sample_idx
        window = draw_window(self.scale, self.flip_prob)
        return Candidates(tuple(indices.tolist()), sample_idx, window)

    def render(self, params: Candidates, height: int, width: int) -> Array | None:
        """The window of the first image that serves; None when none does."""
        for index in self._left(params):
            try:
                donor = self._read(index, params.window, height, width)
            except (OSError, ValueError, cv2.error) as error:
                self._useless.add(index)
                self._log(index, str(error))
                continue
            if donor is not None:
                return cut_window(donor, params.window, height, width)
            self._useless.add(index)
            if not self._told:
                self._told = True
                self._log(index, 'it has too little background (later ones are not logged)')
        return None

    def describe(self, params: Candidates) -> str:
        """In words."""
        return (
            f'{type(self).__name__} donor {next(self._left(params), None)}, '
            f'{params.window.describe()}'
        )

    def _left(self, params: Candidates) -> Iterator[int]:
        """The images that may still serve: not the view's own, as in a RepeatDataset."""
        own = None if params.own is None else self._dataset.get_data_info(params.own)['img_path']
        for index in params.indices:
            if index in self._useless:
                continue
            if self._dataset.get_data_info(index)['img_path'] != own:
                yield index

    def _read(self, index: int, window: Window, height: int, width: int) -> Array | None:
        """An image without its foreground, at a size that is enough for the window.

        None when it has too little background.
        """
        info = self._dataset.get_data_info(index)
        path, mask_path = info['img_path'], info['saliency_mask_path']
        if mask_path is None:  # what stands for it is a full mask
            return None
        try:
            mask = read_mask(mask_path)
        except (OSError, ValueError) as error:
            raise ValueError(f"saliency mask '{mask_path}' cannot be used: {error}") from error
        threshold = self.threshold
        if not has_room(mask, self.infill, threshold=threshold, min_strip=self.min_strip):
            return None
        # the mask has the image's size, and is decoded before it
        scale = min(mask.shape[0] / height, mask.shape[1] / width) * window.side
        factor = next((factor for factor in _REDUCED if factor <= scale), 1)
        data = np.frombuffer(fileio.get(path), np.uint8)
        image = cv2.imdecode(data, _REDUCED[factor]) if data.size else None
        if image is None:
            raise ValueError('it cannot be decoded')
        if image.shape[:2] != mask.shape:
            # decoders round a reduced size up or down
            fits = all(
                abs(factor * side - whole) < factor
                for side, whole in zip(image.shape[:2], mask.shape, strict=True)
            )
            if not fits and not self.resize_to_image:
                raise ValueError(f"saliency mask '{mask_path}' has another size")
            mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_AREA)
        # whether there is room has been seen at full size: it must not depend on the view
        return infill(image, mask, self.infill, threshold=threshold, min_strip=0)

    def _log(self, index: int, problem: str) -> None:
        path = self._dataset.get_data_info(index)['img_path']
        print_log(
            f"image '{path}' cannot give a background: {problem} -> another one is taken",
            logger='current',
            level=logging.WARNING,
        )

    def __repr__(self) -> str:
        return f'{type(self).__name__}(infill={self.infill!r}, scale={self.scale})'
