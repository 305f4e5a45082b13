"""Folders of images as the robustness sets are distributed, and what is missing in them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

IMAGE_SUFFIXES = ('.jpeg', '.jpg', '.png')
#: What ImageNet-1k has.
IMAGENET_CLASSES = 1000

_WNID = re.compile(r'n\d{8}')

#: A class, or the classes any of which is right.
Label = int | list[int]


def require(path: Path, what: str, source: str) -> Path:
    """Return a path that exists.

    Raises:
        FileNotFoundError: If not: names the path, what it is, and where it comes from.
    """
    if not path.exists():
        raise FileNotFoundError(f'{path} is missing: {what}. Fetch {source} and put it there')
    return path


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        ValueError: If it is none.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:  # not UTF-8, or not JSON
        raise ValueError(f'{path} is not a JSON file: {error}') from error


def read_names(path: Path) -> dict[str, str]:
    """A JSON file that maps names to names.

    Raises:
        ValueError: If it is none, or a name is no text.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} must map names to names, but is a {type(content).__name__}')
    for key, value in content.items():
        if not isinstance(value, str):
            raise ValueError(f'{path}: {key!r} must be mapped to a name, but is to {value!r}')
    return content


def images_in(folder: str | os.PathLike[str]) -> list[str]:
    """Paths of the images directly in a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(one.path for one in entries if one.name.lower().endswith(IMAGE_SUFFIXES))


def folders_in(folder: str | os.PathLike[str]) -> list[str]:
    """Names of the folders in a folder, sorted; not the hidden ones."""
    with os.scandir(folder) as entries:
        return sorted(one.name for one in entries if one.is_dir() and not one.name.startswith('.'))


def labelled_images(
    root: Path, labels: Mapping[str, Label], *, others: Sequence[str] = ()
) -> Iterator[tuple[str, Label]]:
    """Images ``<root>/<class>/*`` with their labels, class by class.

    A set with a class less would have another accuracy, so that is an error.

    Args:
        root: The folder of the class folders.
        labels: Folder name → label; all of them must be there, with an image.
        others: Names of folders that belong to the set and are not looked into.

    Raises:
        ValueError: For missing, empty or unknown class folders.
    """
    found = folders_in(root)
    missing = sorted(labels.keys() - set(found))
    if missing:
        raise ValueError(
            f'{root} misses {len(missing)} of its {len(labels)} class folders: {some(missing)}'
        )
    unknown = sorted(set(found) - labels.keys() - set(others))
    if unknown:
        raise ValueError(
            f'{root} has {len(unknown)} folders that are no class of the set: {some(unknown)}'
        )
    for name, label in labels.items():
        images = images_in(root / name)
        if not images:
            raise ValueError(f'{root / name} has no images {", ".join(IMAGE_SUFFIXES)}')
        for path in images:
            yield path, label


def wnids_in(path: str | os.PathLike[str]) -> list[str]:
    """The WordNet ids (``n`` and 8 digits) that a folder or text file lists, sorted.

    In a folder its folders' names; in a file what its lines begin with.

    Raises:
        FileNotFoundError: If there is neither.
    """
    path = Path(path)
    if path.is_dir():
        return [name for name in folders_in(path) if _WNID.fullmatch(name)]
    try:
        with open(path, encoding='utf-8', errors='replace') as lines:
            return sorted({match[0] for line in lines if (match := _WNID.match(line))})
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is missing: ImageNet's WordNet ids are read from it, its train or val folder "
            'or a file whose lines begin with an id (LOC_synset_mapping.txt). Fetch it from '
            'https://image-net.org/download-images, or name another (`wnids`)'
        ) from None


def imagenet_wnids(source: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    """The 1000 WordNet ids of ImageNet-1k, in the order of a classifier's outputs.

    mmpretrain, mmcls and torchvision number the classes by sorted ids.

    Args:
        source: ImageNet's ``train`` or ``val`` folder of class folders, a file whose lines
            begin with an id (``LOC_synset_mapping.txt``, ``synset_words.txt``,
            ``meta/train.txt``), or the ids.

    Raises:
        FileNotFoundError: If there is no such folder or file.
        ValueError: If these are not 1000.
    """
    listed = isinstance(source, (str, os.PathLike))
    wnids = wnids_in(source) if listed else sorted(set(source))  # type: ignore[arg-type]
    if len(wnids) != IMAGENET_CLASSES:
        where = source if listed else '`wnids`'
        raise ValueError(
            f"{where} lists {len(wnids)} WordNet ids, not ImageNet-1k's {IMAGENET_CLASSES}; name "
            "ImageNet's train folder, or a file whose lines begin with an id "
            '(LOC_synset_mapping.txt)'
        )
    return wnids


def some(names: Sequence[str], count: int = 5) -> str:
    """The first of many names."""
    rest = f' and {len(names) - count} more' if len(names) > count else ''
    return ', '.join(names[:count]) + rest
