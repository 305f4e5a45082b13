"""The masks of many images in one file, read at random (see packed_format)."""

from __future__ import annotations

import logging
import mmap
import os
import zlib
from collections.abc import Iterator

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from .mask_codec import Mask, expand_mask, restore_mask
from .packed_format import (
    HEADER_SIZE,
    ROW_SIZE,
    Row,
    encode_key,
    key_hash,
    read_header,
    record_crc,
)

#: Ending of a packed store's file.
PACKED_SUFFIX = '.masks'
#: Between the file and the key in the location of a packed mask.
SEPARATOR = '#'


class PackedMasks:
    """A packed store, opened for reading.

    Can be shared by forked processes and threads, and pickled (it is opened again).

    Args:
        path (str): The file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is no packed store, of another version, or its header or index
            is damaged or cut.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY)
        try:
            self.size = os.fstat(self._file).st_size
            self.header = read_header(path, os.pread(self._file, HEADER_SIZE, 0), size=self.size)
            self._map = mmap.mmap(self._file, self.header.records_at, access=mmap.ACCESS_READ)
        except BaseException:
            os.close(self._file)
            raise
        self._hashes = np.frombuffer(self._map, '<u8', self.header.records, HEADER_SIZE)
        self._sound: bool | None = None
        if self.size != self.header.file_size:
            print_log(
                f"mask store '{path}' has {self.size} bytes instead of {self.header.file_size}: it "
                'was cut or is still being copied; `pack_masks.py verify` names what is lost',
                logger='current',
                level=logging.WARNING,
            )

    def __reduce__(self) -> tuple[type[PackedMasks], tuple[str]]:
        return type(self), (self.path,)

    def __del__(self) -> None:
        if hasattr(self, '_map'):
            os.close(self._file)

    def __len__(self) -> int:
        return self.header.records

    def __contains__(self, key: str) -> bool:
        try:
            return self.find(key) is not None
        except ValueError:  # it may be there: what reads it, says so
            return True

    def keys(self) -> Iterator[str]:
        """All keys, in the order of their records.

        Raises:
            ValueError: If the index is damaged.
        """
        if not self.index_is_sound():
            raise ValueError(f"the index of mask store '{self.path}' is damaged")
        offsets: NDArray[np.uint64] = np.ndarray(
            len(self), '<u8', self._map, self.header.rows_at, (ROW_SIZE,)
        )
        for i in offsets.argsort():
            yield self._key(self._row(int(i))).decode('utf-8', 'surrogateescape')

    def find(self, key: str) -> Row | None:
        """The row of a key; None when the store has no such mask.

        Raises:
            ValueError: If it is not found and the index is damaged.
        """
        name = encode_key(key)
        wanted = np.uint64(key_hash(name))
        row = self._match(name, int(self._hashes.searchsorted(wanted)), wanted)
        if row is None and not self.index_is_sound():
            # a damaged hash leads the search astray, for others than its own too
            for i in np.flatnonzero(self._hashes == wanted):
                row = self._match(name, int(i), wanted)
            if row is None:
                raise ValueError(
                    f"'{key}' is not found in mask store '{self.path}', whose index is damaged: "
                    'pack the masks again'
                )
        return row

    def read(self, key: str, *, full_size: bool = True) -> Mask:
        """A mask.

        Args:
            key (str): Path of the image below the image root, without ending.
            full_size (bool): Enlarge a mask that was reduced for the store to the size it
                had (bilinear). Defaults to True.

        Returns:
            ndarray: (H, W) uint8; writable with ``full_size``.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If its record is damaged or cut.
        """
        row = self.find(key)
        if row is None:
            raise FileNotFoundError(f"mask store '{self.path}' has no mask '{key}'")
        # never behind the end, where a damaged row may point
        left = max(0, min(row.length, self.size - row.offset))
        data = os.pread(self._file, left, row.offset) if left else b''
        if len(data) != row.length:
            raise ValueError(
                f"record '{key}' of mask store '{self.path}' is cut: {len(data)} of {row.length} "
                'bytes are left'
            )
        if record_crc(encode_key(key), row[5:], data) != row.crc:
            raise ValueError(
                f"record '{key}' of mask store '{self.path}' is damaged: its checksum is wrong"
            )
        mask = expand_mask(data, row.rows, row.columns, self.header.bits)
        if not full_size:
            return mask
        mask = restore_mask(mask, row.height, row.width)
        return mask if mask.flags.writeable else mask.copy()

    def index_is_sound(self) -> bool:
        """Whether the index has its checksum; computed once."""
        if self._sound is None:
            with memoryview(self._map) as view:
                self._sound = zlib.crc32(view[HEADER_SIZE:]) == self.header.index_crc
        return self._sound

    def _match(self, name: bytes, i: int, wanted: np.uint64) -> Row | None:
        """The row of a key among those with its hash, from the i-th on."""
        while i < len(self) and self._hashes[i] == wanted:
            row = self._row(i)
            if self._key(row) == name:
                return row
            i += 1
        return None

    def _row(self, i: int) -> Row:
        return Row.unpack(self._map, self.header.rows_at + i * ROW_SIZE)

    def _key(self, row: Row) -> bytes:
        start = self.header.keys_at + row.key_offset
        return self._map[start : start + row.key_length]
