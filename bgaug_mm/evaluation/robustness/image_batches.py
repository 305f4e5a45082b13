"""Image files as batches, each image as ImageNet's test sets are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ...saliency.base import Image
from ...saliency.reading import ImageError, read_image


class Batch(NamedTuple):
    """Some of the files.

    Attributes:
        indices: Which of the files these are, ascending.
        images: (len(indices), 3, crop, crop) uint8, BGR.
        unreadable: Index → why, of the files of this part that could not be read.
    """

    indices: list[int]
    images: Tensor
    unreadable: dict[int, str]


def centre_view(
    image: Image, *, short: int | None = 256, crop: int = 224, border: int = 0
) -> Image:
    """Resize to a shorter side and cut the central square.

    Bilinear with anti-aliasing (Pillow's), as torchvision's ``Resize``, with which the
    authors of the robustness sets measured.

    Args:
        image (ndarray): (H, W, 3) uint8.
        short (int, optional): The shorter side, at least ``crop``. Defaults to 256; None
            for images that were cropped already: then it is ``crop``.
        crop (int): Side of the square. Defaults to 224.
        border (int): Pixels that are taken away on each side before. Defaults to 0.

    Returns:
        ndarray: (crop, crop, 3) uint8.
    """
    if border:
        image = image[border:-border, border:-border]
    height, width = image.shape[:2]
    target, shorter = short or crop, min(height, width)
    if target != shorter:
        # in integers: int(374 * (256 / 374)) is 255
        size = target * width // shorter, target * height // shorter
        resized = PillowImage.fromarray(image).resize(size, PillowImage.Resampling.BILINEAR)
        image = np.asarray(resized, np.uint8)
        width, height = size
    top, left = round((height - crop) / 2), round((width - crop) / 2)
    return image[top : top + crop, left : left + crop]


class _Views(Dataset[tuple[int, Image | str]]):
    """Index and view of each file, or why there is none."""

    def __init__(self, files: Sequence[str], short: int | None, crop: int, border: int) -> None:
        self.files, self.short, self.crop, self.border = list(files), short, crop, border

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[int, Image | str]:
        try:
            image = read_image(self.files[index])
            if min(image.shape[:2]) <= 2 * self.border:
                raise ImageError(self.files[index], f'nothing is left within {self.border} px')
        except ImageError as error:
            return index, str(error)
        return index, centre_view(image, short=self.short, crop=self.crop, border=self.border)


def _collate(samples: Sequence[tuple[int, Image | str]]) -> Batch:
    read = [(index, view) for index, view in samples if not isinstance(view, str)]
    images = [torch.from_numpy(view[..., ::-1].copy()).permute(2, 0, 1) for _, view in read]
    return Batch(
        [index for index, _ in read],
        torch.stack(images) if images else torch.empty(0),
        {index: view for index, view in samples if isinstance(view, str)},
    )


def image_batches(
    files: Sequence[str],
    *,
    short: int | None = 256,
    crop: int = 224,
    border: int = 0,
    batch_size: int = 128,
    workers: int = 0,
) -> Iterator[Batch]:
    """Read files in order; one that cannot be read is named and left out.

    Args:
        files (Sequence[str]): Image files.
        short (int, optional): See :func:`centre_view`.
        crop (int): The same.
        border (int): The same.
        batch_size (int): Files a batch. Defaults to 128.
        workers (int): Processes that read, at most; 0 for this one. Defaults to 0.
    """
    loader = DataLoader(
        _Views(files, short, crop, border),
        batch_size=batch_size,
        num_workers=min(workers, len(files) // batch_size),  # one batch is not worth any
        collate_fn=_collate,
    )
    yield from loader
