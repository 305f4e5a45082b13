"""ImageNet-C: 15 corruptions at 5 severities (Hendrycks and Dietterich, ICLR 2019)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bgaug_mm.registry import DATASETS

from .class_folders import Label, labelled_images, require
from .imagenet_folders import Wnids, WnidSet

#: The corruptions by the archive that holds them; the four of ``extra.tar`` are not of the
#: benchmark.
IMAGENET_C_ARCHIVES = {
    'noise.tar': ('gaussian_noise', 'shot_noise', 'impulse_noise'),
    'blur.tar': ('defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur'),
    'weather.tar': ('snow', 'frost', 'fog', 'brightness'),
    'digital.tar': ('contrast', 'elastic_transform', 'pixelate', 'jpeg_compression'),
}
CORRUPTIONS = tuple(name for names in IMAGENET_C_ARCHIVES.values() for name in names)
SEVERITIES = (1, 2, 3, 4, 5)


@DATASETS.register_module()
class ImageNetC(WnidSet):
    """One part of ImageNet-C: ``<data_root>/<corruption>/<severity>/<WordNet id>/*.JPEG``.

    Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions
    and Perturbations" (ICLR 2019, section 4). The images are centre crops of ImageNet's
    validation set.

    Args:
        data_root (str | PathLike): The folder in which the four archives were unpacked.
        corruption (str): One of ``CORRUPTIONS``.
        severity (int): 1 to 5.
        wnids (str | PathLike | Sequence[str]): See :class:`WnidSet`. Defaults to
            'data/imagenet/train'.
        **kwargs: Of :class:`RobustnessSet`.

    Raises:
        ValueError: For an unknown corruption or severity, or a class folder missing.
    """

    SOURCE = 'https://zenodo.org/record/2235448'
    CROPPED = True

    def __init__(
        self,
        data_root: str | os.PathLike[str],
        corruption: str,
        severity: int,
        wnids: Wnids = 'data/imagenet/train',
        **kwargs: Any,
    ) -> None:
        if corruption not in CORRUPTIONS:
            raise ValueError(f'`corruption` must be one of {CORRUPTIONS}, but got {corruption!r}')
        if severity not in SEVERITIES:
            raise ValueError(f'`severity` must be one of {SEVERITIES}, but got {severity!r}')
        self.corruption = corruption
        self.severity = severity
        super().__init__(data_root, wnids, **kwargs)

    @property
    def folder(self) -> Path:
        """The folder of the class folders."""
        return self.root / self.corruption / str(self.severity)

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of all 1000 classes."""
        archive = next(
            name for name, held in IMAGENET_C_ARCHIVES.items() if self.corruption in held
        )
        folder = require(
            self.folder,
            f'severity {self.severity} of {self.corruption}',
            f'{archive} of {self.SOURCE}',
        )
        return labelled_images(folder, self.class_numbers())
