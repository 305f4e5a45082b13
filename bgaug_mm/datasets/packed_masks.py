"""The masks of many images in one file, read at random.

Version 1 of the format, all numbers little-endian::

    header   64 bytes, see _HEADER
    hashes   count × uint64, ascending: BLAKE2b of the key, 8 bytes of digest
    rows     count × 48 bytes in the order of the hashes, see _ROW
    keys     UTF-8, one after the other
    records  raw deflate of the mask (mask_codec.compress_mask)

The index stands in front, so that a file that was cut has lost records but not the
knowledge which. It is memory-mapped: opening costs the same for ten masks and for ten
million, and all processes of a machine share its pages. Every record has a CRC-32 over
its key, sizes and data, so that a damaged row of the index shows as well as a damaged
record; header and index have their own. Records are read by ``pread``: no lock, no file
position that forked processes share, and a bad disk is an ``OSError`` that names the
record, where a memory-mapped one would end the process with a bus error.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from .mask_codec import Mask, expand_mask, restore_mask

#: Ending of a packed store's file.
PACKED_SUFFIX = '.masks'
#: Between the file and the key in the location of a packed mask.
SEPARATOR = '#'

MAGIC = b'BGAMASK\n'
VERSION = 1
# magic, version, bits, count, bytes of the keys, bytes of the file, longest side (0: as it
# is), levels, CRC-32 of the index, CRC-32 of all before
_HEADER = struct.Struct('<8sIIQQQIIII8x')
_CRC_AT = 52
# offsets of record and key, bytes of both, CRC-32, the mask's size and the stored one
_ROW = struct.Struct('<QQIIIIIII4x')
_SIZES = struct.Struct('<IIII')


class Header(NamedTuple):
    """What a store says about itself."""

    bits: int  #: 8 or 1
    records: int
    keys_size: int
    file_size: int
    max_side: int  #: 0 when masks were not reduced
    levels: int
    index_crc: int

    @property
    def rows_at(self) -> int:
        """Where the rows begin."""
        return _HEADER.size + 8 * self.records

    @property
    def keys_at(self) -> int:
        """Where the keys begin."""
        return self.rows_at + _ROW.size * self.records

    @property
    def records_at(self) -> int:
        """Where the records begin."""
        return self.keys_at + self.keys_size

    def pack(self) -> bytes:
        """The header's bytes."""
        data = _HEADER.pack(
            MAGIC, VERSION, self.bits, self.records, self.keys_size, self.file_size,
            self.max_side, self.levels, self.index_crc, 0,
        )  # fmt: skip
        return data[:_CRC_AT] + struct.pack('<I', zlib.crc32(data[:_CRC_AT])) + bytes(8)


class Row(NamedTuple):
    """Where a record is and what it must be."""

    offset: int
    key_offset: int
    length: int
    key_length: int
    crc: int
    height: int
    width: int
    rows: int
    columns: int

    def pack(self) -> bytes:
        """The row's bytes."""
        return _ROW.pack(*self)


def key_hash(key: bytes) -> int:
    """The number that a key is looked up by."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), 'little')


def encode_key(key: str) -> bytes:
    """A key's bytes; file names that are not UTF-8 keep theirs."""
    return key.encode('utf-8', 'surrogateescape')


def record_crc(key: bytes, sizes: tuple[int, ...], data: bytes | memoryview) -> int:
    """The checksum of a record, its key and its sizes."""
    return zlib.crc32(data, zlib.crc32(_SIZES.pack(*sizes), zlib.crc32(key)))


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
            self.header = self._read_header()
            self._map = mmap.mmap(self._file, self.header.records_at, access=mmap.ACCESS_READ)
        except BaseException:
            os.close(self._file)
            raise
        self._hashes = np.frombuffer(self._map, '<u8', self.header.records, _HEADER.size)
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
            len(self), '<u8', self._map, self.header.rows_at, (_ROW.size,)
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
            ndarray: (H, W) uint8, writable.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If its record is damaged or cut.
        """
        row = self.find(key)
        if row is None:
            raise FileNotFoundError(f"mask store '{self.path}' has no mask '{key}'")
        data = os.pread(self._file, row.length, row.offset)
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
        if full_size:
            mask = restore_mask(mask, row.height, row.width)
        return mask if mask.flags.writeable else mask.copy()

    def index_is_sound(self) -> bool:
        """Whether the index has its checksum; computed once."""
        if self._sound is None:
            with memoryview(self._map) as view:
                self._sound = zlib.crc32(view[_HEADER.size :]) == self.header.index_crc
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
        return Row(*_ROW.unpack_from(self._map, self.header.rows_at + i * _ROW.size))

    def _key(self, row: Row) -> bytes:
        start = self.header.keys_at + row.key_offset
        return self._map[start : start + row.key_length]

    def _read_header(self) -> Header:
        data = os.pread(self._file, _HEADER.size, 0)
        if data[:8] != MAGIC[: len(data[:8])] or not data:
            raise ValueError(f"'{self.path}' is no packed mask store")
        if len(data) < _HEADER.size:
            raise ValueError(f"mask store '{self.path}' is cut: {len(data)} bytes are left")
        _, version, *fields, crc = _HEADER.unpack(data)
        if zlib.crc32(data[:_CRC_AT]) != crc:
            raise ValueError(f"the header of mask store '{self.path}' is damaged")
        if version != VERSION:
            raise ValueError(
                f"mask store '{self.path}' has format {version}, but this version of bgaug_mm "
                f'reads format {VERSION}'
            )
        header = Header(*fields)
        if self.size < header.records_at:
            raise ValueError(
                f"mask store '{self.path}' is cut within its index: {self.size} of "
                f'{header.file_size} bytes are left; copy or pack it again'
            )
        return header
