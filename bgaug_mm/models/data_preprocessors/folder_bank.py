"""Images of a folder, decoded once and kept on the device."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import cv2
import torch
from mmengine.logging import print_log
from torch import Tensor

SIDE = 320  #: longest side of an image in the bank, in pixels (our choice)


class FolderBank:
    """Up to ``size`` images of a list of files, as one uint8 tensor.

    Of more files, ``size`` are taken at even distances, so that all subfolders are there
    and a resumed run has the same ones. They are decoded at first use and shrunk to
    :data:`SIDE`: 0.3 MB an image. A file that cannot be read is logged and left out.

    Args:
        files (Sequence[str]): Paths of the images.
        size (int): Most images to keep, from 1.

    Raises:
        ValueError: At first use, if no file can be read.
    """

    def __init__(self, files: Sequence[str], size: int) -> None:
        count = min(size, len(files))
        self.files = [files[i * len(files) // count] for i in range(count)]
        self._images: Tensor | None = None
        self._sizes = torch.empty(0)

    def __len__(self) -> int:
        self._load()
        return len(self._sizes)

    @property
    def sizes(self) -> Tensor:
        """(N, 2) int64 on the CPU: height and width of each image."""
        self._load()
        return self._sizes

    def images(self, device: torch.device) -> Tensor:
        """(N, 3, SIDE, SIDE) uint8 on ``device``: BGR, each in the upper left corner."""
        bank = self._load().to(device)
        self._images = bank
        return bank

    def _load(self) -> Tensor:
        if self._images is not None:
            return self._images
        read = []
        for path in self.files:
            image = cv2.imread(path, cv2.IMREAD_COLOR)
            if image is None:
                print_log(
                    f"background '{path}' cannot be read -> left out",
                    logger='current',
                    level=logging.WARNING,
                )
                continue
            shrink = min(SIDE / max(image.shape[:2]), 1)
            size = [max(round(side * shrink), 1) for side in image.shape[1::-1]]
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            read.append(torch.from_numpy(image).permute(2, 0, 1))
        if not read:
            raise ValueError(
                f"none of the {len(self.files)} background images, '{self.files[0]}' and so on, "
                'can be read'
            )
        bank = torch.zeros(len(read), 3, SIDE, SIDE, dtype=torch.uint8)
        for slot, pixels in zip(bank, read, strict=True):
            slot[:, : pixels.shape[1], : pixels.shape[2]] = pixels
        self._sizes = torch.tensor([pixels.shape[1:] for pixels in read])
        self._images = bank
        return bank
