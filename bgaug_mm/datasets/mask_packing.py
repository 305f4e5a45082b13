"""Make a packed mask store of a folder, check it, and turn it into a folder again."""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np

from .mask_codec import compress_mask, decode_mask, reduce_mask, round_levels
from .mask_store import write_mask
from .packed_masks import (
    PACKED_SUFFIX,
    Header,
    PackedMasks,
    Row,
    encode_key,
    key_hash,
    record_crc,
)

#: Longest side to which masks are reduced, by bits.
DEFAULT_SIDES = {8: 256, 1: 512}
_BLOCK = 1024  # masks in memory at once


class Advance(Protocol):
    """What is told how far a job is."""

    def advance(self, count: int) -> None:
        """So many more are done."""


class Packed(NamedTuple):
    """What :func:`pack_masks` did."""

    masks: int  #: in the store
    source_bytes: int  #: of their files
    store_bytes: int
    skipped: dict[str, str]  #: file: problem


class Record(NamedTuple):
    """A mask, ready to be written."""

    data: bytes
    sizes: tuple[int, ...]  #: height and width of the mask, and as stored
    source_bytes: int


def list_masks(folder: str, *, suffix: str = '.png') -> list[str]:
    """Keys of the mask files below a folder, sorted; hidden files and folders are left out.

    Raises:
        ValueError: If there is no such folder or no mask in it.
    """
    if not os.path.isdir(folder):
        raise ValueError(f"there is no folder of masks '{folder}'")
    keys = []
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith('.')]
        below = os.path.relpath(path, folder).replace(os.sep, '/')
        prefix = '' if below == '.' else f'{below}/'
        keys += [
            prefix + name.removesuffix(suffix)
            for name in names
            if name.endswith(suffix) and not name.startswith('.')
        ]
    if not keys:
        raise ValueError(f"the folder '{folder}' has no masks '*{suffix}'")
    return sorted(keys)


def pack_masks(
    folder: str,
    store: str,
    *,
    bits: int = 8,
    max_side: int | None = None,
    levels: int = 64,
    suffix: str = '.png',
    skip_bad: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    progress: Advance | None = None,
) -> Packed:
    """Pack the masks of a folder into one file, which appears when it is complete.

    What happens to a mask: its longest side is brought down to ``max_side`` (area
    average), then its values are rounded to ``levels`` or cut at 128, then it is deflated.

    Args:
        folder (str): Mask files, ``<key><suffix>``; a key is the path of an image below
            the image root, without ending.
        store (str): The file to make; must end in '.masks'.
        bits (int): 8 for soft masks, 1 for hard ones. Defaults to 8.
        max_side (int, optional): Longest side in pixels; 0 for the masks' own. Defaults to
            None: 256 for 8 bits, 512 for 1.
        levels (int): Values that a mask may have, in [2, 256]; of no effect with 1 bit.
            64 are 4/255 apart, 256 keep all. Defaults to 64.
        suffix (str): Ending of the mask files. Defaults to '.png'.
        skip_bad (bool): Leave out masks that cannot be used. Defaults to False: they are
            an error.
        overwrite (bool): Replace a store that exists, at the end. Defaults to False.
        threads (int, optional): Defaults to None, one a core.
        progress (Advance, optional): Is told about every block of masks.

    Raises:
        ValueError: For options out of range, no masks, a bad mask (naming the file), a
            store that exists or that another process is packing.
        OSError: If it cannot be written, e.g. because the disk is full; nothing is left.
    """
    if bits not in DEFAULT_SIDES:
        raise ValueError(f'`bits` must be 1 or 8, but got {bits}')
    if not 2 <= levels <= 256:
        raise ValueError(f'`levels` must be in [2, 256], but got {levels}')
    if max_side is not None and max_side < 0:
        raise ValueError(f'`max_side` must be at least 0, but got {max_side}')
    if not store.endswith(PACKED_SUFFIX):
        raise ValueError(f"the store's name must end in '{PACKED_SUFFIX}', but got '{store}'")
    if os.path.isdir(store) or (os.path.exists(store) and not overwrite):
        raise ValueError(f"'{store}' exists")
    side = DEFAULT_SIDES[bits] if max_side is None else max_side
    keys = list_masks(folder, suffix=suffix)
    names = [encode_key(key) for key in keys]
    empty = Header(bits, len(keys), sum(map(len, names)), 0, side, levels if bits == 8 else 2, 0)

    def encode(key: str) -> Record | str:
        try:
            content = Path(f'{folder}/{key}{suffix}').read_bytes()
            mask = decode_mask(content)
        except (OSError, ValueError) as error:
            return str(error)
        small = reduce_mask(mask, side or None)
        if bits == 8:
            small = round_levels(small, levels)
        sizes = (*mask.shape, *small.shape)
        return Record(compress_mask(small, bits), sizes, len(content))

    index: list[tuple[int, bytes, Row]] = []
    skipped: dict[str, str] = {}
    source_bytes, key_offset, offset = 0, 0, empty.records_at
    with _partial(store) as file, ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        file.seek(offset)
        pairs = zip(keys, names, strict=True)
        while block := list(islice(pairs, _BLOCK)):
            for (key, name), record in zip(
                block, pool.map(encode, [key for key, _ in block]), strict=True
            ):
                if isinstance(record, str):
                    if not skip_bad:
                        raise ValueError(
                            f"mask '{folder}/{key}{suffix}' cannot be used: {record}. Make it "
                            'again, or leave such masks out (`skip_bad`)'
                        )
                    skipped[f'{folder}/{key}{suffix}'] = record
                    continue
                crc = record_crc(name, record.sizes, record.data)
                length = len(record.data)
                row = Row(offset, key_offset, length, len(name), crc, *record.sizes)
                index.append((key_hash(name), name, row))
                file.write(record.data)
                offset += length
                key_offset += len(name)
                source_bytes += record.source_bytes
            if progress is not None:
                progress.advance(len(block))
        if not index:
            raise ValueError(f"none of the masks in '{folder}' can be used")
        _write_index(file, empty._replace(file_size=offset), index)
    return Packed(len(index), source_bytes, offset, skipped)


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


def _write_index(file: BinaryIO, header: Header, index: Sequence[tuple[int, bytes, Row]]) -> None:
    """Fill in what stands in front of the records."""
    keys = b''.join(name for _, name, _ in index)
    header = header._replace(records=len(index), keys_size=len(keys))
    order = sorted(range(len(index)), key=lambda i: index[i][0])
    hashes = np.array([index[i][0] for i in order], '<u8').tobytes()
    content = hashes + b''.join(index[i][2].pack() for i in order) + keys
    file.seek(0)
    file.write(header._replace(index_crc=zlib.crc32(content)).pack())
    file.write(content)


@contextmanager
def _partial(store: str) -> Iterator[BinaryIO]:
    """A file that becomes the store at the end, or is removed.

    What a killed run left is overwritten by the next one.
    """
    folder, name = os.path.split(os.path.abspath(store))
    os.makedirs(folder, exist_ok=True)
    path = f'{folder}/.{name}.partial'
    with open(path, 'ab') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is packing '{store}'") from None
        except OSError:  # a file system without locks
            pass
        try:
            with open(path, 'wb') as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(path, store)
        except BaseException:
            os.unlink(path)
            raise
