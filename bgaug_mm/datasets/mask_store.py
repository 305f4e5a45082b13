"""Which file holds the mask of an image, and reading it.

The folder of PNGs here is the first store; others (a packed file) go behind the
same small interface: :meth:`MaskStore.locate`, :meth:`MaskStore.exists` and
:func:`read_mask_bytes`. What writes masks, writes them with :func:`write_mask`.
"""

from __future__ import annotations

import os
import string
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine import fileio
from numpy.typing import NDArray

from bgaug_mm.files import write_bytes

#: What may be done with a sample whose mask is missing or bad.
BAD_MASK_ACTIONS = ('error', 'no_background_op', 'skip')

_FIELDS = ('dir', 'stem', 'ext')


def read_mask_bytes(location: str) -> bytes:
    """The encoded mask at a location.

    Args:
        location (str): What :meth:`MaskStore.locate` gave.

    Raises:
        FileNotFoundError: If there is none.
    """
    if '://' in location:
        return fileio.get(location)
    with open(location, 'rb') as file:
        return file.read()


def write_mask(path: str, mask: NDArray[Any]) -> None:
    """Write a mask as PNG, so that it can be read three times as fast.

    Filtering rows, which PNG writers do for photographs, makes masks neither smaller
    nor faster: without it decoding a soft 500×375 mask takes 0.2 to 0.35 ms instead of
    0.65 to 1 (measured; OpenCV before 4.12 cannot switch it off).

    Args:
        path (str): The file; its folder is made.
        mask (ndarray): (H, W) uint8.

    Raises:
        ValueError: If the array is no mask.
    """
    if mask.ndim != 2 or mask.dtype != np.uint8 or not mask.size:
        raise ValueError(f'a mask must be (H, W) uint8, but got {mask.shape} {mask.dtype}')
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    options += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
    if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
        options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    write_bytes(Path(path), cv2.imencode('.png', mask, options)[1].tobytes())


class MaskStore(ABC):
    """Where the masks of the images below one folder are."""

    root: str  #: For messages: the folder or file the masks are looked up in.

    @abstractmethod
    def locate(self, img_path: str) -> str | None:
        """Where the mask of an image is (or should be); None when nothing says so.

        Args:
            img_path (str): Path of the image, below the image root.

        Raises:
            ValueError: If the image is not below the image root.
        """

    @abstractmethod
    def exists(self, location: str) -> bool:
        """Whether there is a mask at a location."""


class MaskFolder(MaskStore):
    """A folder of mask files, by default one that mirrors the image folder.

    Args:
        image_root (str): Folder of the images; may be empty when the image paths are
            given from elsewhere.
        mask_root (str, optional): Folder of the masks. Defaults to None: the image
            folder's name with ``_masks`` behind it, beside it, so that
            ``imagenet/train/n01/x.JPEG`` has ``imagenet/train_masks/n01/x.png``.
        suffix (str): Ending of the mask files, for the mirrored tree. Defaults to
            '.png'.
        name_rule (str, optional): Path of a mask below ``mask_root``, made of the
            fields ``{dir}`` (folder of the image below the image root), ``{stem}``
            (file name without ending) and ``{ext}`` (ending, with the dot), e.g.
            ``'{dir}/{stem}_mask.png'``. Defaults to None, ``'{dir}/{stem}'`` and the
            suffix.
        list_file (str, optional): Text file with an image path and a mask path in
            each line, separated by a tab, a comma or blanks; relative to the image
            root and to ``mask_root``. Defaults to None.

    Raises:
        ValueError: For a rule with other fields, a rule and a list at once, a list
            that cannot be used (with the number of the line), no folder to look in.
    """

    def __init__(
        self,
        image_root: str,
        mask_root: str | None = None,
        *,
        suffix: str = '.png',
        name_rule: str | None = None,
        list_file: str | None = None,
    ) -> None:
        if name_rule is not None and list_file is not None:
            raise ValueError('give `name_rule` or `list_file`, not both')
        if mask_root is None:
            if not image_root:
                raise ValueError(
                    'the wrapped dataset has neither `data_root` nor `data_prefix`, so there is no '
                    'image folder to look beside: give `mask_root`'
                )
            mask_root = default_mask_root(image_root)
        self.image_root = image_root
        self.root = mask_root
        self.rule = check_name_rule('{dir}/{stem}' + suffix if name_rule is None else name_rule)
        self.list_file = list_file
        self._listed = None if list_file is None else read_mask_list(list_file)
        self._prefix = image_root if image_root.endswith('/') else f'{image_root}/'
        self._names: dict[str, frozenset[str]] = {}

    def relative(self, img_path: str) -> str:
        """Path of an image below the image root, with forward slashes."""
        if not self.image_root:
            return img_path
        if img_path.startswith(self._prefix):  # the usual case, and a fast one
            return img_path[len(self._prefix) :]
        path = os.path.relpath(img_path, self.image_root)
        if path.startswith('..') or os.path.isabs(path):
            raise ValueError(f"image '{img_path}' is not below the image root '{self.image_root}'")
        return path.replace(os.sep, '/')

    def locate(self, img_path: str) -> str | None:
        """The mask's path; None for an image that the list file does not name."""
        path = self.relative(img_path)
        if self._listed is not None:
            name = self._listed.get(path, self._listed.get(img_path))
            return None if name is None else os.path.join(self.root, name)
        if os.path.isabs(path):
            raise ValueError(
                f"image '{img_path}' has an absolute path and the dataset no `data_root`: give "
                'one, or a `list_file`'
            )
        folder, _, name = path.rpartition('/')
        stem, dot, ext = name.rpartition('.')
        if not stem:  # no dot, or a hidden file
            stem, dot, ext = name, '', ''
        mask = self.rule.format(dir=folder, stem=stem, ext=dot + ext)
        return os.path.join(self.root, mask.lstrip('/'))

    def exists(self, location: str) -> bool:
        """Whether the file is there (folders are listed once, so later ones are not seen)."""
        if '://' in location:
            return bool(fileio.exists(location))
        folder, name = os.path.split(location)
        if folder not in self._names:
            # one listing a folder instead of one look-up a file: the difference
            # between seconds and minutes on a network file system
            try:
                self._names[folder] = frozenset(os.listdir(folder or '.'))
            except OSError:
                self._names[folder] = frozenset()
        return name in self._names[folder]

    def forget(self) -> None:
        """Free what :meth:`exists` remembers."""
        self._names.clear()


def default_mask_root(image_root: str) -> str:
    """The folder beside the images whose name has ``_masks`` behind it."""
    root = image_root.rstrip('/')
    if os.path.basename(root) in ('', '.', '..'):
        root = os.path.abspath(image_root)
    return f'{root}_masks'


def check_name_rule(rule: str) -> str:
    """A rule that uses nothing but the three fields, or ValueError."""
    problem = ''
    try:
        # no attribute, index, conversion or format: the rule comes from a config
        for _, field, spec, conversion in string.Formatter().parse(rule):
            if field is not None and (field not in _FIELDS or spec or conversion):
                problem = f'has the field {{{field}}}'
    except ValueError as error:
        problem = str(error)
    if not problem and '{stem}' not in rule:
        problem = 'has no {stem}'
    if problem:
        raise ValueError(
            "`name_rule` must be made of {dir}, {stem} and {ext}, like '{dir}/{stem}_mask.png', "
            f'but {rule!r} {problem}'
        )
    return rule


def read_mask_list(list_file: str) -> dict[str, str]:
    """Read a list of image and mask paths.

    Raises:
        ValueError: With the number of the line, for a line without two columns, an
            image with two masks, a mask of two images; for an unreadable or empty file.
    """
    try:
        lines = Path(list_file).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"`list_file` '{list_file}' cannot be read: {error}") from error
    masks: dict[str, str] = {}
    owners: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        separator = '\t' if '\t' in line else ',' if ',' in line else None
        columns = [column.strip() for column in line.split(separator)]
        where = f'{list_file}, line {number}'
        if len(columns) != 2 or not all(columns):
            raise ValueError(
                f'{where}: must hold an image path and a mask path, separated by a tab, a comma '
                f'or blanks, but got {line!r}'
            )
        image, mask = columns
        if masks.setdefault(image, mask) != mask:
            raise ValueError(f"{where}: image '{image}' has another mask already, '{masks[image]}'")
        if owners.setdefault(mask, image) != image:
            raise ValueError(f"{where}: mask '{mask}' belongs to another image, '{owners[mask]}'")
    if not masks:
        raise ValueError(f"`list_file` '{list_file}' is empty")
    return masks
