"""The interface of a batch's source of backgrounds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import singledispatch
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bgaug_mm.datasets.backgrounds import Background


class Views(NamedTuple):
    """A view of each image of the batch, or of some of them."""

    images: Tensor  #: (B, 3, H, W) uint8
    masks: Tensor  #: (B, 1, H, W) uint8
    reversed: bool = False  #: whether the channels are in the reverse of the sources' order

    def of(self, indices: Tensor) -> Views:
        """The views of the given images, (K,) int64 on the device."""
        select = (self.images.index_select(0, indices), self.masks.index_select(0, indices))
        return Views(*select, self.reversed)


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """Send drawn numbers to the device without waiting for it."""
    if device.type == 'cuda':  # from pageable memory the copy would wait
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


class BatchSource(ABC):
    """Draws the backgrounds of the chosen views of a batch, and renders them."""

    @abstractmethod
    def draw(self, chosen: Tensor, batch: int) -> Any:
        """Draw for the views ``chosen``, (K,) int64 on the CPU, out of ``batch``.

        Returns parameters for :meth:`render`: tensors on the CPU.
        """

    @abstractmethod
    def render(self, params: Any, chosen: Tensor, views: Views) -> tuple[Tensor, Tensor]:
        """The backgrounds of the views ``chosen``, (K,) int64 on the device; not random
        (but for noise).

        Returns float32 in 0 to 255 that broadcasts to (K, 3, H, W), its channels in the
        order of the views', and (K,) bool: False where there is no background to be had
        (finite values all the same).
        """


@singledispatch
def batch_source(source: Background, bank_size: int) -> BatchSource:
    """The counterpart of a source; register one for a source of your own.

    Args:
        source (Background): A source of :mod:`bgaug_mm.datasets.backgrounds`.
        bank_size (int): Most images to keep of a folder, from 1.

    Raises:
        ValueError: For a source (or an infill) without a counterpart.
    """
    raise ValueError(
        f'`background` of type {type(source).__name__} has no counterpart on the device; leave '
        'it in the pipeline, or register one with `batch_source.register`'
    )
