"""Images into mask files, a batch at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import write_mask
from bgaug_mm.datasets.transforms.functional import foreground_share

from .base import Image, Saliency, build_estimator
from .reading import ImageError, read_image
from .worker_pool import WorkError


class Task(NamedTuple):
    """An image of a batch; where its mask goes, None when that exists."""

    name: str
    image: str
    mask: str | None


class Outcome(NamedTuple):
    """What became of an image: the share of foreground of its mask, or why it has none."""

    name: str
    share: float | None
    reason: str = ''
    #: Whether it was the estimator that failed, not the reading.
    estimating: bool = False


class MaskMaker:
    """Reads the images of a batch, estimates their saliency and writes the masks.

    Args:
        config (dict): The estimator, see :func:`~bgaug_mm.saliency.base.build_estimator`.
        threshold (float, optional): Saliency in (0, 1) from which a pixel is 255, else 0.
            Defaults to None: soft masks, 0 to 255.
    """

    def __init__(self, config: dict[str, Any], *, threshold: float | None = None) -> None:
        self.estimator = build_estimator(config)
        self.threshold = threshold

    def __call__(self, batch: Sequence[Task]) -> list[Outcome]:
        """Outcomes of the images whose mask is wanted.

        The others are read and estimated as well: a network's result for an image may
        differ in the last bit with the batch it is in, and a resumed run must write what
        an uninterrupted one writes.

        Raises:
            WorkError: If a mask cannot be written, or memory runs out.
        """
        read: list[tuple[Task, Image]] = []
        outcomes = []
        for task in batch:
            try:
                read.append((task, read_image(task.image)))
            except ImageError as error:
                if task.mask is not None:
                    outcomes.append(Outcome(task.name, None, error.reason))
        estimated = self._estimate([image for _, image in read])
        for (task, _), saliency in zip(read, estimated, strict=True):
            if task.mask is None:
                continue
            if isinstance(saliency, str):
                outcomes.append(Outcome(task.name, None, saliency, estimating=True))
            else:
                outcomes.append(self._write(task.name, task.mask, saliency))
        return outcomes

    def _estimate(self, images: Sequence[Image]) -> list[Saliency | str]:
        """The maps; a reason for an image that the estimator cannot do."""
        if not images:
            return []
        try:
            maps = self.estimator.batch(images)
            if all(np.isfinite(saliency).all() for saliency in maps):
                return [*maps]
            reason = 'its saliency is not finite'
        except Exception as error:
            if isinstance(error, MemoryError) or 'out of memory' in str(error).lower():
                raise WorkError(
                    f'memory ran out in a batch of {len(images)} ({error}): try fewer workers, '
                    'smaller batches or a smaller --size'
                ) from error
            reason = f'{type(error).__name__}: {error}'
        if len(images) == 1:
            return [f'{type(self.estimator).__name__}: {reason}']
        return [result for image in images for result in self._estimate([image])]

    def _write(self, name: str, path: str, saliency: Saliency) -> Outcome:
        mask = to_mask(saliency, self.threshold)
        try:
            write_mask(path, mask)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # the image's fault
                return Outcome(name, None, f'its mask cannot be written: {error.strerror}')
            raise cannot_write(path, error) from error
        return Outcome(name, rounded_share(mask))


def to_mask(saliency: Saliency, threshold: float | None) -> NDArray[np.uint8]:
    """A map in [0, 1] as (H, W) uint8."""
    if threshold is not None:
        return np.where(saliency >= threshold, 255, 0).astype(np.uint8)
    mask = np.round(saliency * 255).astype(np.uint8)
    # 0 and 1 alone are what loading takes for a mask that was not scaled to 255
    return mask if mask.max() > 1 else np.zeros_like(mask)


def rounded_share(mask: NDArray[np.uint8]) -> float:
    """Share of foreground as the reports hold it: the same from memory and from a file."""
    return round(foreground_share(mask), 6)


def cannot_write(path: str | os.PathLike[str], error: OSError) -> WorkError:
    """The message for a disk that is full or not writable."""
    text = f"'{os.fspath(path)}' cannot be written: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        text += '; all masks so far are whole. Free space and run the same command again to go on'
    return WorkError(text)
