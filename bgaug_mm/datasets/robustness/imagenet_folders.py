"""Robustness sets whose folders are named by WordNet ids."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from bgaug_mm.registry import DATASETS

from .base import RobustnessSet
from .class_folders import Label, imagenet_wnids, labelled_images, require, some, wnids_in

Wnids = str | os.PathLike[str] | Sequence[str]


class WnidSet(RobustnessSet):
    """A set of folders ``<WordNet id>``; see the classes below.

    Args:
        data_root (str | PathLike): See :class:`RobustnessSet`.
        wnids (str | PathLike | Sequence[str]): Where ImageNet's 1000 ids are listed, see
            :func:`imagenet_wnids`.
        **kwargs: Of :class:`RobustnessSet`.
    """

    def __init__(
        self, data_root: str | os.PathLike[str], wnids: Wnids = 'data/imagenet/train', **kwargs: Any
    ) -> None:
        self.wnids = wnids
        super().__init__(data_root, **kwargs)

    def class_numbers(self) -> dict[str, Label]:
        """ImageNet's class number of each WordNet id."""
        return {wnid: index for index, wnid in enumerate(imagenet_wnids(self.wnids))}

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of all 1000 classes."""
        return labelled_images(self.root, self.class_numbers())


class WnidSubset(WnidSet):
    """A set of some of ImageNet's classes: those that its ``README.txt`` lists."""

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of the listed classes; fills in ``class_indices``."""
        readme = require(self.root / 'README.txt', 'the list of its classes', self.SOURCE)
        listed = wnids_in(readme)
        if not listed:
            raise ValueError(f'{readme} lists no WordNet ids; fetch it anew, from {self.SOURCE}')
        numbers = self.class_numbers()
        unknown = [wnid for wnid in listed if wnid not in numbers]
        if unknown:
            raise ValueError(f"{readme} lists ids that are not among ImageNet's: {some(unknown)}")
        labels = {wnid: numbers[wnid] for wnid in listed}
        self._metainfo['class_indices'] = tuple(labels.values())
        return labelled_images(self.root, labels)


@DATASETS.register_module()
class ImageNetA(WnidSubset):
    """ImageNet-A: ``<data_root>/<WordNet id>/*.jpg`` of 200 classes, and ``README.txt``.

    Hendrycks et al., "Natural Adversarial Examples" (CVPR 2021, section 3). As the authors
    do, the answer is the highest of the 200 outputs.

    Args:
        data_root (str | PathLike): ``imagenet-a``, as the archive unpacks.
        wnids (str | PathLike | Sequence[str]): See :class:`WnidSet`. Defaults to
            'data/imagenet/train'.
        **kwargs: Of :class:`RobustnessSet`.
    """

    SOURCE = 'https://people.eecs.berkeley.edu/~hendrycks/imagenet-a.tar'


@DATASETS.register_module()
class ImageNetR(WnidSubset):
    """ImageNet-R: ``<data_root>/<WordNet id>/*.jpg`` of 200 classes, and ``README.txt``.

    Hendrycks et al., "The Many Faces of Robustness" (ICCV 2021, section 3). As the authors
    do, the answer is the highest of the 200 outputs.

    Args:
        data_root (str | PathLike): ``imagenet-r``, as the archive unpacks.
        wnids (str | PathLike | Sequence[str]): See :class:`WnidSet`. Defaults to
            'data/imagenet/train'.
        **kwargs: Of :class:`RobustnessSet`.
    """

    SOURCE = 'https://people.eecs.berkeley.edu/~hendrycks/imagenet-r.tar'


@DATASETS.register_module()
class ImageNetSketch(WnidSet):
    """ImageNet-Sketch: ``<data_root>/<WordNet id>/*.JPEG`` of all 1000 classes.

    Wang et al., "Learning Robust Global Representations by Penalizing Local Predictive
    Power" (NeurIPS 2019, section 5).

    Args:
        data_root (str | PathLike): ``sketch``, as the archive unpacks.
        wnids (str | PathLike | Sequence[str]): See :class:`WnidSet`. Defaults to
            'data/imagenet/train'.
        **kwargs: Of :class:`RobustnessSet`.
    """

    SOURCE = 'ImageNet-Sketch.zip (linked from https://github.com/HaohanWang/ImageNet-Sketch)'
