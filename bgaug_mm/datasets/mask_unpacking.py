"""Check a packed mask store, and turn it into a folder again."""

from __future__ import annotations

import os

from .mask_packing import Advance
from .mask_reading import write_mask
from .packed_masks import PackedMasks


def verify_store(store: str, *, progress: Advance | None = None) -> dict[str, str]:
    """Read every mask of a store.

    Returns:
        dict[str, str]: The key of each damaged record, and its problem.

    Raises:
        FileNotFoundError: If there is no such store.
        ValueError: If it cannot be opened or its index is damaged.
    """
    masks = PackedMasks(store)
    problems = {}
    for key in masks.keys():  # noqa: SIM118 it is no mapping
        try:
            masks.read(key, full_size=False)
        except (OSError, ValueError) as error:
            problems[key] = str(error)
        if progress is not None:
            progress.advance(1)
    return problems


def unpack_store(
    store: str, folder: str, *, full_size: bool = False, progress: Advance | None = None
) -> dict[str, str]:
    """Write every mask of a store as a PNG file again, ``<key>.png``.

    Args:
        store (str): The store.
        folder (str): Where to; files of the same name are replaced.
        full_size (bool): Enlarge masks that were reduced. Defaults to False: as stored,
            without loss.
        progress (Advance, optional): Is told about every mask.

    Returns:
        dict[str, str]: The key of each damaged record, which is left out, and its problem.

    Raises:
        ValueError: If the store cannot be opened, or a key leads out of the folder.
    """
    masks = PackedMasks(store)
    problems = {}
    for key in masks.keys():  # noqa: SIM118 it is no mapping
        if os.path.isabs(key) or '..' in key.split('/'):
            raise ValueError(f"key '{key}' of mask store '{store}' leads out of '{folder}'")
        try:
            mask = masks.read(key, full_size=full_size)
        except (OSError, ValueError) as error:
            problems[key] = str(error)
        else:
            write_mask(f'{folder}/{key}.png', mask)
        if progress is not None:
            progress.advance(1)
    return problems
