"""RecordIO's records from a file or a pipe, one in memory at a time. Format: dmlc-core's recordio.h."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from sagemaker_contract import UserError

MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def records(stream: BinaryIO, where: str) -> Iterator[tuple[int, bytes]]:
    """Position of each record, from 0, and its data. Raises UserError naming record and byte where it is damaged."""
    position, number = 0, 0
    while header := _read(stream, _HEADER.size):
        number += 1
        start, parts = position, []
        while True:
            flag, length = _decoded(header, f"{where}: record {number}, byte {position}", first=not parts)
            padded = length + -length % 4
            data = _read(stream, padded)
            if len(data) < padded:
                raise UserError(f"{where}: record {number}, byte {position}: ends after {len(data)} of {length} bytes; "
                                "the file is damaged, write it again")  # fmt: skip
            position += _HEADER.size + padded
            parts.append(data[:length])
            if flag in (_WHOLE, _LAST):
                break
            header = _read(stream, _HEADER.size)
        # a magic number inside the data, at a multiple of four, is where a record was cut
        yield start, struct.pack("<I", MAGIC).join(parts)


def _decoded(header: bytes, where: str, *, first: bool) -> tuple[int, int]:
    if len(header) < _HEADER.size:
        raise UserError(f"{where}: ends within a header; the file is damaged, write it again")
    magic, word = _HEADER.unpack(header)
    if magic != MAGIC:
        raise UserError(
            f"{where}: {magic:#010x}, expected RecordIO's magic number {MAGIC:#010x}; not a RecordIO file, or damaged"
        )
    flag = word >> 29
    if flag not in ((_WHOLE, _FIRST) if first else (_MIDDLE, _LAST)):
        raise UserError(f"{where}: a part of a record is missing; the file is damaged, write it again")
    return flag, word & ((1 << 29) - 1)


def _read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end: a pipe gives what is there."""
    data = stream.read(size)
    while 0 < len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data
