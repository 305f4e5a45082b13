"""ImageNet-9 and its variations (Xiao et al., ICLR 2021)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from bgaug_mm.registry import DATASETS

from .base import RobustnessSet
from .class_folders import IMAGENET_CLASSES, Label, folders_in, labelled_images, read_json, require

#: The sets of the archive: `original`, and foregrounds and backgrounds recombined.
IMAGENET9_SUBSETS = (
    'original',
    'mixed_same',
    'mixed_rand',
    'mixed_next',
    'only_fg',
    'only_bg_b',
    'only_bg_t',
    'no_fg',
)
#: The challenge's own map of ImageNet's classes.
IN_TO_IN9 = 'in_to_in9.json'

_CLASSES = 9
_CLASS_FOLDER = re.compile(r'0[0-8]_')
_REPOSITORY = 'https://github.com/MadryLab/backgrounds_challenge'


def read_in_to_in9(path: Path) -> tuple[int, ...]:
    """The ImageNet-9 class of each of ImageNet's 1000; -1 for none of them.

    Raises:
        FileNotFoundError: If the file is not there: says where it comes from.
        ValueError: If it leaves out one of ImageNet's classes or one of the 9.
    """
    require(
        path,
        "the challenge's map of ImageNet's classes, needed for a classifier of 1000 classes",
        f'{_REPOSITORY}/blob/master/{IN_TO_IN9} (it is not in the archive)',
    )
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} must map class numbers to class numbers')
    uncovered = [index for index in range(IMAGENET_CLASSES) if str(index) not in content]
    if uncovered:
        raise ValueError(
            f"{path} does not cover {len(uncovered)} of ImageNet's classes, first {uncovered[0]}"
        )
    label_map = tuple(content[str(index)] for index in range(IMAGENET_CLASSES))
    strange = [label for label in label_map if label not in range(-1, _CLASSES)]
    if strange:
        raise ValueError(f'{path} maps to {strange[0]!r}, which is not in -1..{_CLASSES - 1}')
    empty = sorted(set(range(_CLASSES)) - set(label_map))
    if empty:
        raise ValueError(f'{path} maps no class of ImageNet to the class {empty[0]} of ImageNet-9')
    return label_map


@DATASETS.register_module()
class ImageNet9(RobustnessSet):
    """One set of ImageNet-9: ``<data_root>/<subset>/<split>/<00_dog …>/*.JPEG``.

    Xiao et al., "Noise or Signal: The Role of Image Backgrounds in Object Recognition"
    (ICLR 2021, section 2). BG-Gap is the accuracy on `mixed_same` less that on `mixed_rand`.

    The labels are the numbers that the 9 class folders' names begin with. A classifier of
    ImageNet's 1000 classes is read through ``in_to_in9.json`` as the authors do: the
    highest of all 1000 outputs, mapped; a class outside of the 9 is wrong. A classifier of
    9 outputs needs no map.

    Args:
        data_root (str | PathLike): ``bg_challenge``, as the archive unpacks.
        subset (str): One of ``IMAGENET9_SUBSETS``. Defaults to 'original'.
        split (str): 'val', or 'train' to fit a probe: the training images are archives of
            their own (``original.tar.gz`` …), with a ``val`` that the authors say to ignore,
            so unpack them into another folder. Defaults to 'val'.
        label_map (str, optional): The file, below ``data_root`` when relative. Defaults to
            'in_to_in9.json' if that is there, else to none; when a file is named it must be
            there.
        **kwargs: Of :class:`RobustnessSet`.

    Raises:
        FileNotFoundError: If the set, or the named map, is not there.
        ValueError: For an unknown subset or split, a class folder missing, or a map with gaps.
    """

    SOURCE = f'{_REPOSITORY}/releases/download/data/backgrounds_challenge_data.tar.gz'
    CROPPED = True
    METAINFO: ClassVar[dict[str, Any]] = {**RobustnessSet.METAINFO, 'num_classes': _CLASSES}

    def __init__(
        self,
        data_root: str | os.PathLike[str],
        subset: str = 'original',
        *,
        split: str = 'val',
        label_map: str | None = None,
        **kwargs: Any,
    ) -> None:
        if subset not in IMAGENET9_SUBSETS:
            raise ValueError(f'`subset` must be one of {IMAGENET9_SUBSETS}, but got {subset!r}')
        if split not in ('val', 'train'):
            raise ValueError(f"`split` must be 'val' or 'train', but got {split!r}")
        self.subset = subset
        self.split = split
        self.label_map = label_map
        super().__init__(data_root, **kwargs)

    @property
    def folder(self) -> Path:
        """The folder of the class folders."""
        return self.root / self.subset / self.split

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of the subset; fills in ``classes`` and ``label_map``."""
        folder = require(
            self.folder,
            f'the set {self.subset}',
            self.SOURCE if self.split == 'val' else f'a set under "Training Data" of {_REPOSITORY}',
        )
        # The names are the authors', `02_wheeled vehicle`; their numbers are the labels.
        labels: dict[str, Label] = {
            name: int(name[:2]) for name in folders_in(folder) if _CLASS_FOLDER.match(name)
        }
        missing = [number for number in range(_CLASSES) if number not in labels.values()]
        if missing:
            raise ValueError(
                f'{folder} misses {len(missing)} of its {_CLASSES} class folders: '
                + ', '.join(f'{number:02d}_…' for number in missing)
            )
        if len(labels) > _CLASSES:
            raise ValueError(f'{folder} has two folders of one class: {", ".join(labels)}')
        self._metainfo['classes'] = tuple(name[3:] for name in labels)
        path = self.root / (self.label_map or IN_TO_IN9)
        if self.label_map is not None or path.is_file():
            self._metainfo['label_map'] = read_in_to_in9(path)
        return labelled_images(folder, labels)
