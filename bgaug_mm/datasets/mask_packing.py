"""Make a packed mask store of a folder of masks."""

from __future__ import annotations

import os
import zlib
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np

from bgaug_mm.files import lock

from .mask_codec import compress_mask, decode_mask, reduce_mask, round_levels
from .mask_names import REPORT_FOLDER
from .packed_format import Header, Row, encode_key, key_hash, record_crc
from .packed_masks import PACKED_SUFFIX

#: Longest side to which masks are reduced, by bits.
DEFAULT_SIDES = {8: 224, 1: 512}
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
    """Keys of the mask files below a folder, sorted; hidden ones and reports are left out.

    Raises:
        ValueError: If there is no such folder or no mask in it, or one cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise ValueError(f"the folder '{error.filename}' cannot be listed: {error.strerror}")

    if not os.path.isdir(folder):
        raise ValueError(f"there is no folder of masks '{folder}'")
    keys = []
    for path, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [
            name for name in folders if not name.startswith('.') and name != REPORT_FOLDER
        ]
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
    levels: int = 32,
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
            None: 224 (a view's) for 8 bits, 512 for 1.
        levels (int): Values that a mask may have, in [2, 256]; of no effect with 1 bit.
            32 are 8/255 apart, 256 keep all. Defaults to 32.
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
    keys_size = sum(len(encode_key(key)) for key in keys)
    empty = Header(bits, len(keys), keys_size, 0, side, levels if bits == 8 else 2, 0)

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

    index, skipped, source_bytes = Index(), dict[str, str](), 0
    with _partial(store) as file, ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        file.seek(empty.records_at)
        for start in range(0, len(keys), _BLOCK):
            block = keys[start : start + _BLOCK]
            for key, record in zip(block, pool.map(encode, block), strict=True):
                if isinstance(record, Record):
                    index.add(key, record, file.tell())
                    file.write(record.data)
                    source_bytes += record.source_bytes
                elif skip_bad:
                    skipped[f'{folder}/{key}{suffix}'] = record
                else:
                    raise ValueError(
                        f"mask '{folder}/{key}{suffix}' cannot be used: {record}. Make it "
                        'again, or leave such masks out (`skip_bad`)'
                    )
            if progress is not None:
                progress.advance(len(block))
        if not index.hashes:
            raise ValueError(f"none of the masks in '{folder}' can be used")
        size = file.tell()
        file.seek(0)
        index.write(file, empty._replace(file_size=size))
    return Packed(len(index.hashes), source_bytes, size, skipped)


class Index:
    """The index of a store while it grows, about 80 bytes a mask."""

    def __init__(self) -> None:
        self.hashes = array('Q')
        self.rows = bytearray()
        self.keys = bytearray()

    def add(self, key: str, record: Record, offset: int) -> None:
        """Add a record that will be written at ``offset``."""
        name, sizes = encode_key(key), record.sizes
        crc = record_crc(name, sizes, record.data)
        row = Row(offset, len(self.keys), len(record.data), len(name), crc, *sizes)
        self.hashes.append(key_hash(name))
        self.rows += row.pack()
        self.keys += name

    def write(self, file: BinaryIO, header: Header) -> None:
        """Write the header, completed, and the index, sorted."""
        hashes = np.array(self.hashes, '<u8')
        order = hashes.argsort(kind='stable')
        rows = np.frombuffer(self.rows, np.uint8).reshape(len(hashes), -1)
        content = hashes[order].tobytes() + rows[order].tobytes() + self.keys
        header = header._replace(records=len(hashes), keys_size=len(self.keys))
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
    with open(path, 'ab') as locked:
        if not lock(locked):
            raise ValueError(f"another process is packing '{store}'")
        try:
            with open(path, 'wb') as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(path, store)
        except BaseException as error:
            Path(path).unlink(missing_ok=True)  # interrupted when it had its name already
            if isinstance(error, OSError) and error.errno and error.filename is None:
                error.filename = store  # a full disk does not say what was written
            raise
