"""The plain BYOL views of an image and its mask by torchvision and by albumentations.

The same work as ``byol_bgswap.py`` without the swap: decode image and mask, two views with
crop (bicubic, mask along), flip, colour jitter, grey, blur and solarisation at BYOL's
probabilities, both as uint8 tensors. Neither library has a background operation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

Pair = tuple[torch.Tensor, torch.Tensor]
Views = Callable[[Path, Path], list[Pair]]

JITTER = dict(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)
SIGMA = (0.1, 2.0)
#: Probabilities of blur and solarisation in the two views.
VIEWS = ((1.0, 0.0), (0.1, 0.2))


class Folder:
    """Images and their masks, as views of one library."""

    def __init__(self, files: Sequence[tuple[Path, Path]], views: Views) -> None:
        self.files = files
        self.views = views

    def __getitem__(self, index: int) -> list[Pair]:
        return self.views(*self.files[index])


def torchvision_views() -> Views:
    """torchvision.transforms.v2 on tensors of uint8.

    Antialiased like Pillow. The blur takes a kernel of 13 pixels, as wide as
    Pillow's at sigma 2.

    Raises:
        ImportError: If it has no tv_tensors (before 0.16).
    """
    from torchvision import tv_tensors
    from torchvision.io import ImageReadMode, decode_image, read_file
    from torchvision.transforms import v2

    pipelines = [
        v2.Compose([
            v2.RandomResizedCrop(224, interpolation=v2.InterpolationMode.BICUBIC, antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.RandomApply([v2.ColorJitter(**JITTER)], 0.8),
            v2.RandomGrayscale(0.2),
            v2.RandomApply([v2.GaussianBlur(13, SIGMA)], blur),
            v2.RandomSolarize(128, solarize),
        ])
        for blur, solarize in VIEWS
    ]  # fmt: skip

    def views(image_path: Path, mask_path: Path) -> list[Pair]:
        image = tv_tensors.Image(decode_image(read_file(str(image_path)), ImageReadMode.RGB))
        mask = tv_tensors.Mask(decode_image(read_file(str(mask_path)), ImageReadMode.GRAY))
        return [pipeline(image, mask) for pipeline in pipelines]

    return views


def albumentations_views() -> Views:
    """albumentations, on OpenCV; its crop is not antialiased.

    Raises:
        ImportError: If it is not installed.
    """
    os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
    import albumentations as A

    def around(value: float) -> tuple[float, float]:
        return 1 - value, 1 + value

    pipelines = [
        A.Compose([
            A.RandomResizedCrop((224, 224), interpolation=cv2.INTER_CUBIC),
            A.HorizontalFlip(p=0.5),
            A.ColorJitter(
                brightness=around(JITTER['brightness']),
                contrast=around(JITTER['contrast']),
                saturation=around(JITTER['saturation']),
                hue=(-JITTER['hue'], JITTER['hue']),
                p=0.8,
            ),
            A.ToGray(p=0.2),
            A.GaussianBlur(blur_limit=0, sigma_limit=SIGMA, p=blur),
            A.Solarize(threshold_range=(0.5, 0.5), p=solarize),
        ])
        for blur, solarize in VIEWS
    ]  # fmt: skip

    def read(path: Path, flag: int) -> Any:
        return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flag)

    def tensor(array: Any) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))

    def views(image_path: Path, mask_path: Path) -> list[Pair]:
        image = cv2.cvtColor(read(image_path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        mask = read(mask_path, cv2.IMREAD_GRAYSCALE)
        outputs = [pipeline(image=image, mask=mask) for pipeline in pipelines]
        return [(tensor(o['image'].transpose(2, 0, 1)), tensor(o['mask'])) for o in outputs]

    return views


#: By the name of the library.
LIBRARIES: dict[str, Callable[[], Views]] = {
    'torchvision.v2': torchvision_views,
    'albumentations': albumentations_views,
}
