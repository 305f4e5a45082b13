"""Backgrounds of the views that passed by lately."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgaug_mm.registry import BACKGROUNDS

from ..sample_stream import SAMPLE_STREAM
from ..transforms.functional import Array, contiguous
from ..transforms.infill import check_infill, infill
from .base import Background, Window, check_window, cut_window, draw_window


class Donor(NamedTuple):
    """A view that passed by."""

    image: Array  #: (H, W, 3) uint8, its foreground filled in
    sample_idx: int | None


@BACKGROUNDS.register_module()
class RecentBackground(Background):
    """The background of a recent view of another image; no extra decoding.

    Each worker (and each BackgroundSwap in it) keeps ``size`` views of those it saw last,
    their foreground filled in (see
    :func:`~bgaug_mm.datasets.transforms.infill.infill`); one of another image is taken,
    with a random crop and flip of its own. A view whose foreground leaves too little
    background is not kept: also not one with a full mask, which stands for an image
    without a mask.

    Which views a worker has seen depends on the number of workers. The store is
    emptied at the start of an epoch, so that a resumed run goes on like one that was
    never interrupted; until a worker has seen another image in that epoch there is no
    background to be had, and the view stays as it is.

    Args:
        size (int): Views to keep. Defaults to 32 (5 MB a worker at 224²; our choice).
        every (int): Keep one of so many views seen, from the first one of an epoch on:
            costs less time than keeping all, and the store reaches further back.
            Defaults to 4 (our choice).
        infill (str): How the foreground is taken out: 'tile_strip', 'tile_rectangle',
            'inpaint' (slower) or 'mean'. Defaults to 'tile_strip'.
        scale (tuple[float, float]): Range of the crop's area, as a share of the donor,
            in (0, 1]. Defaults to (0.4, 1.0) (our choice).
        flip_prob (float): Probability of mirroring the background, in [0, 1].
            Defaults to 0.5.
        threshold (int): Mask value from which on a pixel counts for the donor's
            foreground box, 1 to 255. Defaults to 64.
        min_strip (float): Least usable share of background, in [0, 1]: of the strip's
            thickness in the donor's side. Defaults to 1/16.

    Raises:
        ValueError: For arguments out of range.
    """

    def __init__(
        self,
        *,
        size: int = 32,
        every: int = 4,
        infill: str = 'tile_strip',
        scale: tuple[float, float] = (0.4, 1.0),
        flip_prob: float = 0.5,
        threshold: int = 64,
        min_strip: float = 1 / 16,
    ) -> None:
        for name, value in (('size', size), ('every', every)):
            if value < 1:
                raise ValueError(f'`{name}` must be at least 1, but got {value}')
        check_infill(infill, threshold, min_strip)
        check_window(scale, flip_prob)
        self.size = size
        self.every = every
        self.infill = infill
        self.scale = scale
        self.flip_prob = flip_prob
        self.threshold = threshold
        self.min_strip = min_strip
        self.stream = SAMPLE_STREAM
        self._epoch = (-1, 0)
        self._donors: list[Donor] = []
        self._oldest = 0
        self._seen = 0

    def _enter_epoch(self) -> None:
        epoch = (self.stream.seed, self.stream.epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._donors = []
            self._oldest = 0
            self._seen = 0

    def draw(
        self, image: Array, mask: Array, sample_idx: int | None
    ) -> tuple[Donor, Window] | None:
        """A donor and the window to cut from it; None while there is no other image."""
        self._enter_epoch()
        others = [
            donor for donor in self._donors if sample_idx is None or donor.sample_idx != sample_idx
        ]
        if not others:
            return None
        donor = others[np.random.randint(len(others))]
        return donor, draw_window(self.scale, self.flip_prob)

    def render(self, params: tuple[Donor, Window], height: int, width: int) -> Array:
        """The donor's background."""
        donor, window = params
        return cut_window(donor.image, window, height, width)

    def observe(self, image: Array, mask: Array, sample_idx: int | None) -> None:
        """Keep the background of this view in the place of the oldest one."""
        self._enter_epoch()
        self._seen += 1
        if (self._seen - 1) % self.every:
            return
        image, mask = contiguous(image), contiguous(mask)
        filled = infill(
            image, mask, self.infill, threshold=self.threshold, min_strip=self.min_strip
        )
        if filled is None:
            return
        donor = Donor(image.copy() if filled is image else filled, sample_idx)
        if len(self._donors) < self.size:
            self._donors.append(donor)
        else:
            self._donors[self._oldest] = donor
            self._oldest = (self._oldest + 1) % self.size

    def describe(self, params: tuple[Donor, Window]) -> str:
        """In words."""
        donor, window = params
        return f'{type(self).__name__} donor {donor.sample_idx}, {window.describe()}'

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(size={self.size}, every={self.every}, infill={self.infill!r}, '
            f'scale={self.scale})'
        )
