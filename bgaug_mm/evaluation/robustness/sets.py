"""Which robustness sets there are, and where they lie below one folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...datasets.robustness import (
    CORRUPTIONS,
    IMAGENET9_SUBSETS,
    IMAGENET_V2_FOLDERS,
    SEVERITIES,
    ImageNet9,
    ImageNetA,
    ImageNetC,
    ImageNetR,
    ImageNetReaL,
    ImageNetSketch,
    ImageNetV2,
    ImageNetVal,
    ObjectNet,
    RobustnessSet,
    imagenet_wnids,
)
from ...datasets.robustness.imagenet_folders import Wnids

#: Folder of ImageNet-9, as the archive unpacks.
IMAGENET9_FOLDER = 'bg_challenge'
IMAGENET_C_FOLDER = 'imagenet-c'

#: What can be asked for, in the order of evaluation.
ROBUSTNESS_SETS = (
    'imagenet',
    'imagenet_real',
    'imagenet_v2',
    'imagenet9',
    'imagenet_a',
    'imagenet_r',
    'imagenet_sketch',
    'objectnet',
    'imagenet_c',
    'backgrounds_challenge',
)
#: Not evaluated unless asked for by name: up to 4,050 forward passes a foreground.
COSTLY = ('backgrounds_challenge',)

#: Where ImageNet's WordNet ids are looked for.
_WNID_SOURCES = (
    'imagenet/train',
    'imagenet/val',
    'imagenet/LOC_synset_mapping.txt',
    'imagenet/meta/train.txt',
    'sketch',
)

Opener = Callable[[], RobustnessSet]


def find_wnids(root: str | os.PathLike[str]) -> Wnids:
    """ImageNet's 1000 WordNet ids, from what is there of ImageNet below `root`.

    Where nothing lists them, ``imagenet/train``, which the error will then name: a set
    that is not there itself is told first.
    """
    for name in _WNID_SOURCES:
        try:
            return imagenet_wnids(Path(root) / name)
        except (OSError, ValueError):
            continue
    return Path(root) / _WNID_SOURCES[0]


def openers(
    name: str, root: str | os.PathLike[str], *, wnids: Wnids | None, outputs: int
) -> dict[str, Opener]:
    """The sets of one name of the suite; they are read when called.

    Args:
        name: One of ``ROBUSTNESS_SETS``, but for ``backgrounds_challenge``.
        root: The folder in which the archives were unpacked.
        wnids: Where ImageNet's WordNet ids are. None: looked for below `root`.
        outputs: Of the classifier: ImageNet-9 needs its map for 1000.
    """
    root = Path(root)

    def ids() -> Wnids:
        return find_wnids(root) if wnids is None else wnids

    def part_of_c(corruption: str, severity: int) -> RobustnessSet:
        return ImageNetC(root / IMAGENET_C_FOLDER, corruption, severity, ids())

    if name == 'imagenet9':
        folder = root / IMAGENET9_FOLDER
        label_map = 'in_to_in9.json' if outputs == 1000 else None
        if not folder.is_dir():  # one line says so, not eight
            return {name: partial(ImageNet9, folder)}
        return {
            f'imagenet9_{subset}': partial(ImageNet9, folder, subset, label_map=label_map)
            for subset in IMAGENET9_SUBSETS
        }
    if name == 'imagenet_v2':
        # the test set of most papers, and the two others where they are
        folders = {
            f'imagenet_v2_{variant}': root / folder
            for variant, folder in IMAGENET_V2_FOLDERS.items()
            if (root / folder).is_dir()
        }
        folders.pop('imagenet_v2_matched-frequency', None)
        folders = {name: root / IMAGENET_V2_FOLDERS['matched-frequency'], **folders}
        return {one: partial(ImageNetV2, folder) for one, folder in folders.items()}
    if name == 'imagenet_c':
        if not (root / IMAGENET_C_FOLDER).is_dir():
            return {name: partial(part_of_c, CORRUPTIONS[0], SEVERITIES[0])}
        found: dict[str, Opener] = {}
        for corruption in CORRUPTIONS:
            if (root / IMAGENET_C_FOLDER / corruption).is_dir():
                for severity in SEVERITIES:
                    one = partial(part_of_c, corruption, severity)
                    found[f'imagenet_c_{corruption}_{severity}'] = one
            else:
                found[f'imagenet_c_{corruption}'] = partial(part_of_c, corruption, SEVERITIES[0])
        return found
    return {
        name: {
            'imagenet': lambda: ImageNetVal(root / 'imagenet', ids()),
            'imagenet_real': lambda: ImageNetReaL(root / 'imagenet'),
            'imagenet_a': lambda: ImageNetA(root / 'imagenet-a', ids()),
            'imagenet_r': lambda: ImageNetR(root / 'imagenet-r', ids()),
            'imagenet_sketch': lambda: ImageNetSketch(root / 'sketch', ids()),
            'objectnet': lambda: ObjectNet(root / 'objectnet-1.0'),
        }[name]
    }
