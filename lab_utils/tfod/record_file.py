"""TFRecord files: records of bytes, each with its length and two checksums; and sets of such files, the shards.

A record is the length (8 bytes), its masked CRC-32C (4), the data, and their masked CRC-32C (4); little-endian. Format:
record_writer.h of TensorFlow. Shards are called `NAME-00000-of-00010`, as TFOD's tools call them.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from lab_utils import formats
from lab_utils.atomic import open_atomic
from lab_utils.errors import ConfigError, DataError

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK = 0xA282EAD8
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}")
_FIX = "the file is damaged: write or download it again"


def frame(data: bytes) -> bytes:
    """The bytes of one record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _CHECKSUM.pack(masked_crc(length)), data, _CHECKSUM.pack(masked_crc(data))))


def masked_crc(data: bytes) -> int:
    """The CRC-32C, rotated and shifted as TensorFlow does, for a checksum of a checksum is a poor one.

    Raises:
        ConfigError: the library is not installed.
    """
    try:
        import google_crc32c
    except ImportError:
        raise ConfigError("google-crc32c is missing: install it with pip install 'signal-labs[notebook]'") from None
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def records(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Position and data of each record of a file, one in memory at a time.

    Raises:
        DataError: the file is missing, truncated or damaged; the message names the record and the byte.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    with path.open("rb") as file:
        number, position, size = 1, 0, path.stat().st_size
        while position < size:
            yield position, _record(file, f"{path}: record {number}: at byte {position}", size - position)
            number, position = number + 1, file.tell()


def shard_paths(path: str | Path, shards: int) -> list[Path]:
    """The files of a set: the path itself where there is one, else `PATH-00000-of-0000N` and so on.

    Raises:
        ConfigError: less than one shard, or more than the name has digits for.
    """
    if not 1 <= shards <= 99_999:
        raise ConfigError(f"shards={shards}; expected 1 to 99999")
    path = Path(path)
    return [path] if shards == 1 else [path.with_name(f"{path.name}-{i:05d}-of-{shards:05d}") for i in range(shards)]


def find(path: str | Path) -> list[Path]:
    """The files that a path names: a file, all shards of `PATH`, a pattern such as `train.tfrecord-*`, or a folder's.

    Raises:
        DataError: there are none, or a shard is missing.
    """
    path = Path(path)
    if path.is_dir():
        found = [f for f in path.iterdir() if re.search(r"\.(tf)?records?(-\d{5}-of-\d{5})?$", f.name)]
    else:
        found = [path] if path.is_file() else [*path.parent.glob(path.name), *formats.shards(path)]
    if not found:
        raise DataError(
            f"{path}: no TFRecord files; expected a file, its shards, or a folder of *.tfrecord or *.record"
        )
    _check_complete(found)
    return sorted(found)


class ShardWriter:
    """Writes the files of a set, record by record in turn; they appear only when the block ends without an error.

    Shards that an earlier write left under the same name, but another number, are then deleted: a pattern would read
    them, too.
    """

    def __init__(self, path: str | Path, shards: int = 1) -> None:
        self.paths = shard_paths(path, shards)
        self._old = {Path(path), *formats.shards(Path(path))}
        self._count = 0
        self._stack = ExitStack()

    def __enter__(self) -> "ShardWriter":
        self._files: list[IO[bytes]] = [self._stack.enter_context(open_atomic(p, "wb")) for p in self.paths]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None:
            for path in self._old - set(self.paths):
                with suppress(FileNotFoundError):
                    path.unlink()

    def append(self, data: bytes) -> None:
        """Add a record to the next shard."""
        self._files[self._count % len(self._files)].write(frame(data))
        self._count += 1


def _check_complete(files: list[Path]) -> None:
    """Every set that a file is of has all its shards."""
    names = {file.name for file in files}
    for file in files:
        if _SHARD.fullmatch(file.name):
            stem, _, count = file.name.rpartition("-of-")
            missing = [f"{stem[:-5]}{i:05d}-of-{count}" for i in range(int(count))]
            missing = [name for name in missing if name not in names and not (file.parent / name).is_file()]
            if missing:
                raise DataError(f"{file.parent / missing[0]}: no such file; {file.name} is one of {int(count)} shards")


def _record(file: IO[bytes], where: str, left: int) -> bytes:
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise DataError(f"{where}: the file ends within a length; {_FIX}")
    length, checksum = _HEADER.unpack(header)
    if masked_crc(header[:8]) != checksum:
        raise DataError(f"{where}: {_wrong_length(header)}")
    if length + _HEADER.size + _CHECKSUM.size > left:
        raise DataError(f"{where}: ends after {left - _HEADER.size} of {length + _CHECKSUM.size} bytes; {_FIX}")
    data = file.read(length)
    if _CHECKSUM.unpack(file.read(_CHECKSUM.size))[0] != masked_crc(data):
        raise DataError(f"{where}: the checksum of its {length} bytes is wrong; {_FIX}")
    return data


def _wrong_length(header: bytes) -> str:
    if header.startswith((b"\x1f\x8b", b"\x78")):
        return "no TFRecord, or a compressed one, which TFOD does not read; decompress it"
    return f"the checksum of the length is wrong: no TFRecord, or {_FIX}"
