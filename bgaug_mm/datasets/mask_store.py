"""Where the mask of an image is, and reading it.

Two stores stand behind one small interface, :class:`MaskStore` and :func:`read_mask`: a
folder of PNG files and a packed file (:mod:`~bgaug_mm.datasets.packed_masks`);
:func:`open_mask_store` takes the one that is there. What writes masks, writes them with
:func:`write_mask`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any

from mmengine import fileio

from .mask_names import check_name_rule, default_mask_root, read_mask_list
from .mask_reading import open_packed, packed_key, read_mask, read_mask_bytes, write_mask
from .packed_masks import PACKED_SUFFIX, SEPARATOR

__all__ = [
    'BAD_MASK_ACTIONS',
    'MaskFolder',
    'MaskStore',
    'PackedMaskStore',
    'open_mask_store',
    'read_mask',
    'read_mask_bytes',
    'write_mask',
]

#: What may be done with a sample whose mask is missing or bad.
BAD_MASK_ACTIONS = ('error', 'no_background_op', 'skip')


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

    @abstractmethod
    def require(self) -> None:
        """Raise ValueError if the folder or file is not there."""


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
        name = self.mask_name(img_path)
        return None if name is None else os.path.join(self.root, name)

    def mask_name(self, img_path: str) -> str | None:
        """Path of the mask below the root."""
        path = self.relative(img_path)
        if self._listed is not None:
            return self._listed.get(path, self._listed.get(img_path))
        if os.path.isabs(path):
            raise ValueError(
                f"image '{img_path}' has an absolute path and the dataset no `data_root`: give "
                'one, or a `list_file`'
            )
        folder, _, name = path.rpartition('/')
        stem, dot, ext = name.rpartition('.')
        if not stem:  # no dot, or a hidden file
            stem, dot, ext = name, '', ''
        return self.rule.format(dir=folder, stem=stem, ext=dot + ext).lstrip('/')

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

    def require(self) -> None:
        """Raise ValueError if there is no such folder."""
        if '://' not in self.root and not os.path.isdir(self.root):
            raise ValueError(
                f"there is no folder of saliency masks '{self.root}' for the images in "
                f"'{self.image_root}': make the masks, or say where they are (`mask_root`)"
            )

    def forget(self) -> None:
        """Free what :meth:`exists` remembers."""
        self._names.clear()


class PackedMaskStore(MaskFolder):
    """A packed file of masks: the folder's rules, the masks in one file.

    The key of a mask is the path that its file had below the packed folder, without
    the ending '.png' (or ``suffix``).

    Args:
        image_root (str): As for :class:`MaskFolder`.
        mask_root (str): The file that ``tools/saliency/pack_masks.py`` made.
        suffix (str): As for :class:`MaskFolder`, and so are ``name_rule`` and ``list_file``.

    Raises:
        ValueError: If there is no such file or it cannot be used.
    """

    def __init__(
        self,
        image_root: str,
        mask_root: str,
        *,
        suffix: str = '.png',
        name_rule: str | None = None,
        list_file: str | None = None,
    ) -> None:
        super().__init__(
            image_root, mask_root, suffix=suffix, name_rule=name_rule, list_file=list_file
        )
        self._suffix = suffix
        try:
            self._masks = open_packed(mask_root, anew=True)
        except FileNotFoundError:
            raise ValueError(
                f"there is no packed mask store '{mask_root}': make it with "
                'tools/saliency/pack_masks.py, or say where it is (`mask_root`)'
            ) from None

    def require(self) -> None:
        """Nothing: a store that was opened is there."""

    def locate(self, img_path: str) -> str | None:
        """File and key of the mask; None for an image that the list file does not name."""
        name = self.mask_name(img_path)
        return None if name is None else self.root + SEPARATOR + name.removesuffix(self._suffix)

    def exists(self, location: str) -> bool:
        """Whether the store has it (also when its record is damaged)."""
        return (packed_key(location) or ('', ''))[1] in self._masks


def open_mask_store(
    image_root: str, mask_root: str | None = None, **options: Any
) -> MaskFolder | PackedMaskStore:
    """The store of the masks of an image folder.

    Args:
        image_root (str): Folder of the images.
        mask_root (str, optional): Folder of mask files, or a packed store, whose name ends
            in '.masks'. Defaults to None: the folder beside the images.
        **options: See :class:`MaskFolder`.

    Raises:
        ValueError: See :class:`MaskFolder` and :class:`PackedMaskStore`.
    """
    if mask_root is not None and mask_root.endswith(PACKED_SUFFIX) and not os.path.isdir(mask_root):
        return PackedMaskStore(image_root, mask_root, **options)
    return MaskFolder(image_root, mask_root, **options)
