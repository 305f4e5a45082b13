"""What the sources of backgrounds mean for a whole batch on the device.

One class for each kind of source of :mod:`bgaug_mm.datasets.backgrounds`, registered
with :func:`.batch_source.batch_source`. Which view gets what is drawn on the host, from
torch's default generator (on every device the same): so the device works on the chosen
views alone, and is never asked for anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from bgaug_mm.datasets.backgrounds import (
    DonorBackground,
    FolderBackground,
    GreyBackground,
    MeanBackground,
    MixtureBackground,
    NoiseBackground,
    RecentBackground,
)

from .batch_functional import background_mean, cut_window
from .batch_infill import INFILLS, infill
from .batch_source import BatchSource, Views, batch_source, to_device
from .batch_windows import draw_windows, pixel_windows
from .folder_bank import FolderBank


def _all(chosen: Tensor) -> Tensor:
    return torch.ones_like(chosen, dtype=torch.bool)


class BatchGrey(BatchSource):
    """Uniform grey."""

    def __init__(self, level: int | str) -> None:
        self.level = level

    def draw(self, chosen: Tensor, batch: int) -> Tensor:
        """The levels, (K,)."""
        if isinstance(self.level, str):
            return torch.randint(256, chosen.shape)
        return torch.full_like(chosen, self.level)

    def render(self, params: Tensor, chosen: Tensor, views: Views) -> tuple[Tensor, Tensor]:
        """(K, 1, 1, 1)."""
        return to_device(params.float(), chosen.device).view(-1, 1, 1, 1), _all(chosen)


class BatchMean(BatchSource):
    """The mean colour of each view's background, or a given colour."""

    def __init__(self, mean: tuple[float, float, float] | None) -> None:
        self.mean = mean

    def draw(self, chosen: Tensor, batch: int) -> Tensor | None:
        """The colour, (1, 3, 1, 1); None for each view's own."""
        return None if self.mean is None else torch.tensor(self.mean).round().view(1, 3, 1, 1)

    def render(self, params: Tensor | None, chosen: Tensor, views: Views) -> tuple[Tensor, Tensor]:
        """(K or 1, 3, 1, 1)."""
        if params is not None:
            colour = params.flip(1) if views.reversed else params
            return to_device(colour, chosen.device), _all(chosen)
        own = views.of(chosen)
        mean, some = background_mean(own.images, own.masks)
        return mean.round_(), some


class BatchNoise(BatchSource):
    """Each value of each pixel uniform; drawn by the device's default generator."""

    def draw(self, chosen: Tensor, batch: int) -> None:
        """Nothing: the noise is drawn where it is needed."""

    def render(self, params: None, chosen: Tensor, views: Views) -> tuple[Tensor, Tensor]:
        """(K, 3, H, W)."""
        shape = (len(chosen), *views.images.shape[1:])
        noise = torch.randint(256, shape, dtype=torch.uint8, device=chosen.device)
        return noise.float(), _all(chosen)


class Donors(NamedTuple):
    """Which images of the batch, and what is cut from them."""

    indices: Tensor  #: (K,) int64
    windows: Tensor  #: (K, 4) float64


class BatchPermutation(BatchSource):
    """The background of another image of the batch, its foreground taken out.

    The images are put into a random circle, and each takes the next one: so none takes
    itself, and none serves twice for the same view.
    """

    def __init__(self, source: DonorBackground | RecentBackground) -> None:
        if source.infill not in INFILLS:
            raise ValueError(
                f'`infill` must be one of {INFILLS} on the device, but got {source.infill!r}: '
                'it works on single images alone; choose another one, or leave '
                f'`{type(source).__name__}` in the pipeline'
            )
        self.source = source

    def draw(self, chosen: Tensor, batch: int) -> Donors:
        """The donors and the windows to cut from them."""
        circle = torch.randperm(batch)
        following = torch.empty_like(circle)
        following[circle] = circle.roll(-1)
        windows = draw_windows(len(chosen), self.source.scale, self.source.flip_prob)
        return Donors(following[chosen], windows)

    def render(self, params: Donors, chosen: Tensor, views: Views) -> tuple[Tensor, Tensor]:
        """(K, 3, H, W)."""
        height, width = views.images.shape[2:]
        indices = to_device(params.indices, chosen.device)
        donors = views.of(indices)
        filled, usable = infill(
            donors.images,
            donors.masks,
            self.source.infill,
            threshold=self.source.threshold,
            min_strip=self.source.min_strip,
        )
        windows = pixel_windows(params.windows, torch.tensor([height, width]), height, width)
        cut = cut_window(filled, to_device(windows, chosen.device), height, width)
        return cut, usable & (indices != chosen)  # alone in its batch an image has no donor


class BatchFolder(BatchSource):
    """An image of a folder, out of a bank on the device."""

    def __init__(self, source: FolderBackground, bank_size: int) -> None:
        self.source = source
        self.bank = FolderBank(source.files, bank_size)

    def draw(self, chosen: Tensor, batch: int) -> Donors:
        """The images of the bank and the windows to cut from them."""
        windows = draw_windows(len(chosen), self.source.scale, self.source.flip_prob)
        return Donors(torch.randint(len(self.bank), chosen.shape), windows)

    def render(self, params: Donors, chosen: Tensor, views: Views) -> tuple[Tensor, Tensor]:
        """(K, 3, H, W)."""
        height, width = views.images.shape[2:]
        windows = pixel_windows(params.windows, self.bank.sizes[params.indices], height, width)
        device = chosen.device
        images = self.bank.images(device).index_select(0, to_device(params.indices, device))
        if views.reversed:
            images = images.flip(1)
        return cut_window(images, to_device(windows, device), height, width), _all(chosen)


class Part(NamedTuple):
    """What one source of a mixture gives."""

    at: Tensor  #: positions in ``chosen``
    params: Any


class BatchMixture(BatchSource):
    """For each view one of several sources; each renders its own views alone."""

    def __init__(self, sources: list[BatchSource], weights: list[float]) -> None:
        self.sources = sources
        self.weights = torch.tensor(weights, dtype=torch.float64)

    def draw(self, chosen: Tensor, batch: int) -> list[Part | None]:
        """The parts of the sources, None for one that no view takes."""
        take = self.weights.multinomial(len(chosen), replacement=True)
        places = [(take == index).nonzero()[:, 0] for index in range(len(self.sources))]
        return [
            Part(at, source.draw(chosen[at], batch)) if len(at) else None
            for source, at in zip(self.sources, places, strict=True)
        ]

    def render(
        self, params: list[Part | None], chosen: Tensor, views: Views
    ) -> tuple[Tensor, Tensor]:
        """(K, 3, H, W)."""
        shape = (len(chosen), *views.images.shape[1:])
        background = torch.empty(shape, dtype=torch.float32, device=chosen.device)
        usable = _all(chosen)
        for source, part in zip(self.sources, params, strict=True):
            if part is None:
                continue
            at = to_device(part.at, chosen.device)
            values, some = source.render(part.params, chosen[at], views)
            background.index_copy_(0, at, values.expand(len(part.at), *shape[1:]))
            usable.index_copy_(0, at, some)
        return background, usable


@batch_source.register
def _(source: GreyBackground, bank_size: int) -> BatchSource:
    return BatchGrey(source.level)


@batch_source.register
def _(source: MeanBackground, bank_size: int) -> BatchSource:
    return BatchMean(source.mean)


@batch_source.register
def _(source: NoiseBackground, bank_size: int) -> BatchSource:
    return BatchNoise()


@batch_source.register(DonorBackground)
@batch_source.register(RecentBackground)
def _(source: DonorBackground | RecentBackground, bank_size: int) -> BatchSource:
    return BatchPermutation(source)


@batch_source.register
def _(source: FolderBackground, bank_size: int) -> BatchSource:
    return BatchFolder(source, bank_size)


@batch_source.register
def _(source: MixtureBackground, bank_size: int) -> BatchSource:
    return BatchMixture(
        [batch_source(each, bank_size) for each in source.backgrounds], source.weights
    )
