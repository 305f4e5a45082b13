"""The file format of packed masks: many masks in one file, read at random.

Version 1 of the format, all numbers little-endian::

    header   64 bytes: see _HEADER and Header
    hashes   count × uint64, ascending: BLAKE2b of the key, 8 bytes of digest
    rows     count × 48 bytes in the order of the hashes: see _ROW and Row
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
import mmap
import struct
import zlib
from typing import NamedTuple

MAGIC = b'BGAMASK\n'
VERSION = 1
# magic, version, bits, count, bytes of the keys, bytes of the file, longest side (0: as it
# is), levels, CRC-32 of the index, CRC-32 of all before
_HEADER = struct.Struct('<8sIIQQQIIII8x')
_CRC_AT = 52
# offsets of record and key, bytes of both, CRC-32, the mask's size and the stored one
_ROW = struct.Struct('<QQIIIIIII4x')
_SIZES = struct.Struct('<IIII')
HEADER_SIZE = _HEADER.size
ROW_SIZE = _ROW.size


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

    @classmethod
    def unpack(cls, buffer: bytes | mmap.mmap, offset: int) -> Row:
        """The row at an offset."""
        return cls(*_ROW.unpack_from(buffer, offset))


def key_hash(key: bytes) -> int:
    """The number that a key is looked up by."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), 'little')


def encode_key(key: str) -> bytes:
    """A key's bytes; file names that are not UTF-8 keep theirs."""
    return key.encode('utf-8', 'surrogateescape')


def record_crc(key: bytes, sizes: tuple[int, ...], data: bytes | memoryview) -> int:
    """The checksum of a record, its key and its sizes."""
    return zlib.crc32(data, zlib.crc32(_SIZES.pack(*sizes), zlib.crc32(key)))


def read_header(path: str, data: bytes, *, size: int) -> Header:
    """The header of a store.

    Args:
        path (str): The file, for messages.
        data (bytes): Its first bytes.
        size (int): Bytes that it has.

    Raises:
        ValueError: If this is no packed store, of another version, or the header is
            damaged, or the file ends within its index.
    """
    if data[:8] != MAGIC[: len(data)] or not data:
        raise ValueError(f"'{path}' is no packed mask store")
    if len(data) < HEADER_SIZE:
        raise ValueError(f"mask store '{path}' is cut: {len(data)} bytes are left")
    _, version, *fields, crc = _HEADER.unpack(data)
    if zlib.crc32(data[:_CRC_AT]) != crc:
        raise ValueError(f"the header of mask store '{path}' is damaged")
    if version != VERSION:
        raise ValueError(
            f"mask store '{path}' has format {version}, but this version of bgaug_mm reads "
            f'format {VERSION}'
        )
    header = Header(*fields)
    if size < header.records_at:
        raise ValueError(
            f"mask store '{path}' is cut within its index: {size} of {header.file_size} bytes "
            'are left; copy or pack it again'
        )
    return header
