"""Files cut into records (SplitType), and records packed into payloads (BatchStrategy).

RecordIO: a record is a header of eight bytes (magic number; flag and length) and its data, padded to four bytes.
A long record has parts with the flags 1, 2, 3 (first, middle, last). A record goes to the program with its header,
because a payload may hold several.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from local_sagemaker.jobs.inputs.recordio import MAGIC

_LENGTH_BITS = 29
_CONTINUED = (1, 2)  # flags of a part that another one follows

Record = TypeVar("Record")


class RecordError(Exception):
    """A file that cannot be cut into records or payloads; the message says why."""


def split(path: Path, split_type: str) -> Iterator[bytes]:
    """The records of a file, for SplitType "Line" or "RecordIO". Raises RecordError."""
    with path.open("rb") as stream:
        yield from stream if split_type == "Line" else _recordio(stream)


def _recordio(stream: IO[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    while header := stream.read(8):
        at = stream.tell() - len(header)
        magic, word = struct.unpack("<II", header) if len(header) == 8 else (0, 0)
        if magic != MAGIC:
            raise RecordError(f"the data at byte {at} is not the header of a RecordIO record")
        length = word & ((1 << _LENGTH_BITS) - 1)
        data = stream.read(length + -length % 4)
        if len(data) < length:
            raise RecordError(f"the RecordIO record at byte {at} ends after {len(data)} of {length} bytes")
        parts.append(header + data)
        if word >> _LENGTH_BITS not in _CONTINUED:
            yield b"".join(parts)
            parts = []
    if parts:
        raise RecordError("the last RecordIO record has no last part")


def pack(
    records: Iterable[Record], size: Callable[[Record], int], limit: int, *, several: bool
) -> Iterator[list[Record]]:
    """The records in groups of at most ``limit`` bytes (0: no limit): as many as fit, or one by one.

    Raises RecordError for a record that is larger.
    """
    group: list[Record] = []
    total = 0
    for record in records:
        length = size(record)
        check_size(length, limit)
        if group and (not several or (limit and total + length > limit)):
            yield group
            group, total = [], 0
        group.append(record)
        total += length
    if group:
        yield group


def check_size(length: int, limit: int) -> None:
    """Raise RecordError when ``length`` bytes are more than ``limit`` (0: no limit)."""
    if limit and length > limit:
        raise RecordError(f"Too much data for max payload size: {length} bytes, MaxPayloadInMB allows {limit}")
