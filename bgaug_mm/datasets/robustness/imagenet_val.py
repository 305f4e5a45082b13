"""ImageNet's validation images, with their own labels and with the reassessed ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bgaug_mm.registry import DATASETS

from .base import RobustnessSet
from .class_folders import (
    IMAGENET_CLASSES,
    Label,
    folders_in,
    images_in,
    labelled_images,
    read_json,
    require,
    some,
)
from .imagenet_folders import WnidSet

_NUMBER = re.compile(r'ILSVRC2012_val_(\d{8})', re.IGNORECASE)


@DATASETS.register_module()
class ImageNetVal(WnidSet):
    """ImageNet's validation set: what the accuracies on the others are compared with.

    Either ``<data_root>/val/<WordNet id>/*.JPEG``, or ``<data_root>/val/*.JPEG`` with
    mmpretrain's ``<data_root>/meta/val.txt`` (a file name and a class number a line).

    Args:
        data_root (str | PathLike): The folder of ImageNet.
        wnids (str | PathLike | Sequence[str]): See :class:`WnidSet`; not needed for the second
            layout. Defaults to 'data/imagenet/train'.
        **kwargs: Of :class:`RobustnessSet`.
    """

    SOURCE = 'https://image-net.org/download-images'

    @property
    def folder(self) -> Path:
        """The folder of the class folders."""
        return self.root / 'val'

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of all 1000 classes."""
        folder = require(self.folder, "ImageNet's validation images", self.SOURCE)
        if folders_in(folder):
            return labelled_images(folder, self.class_numbers())
        listing = require(
            self.root / 'meta/val.txt',
            'the labels of validation images that are not in class folders',
            'caffe_ilsvrc12.tar.gz (see mmpretrain, "Prepare dataset")',
        )
        labels = self._listed(listing)
        present = {os.path.basename(path) for path in images_in(folder)}
        uncovered = sorted(present - labels.keys())
        if uncovered:
            raise ValueError(
                f'{listing} does not cover {len(uncovered)} images of {folder}: {some(uncovered)}'
            )
        missing = sorted(labels.keys() - present)
        if missing:
            raise ValueError(
                f'{folder} misses {len(missing)} of the {len(labels)} images of {listing}: '
                f'{some(missing)}'
            )
        return [(str(folder / name), number) for name, number in labels.items()]

    def _listed(self, listing: Path) -> dict[str, int]:
        labels = {}
        for line in listing.read_text(encoding='utf-8').splitlines():
            name, _, number = line.strip().rpartition(' ')
            if not number.isdecimal() or int(number) >= IMAGENET_CLASSES or not name:
                raise ValueError(f'{listing}: `{line}` is not a file name and a class number')
            labels[name] = int(number)
        return labels


@DATASETS.register_module()
class ImageNetReaL(RobustnessSet):
    """ImageNet's validation set with the reassessed labels of ``real.json``.

    Beyer et al., "Are we done with ImageNet?" (arXiv 2006.07159, section 4): any of an
    image's labels is right, and images without one are left out. The list's index is the
    number in ``ILSVRC2012_val_00000001.JPEG``, less one.

    Args:
        data_root (str | PathLike): The folder of ImageNet, with ``val/*.JPEG`` or
            ``val/<WordNet id>/*.JPEG``.
        labels (str): The file, below ``data_root`` when relative. Defaults to 'real.json'.
        **kwargs: Of :class:`RobustnessSet`.

    Raises:
        FileNotFoundError: If the images or the labels are not there.
        ValueError: For an image without a number, or one that the labels do not cover.
    """

    SOURCE = ImageNetVal.SOURCE

    def __init__(
        self, data_root: str | os.PathLike[str], labels: str = 'real.json', **kwargs: Any
    ) -> None:
        self.labels = labels
        super().__init__(data_root, **kwargs)

    @property
    def folder(self) -> Path:
        """The folder of the class folders."""
        return self.root / 'val'

    def samples(self) -> Iterable[tuple[str, Label]]:
        """The images that have a label."""
        folder = require(self.folder, "ImageNet's validation images", self.SOURCE)
        path = require(
            self.root / self.labels,
            'the reassessed labels',
            'https://github.com/google-research/reassessed-imagenet/blob/master/real.json',
        )
        real = read_json(path)
        if not isinstance(real, list) or not all(isinstance(one, list) for one in real):
            raise ValueError(f'{path} must be a list of lists of class numbers')
        images = [image for name in ('', *folders_in(folder)) for image in images_in(folder / name)]
        if len(images) != len(real):
            raise ValueError(
                f'{path} has labels of {len(real)} images, but {folder} has {len(images)}'
            )
        return self._labelled(sorted(images, key=os.path.basename), real, path)

    def _labelled(
        self, images: list[str], real: list[list[int]], path: Path
    ) -> Iterator[tuple[str, Label]]:
        for image in images:
            number = _NUMBER.match(os.path.basename(image))
            if number is None:
                raise ValueError(f'{image} is not named ILSVRC2012_val_00000001.JPEG')
            index = int(number[1]) - 1
            if not 0 <= index < len(real):
                raise ValueError(f'{path} does not cover {image}')
            if real[index]:
                yield image, real[index]
