"""RecordIO files as MXNet writes them, without MXNet: records of bytes, and the `.idx` that tells where each starts.

A record is one part, or several. A part is the magic number, a word with a flag in its upper 3 bits (0: the whole
record, 1: first, 2: middle, 3: last part) and the length in its lower 29, the data, and zeros up to a multiple of
four bytes. Where the magic number itself stands in the data, at a multiple of four bytes, the record is cut in two
and the number left out, so that a reader can find the next record from anywhere. Format: dmlc-core's recordio.h.
"""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from lab_utils.atomic import open_atomic
from lab_utils.errors import DataError

MAGIC = struct.pack("<I", 0xCED7230A)
_HEADER = struct.Struct("<4sI")
_LENGTH = (1 << 29) - 1
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_FIX = "the file is damaged: write or download it again"


def frame(data: bytes) -> bytes:
    """The bytes of one record.

    Raises:
        DataError: the data have 512 MiB or more, which the length cannot tell.
    """
    if len(data) > _LENGTH:
        raise DataError(f"a record of {len(data)} bytes; RecordIO's limit is {_LENGTH}")
    parts = _cut(data)
    flags = [_WHOLE] if len(parts) == 1 else [_FIRST, *[_MIDDLE] * (len(parts) - 2), _LAST]
    pieces: list[bytes] = []
    for flag, part in zip(flags, parts, strict=True):
        pieces += [_HEADER.pack(MAGIC, flag << 29 | len(part)), part, bytes(-len(part) % 4)]
    return b"".join(pieces)


def records(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Position and data of each record, one in memory at a time.

    Raises:
        DataError: the file is missing, truncated, or no RecordIO file; the message names the record and the byte.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: no such file")
    with Path(path).open("rb") as file:
        number, position = 0, 0
        while (data := _record(file, f"{path}: record {number + 1}")) is not None:
            yield position, data
            number, position = number + 1, file.tell()


class RecordWriter:
    """Writes `NAME.rec` and `NAME.idx`; both appear, or are replaced, only when the block ends without an error."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._position = 0
        self._stack = ExitStack()

    def __enter__(self) -> "RecordWriter":
        self._index: IO[str] = self._stack.enter_context(open_atomic(index_path(self._path), newline="\n"))
        self._file: IO[bytes] = self._stack.enter_context(open_atomic(self._path, "wb"))  # left first: in place first
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def append(self, key: int, data: bytes) -> None:
        """Add a record, and its place under `key`."""
        framed = frame(data)
        self._file.write(framed)
        self._index.write(f"{key}\t{self._position}\n")
        self._position += len(framed)


def index_path(path: str | Path) -> Path:
    """The `.idx` that belongs to a `.rec`."""
    return Path(path).with_suffix(".idx")


def read_index(path: str | Path) -> list[tuple[int, int]]:
    """Key and position of each line of a `.idx`.

    Raises:
        DataError: missing, or a line is not two integers.
    """
    found = []
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    for number, line in enumerate(lines, start=1):
        try:
            key, position = line.split("\t")
            found.append((int(key), int(position)))
        except ValueError:
            raise DataError(f"{path}:{number}: {line!r}; expected KEY<tab>POSITION, two integers") from None
    return found


def _cut(data: bytes) -> list[bytes]:
    """The data without the magic numbers that stand at multiples of four, cut there."""
    parts, start, found = [], 0, data.find(MAGIC)
    while found >= 0:
        if found % 4 == 0:
            parts.append(data[start:found])
            start = found + 4
        found = data.find(MAGIC, found + (4 if found % 4 == 0 else 1))
    return [*parts, data[start:]]


def _record(file: IO[bytes], where: str) -> bytes | None:
    """The data of the next record; None at the end."""
    parts: list[bytes] = []
    while True:
        at = file.tell()
        header = file.read(_HEADER.size)
        if not header and not parts:
            return None
        flag, length = _decoded(header, at, where, first=not parts)
        data: Any = file.read(length + -length % 4)
        if len(data) < length + -length % 4:
            raise DataError(f"{where}: at byte {at}: ends after {len(data)} of {length} bytes; {_FIX}")
        parts.append(data[:length])
        if flag in (_WHOLE, _LAST):
            return parts[0] if flag == _WHOLE else MAGIC.join(parts)


def _decoded(header: bytes, at: int, where: str, *, first: bool) -> tuple[int, int]:
    """Flag and length of a part."""
    if len(header) < _HEADER.size:
        raise DataError(f"{where}: at byte {at}: the file ends within a header; {_FIX}")
    magic, word = _HEADER.unpack(header)
    if magic != MAGIC:
        raise DataError(f"{where}: at byte {at}: {magic.hex()} instead of the magic number {MAGIC.hex()}; {_FIX}")
    flag, length = word >> 29, word & _LENGTH
    if flag not in ((_WHOLE, _FIRST) if first else (_MIDDLE, _LAST)):
        expected = "a record to begin" if first else "the record to go on"
        raise DataError(f"{where}: at byte {at}: flag {flag}; expected {expected}; {_FIX}")
    return flag, length
