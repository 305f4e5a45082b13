"""ObjectNet (Barbu et al., NeurIPS 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bgaug_mm.registry import DATASETS

from .base import RobustnessSet
from .class_folders import (
    IMAGENET_CLASSES,
    Label,
    folders_in,
    labelled_images,
    read_json,
    read_names,
    require,
    some,
)


@DATASETS.register_module()
class ObjectNet(RobustnessSet):
    """ObjectNet's classes that ImageNet has too: ``<data_root>/images/<folder>/*.png``.

    Barbu et al., "ObjectNet: A large-scale bias-controlled dataset for pushing the limits of
    object recognition models" (NeurIPS 2019, section 4). Which folders these are (113 of
    313), and which of ImageNet's classes are right for each, is read from
    ``<data_root>/mappings``: ``folder_to_objectnet_label.json``,
    ``objectnet_to_imagenet_1k.json``, ``imagenet_to_label_2012_v2`` and
    ``pytorch_to_imagenet_2012_id.json``. As the authors do, the answer is the highest of all
    1000 outputs. The images have a red border of 2 px, to be cut off
    (``bgaug_mm.CropBorder`` in a pipeline).

    Args:
        data_root (str | PathLike): ``objectnet-1.0``, as the archive unpacks.
        **kwargs: Of :class:`RobustnessSet`.

    Raises:
        FileNotFoundError: If the images or one of the maps are not there.
        ValueError: If the maps do not cover a folder or a class, or a class folder is missing.
    """

    SOURCE = 'objectnet-1.0.zip (https://objectnet.dev/download.html)'
    BORDER = 2

    @property
    def folder(self) -> Path:
        """The folder of the class folders."""
        return self.root / 'images'

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of the classes that ImageNet has too."""
        images = require(self.folder, 'the images of ObjectNet', self.SOURCE)
        names = read_names(self._map('folder_to_objectnet_label.json'))  # folder -> name
        matches = read_names(self._map('objectnet_to_imagenet_1k.json'))  # name -> 'a; b, c'
        numbers = self._imagenet_numbers()
        unnamed = [folder for folder in folders_in(images) if folder not in names]
        if unnamed:
            raise ValueError(
                f'{self._map("folder_to_objectnet_label.json")} does not cover the folders '
                f'{some(unnamed)}'
            )
        unplaced = sorted(set(matches) - set(names.values()))
        if unplaced:
            raise ValueError(
                f'{self._map("folder_to_objectnet_label.json")} has no folder for the classes '
                f'{some(unplaced)}'
            )
        labels: dict[str, Label] = {}
        for folder, name in names.items():
            if name in matches:
                meant = [one.strip() for one in matches[name].split(';')]
                unknown = [one for one in meant if one not in numbers]
                if unknown:
                    raise ValueError(
                        f'{self._map("imagenet_to_label_2012_v2")} has no class {unknown[0]!r}, '
                        f'which the class {name!r} is mapped to'
                    )
                labels[folder] = sorted(numbers[one] for one in meant)
        return labelled_images(images, labels, others=[one for one in names if one not in labels])

    def _map(self, name: str) -> Path:
        return require(self.root / 'mappings' / name, "one of ObjectNet's maps", self.SOURCE)

    def _imagenet_numbers(self) -> dict[str, int]:
        """A classifier's output for each of ImageNet's class names in ObjectNet's spelling."""
        path = self._map('pytorch_to_imagenet_2012_id.json')
        lines = self._map('imagenet_to_label_2012_v2').read_text(encoding='utf-8').splitlines()
        content = read_json(path)
        try:
            line_of = {int(index): int(line) for index, line in content.items()}
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f'{path} does not map numbers to numbers') from None
        if set(line_of) != set(range(IMAGENET_CLASSES)) or max(line_of.values()) >= len(lines):
            raise ValueError(
                f"{path} does not map ImageNet's classes 0 to {IMAGENET_CLASSES - 1} to the "
                f'{len(lines)} lines of imagenet_to_label_2012_v2'
            )
        return {lines[line].strip(): index for index, line in line_of.items()}
