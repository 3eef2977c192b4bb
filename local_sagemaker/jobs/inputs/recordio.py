"""RecordIO's framing: magic number, flag and length, the data, padding to four bytes.

A record longer than the 29 bits of its length is cut into parts with flags 1 (first), 2 (middle) and 3 (last),
which AWS's own reader joins as they are (aws/sagemaker-tensorflow-extensions, RecordIOReader); so, other than in
MXNet's writer, a magic number inside the data is no place to cut.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

MAGIC = 0xCED7230A
LARGEST = (1 << 29) - 1  # bytes of one part
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def framed(chunks: Iterable[bytes], size: int, largest: int = LARGEST) -> Iterator[bytes]:
    """``size`` bytes, given in chunks, as one RecordIO record, again in chunks.

    ``largest`` is the number of bytes from which on a record has several parts. Raises ValueError when the chunks
    hold other than ``size`` bytes.
    """
    source = _Source(chunks)
    for flag, length in _layout(size, largest):
        yield struct.pack("<II", MAGIC, flag << 29 | length)
        yield from source.take(length)
        yield bytes(-length % 4)
    source.finish()


def _layout(size: int, largest: int) -> Iterator[tuple[int, int]]:
    """(flag, length) of each part."""
    if size <= largest:
        yield _WHOLE, size
        return
    count = -(-size // largest)
    for number in range(count):
        flag = _FIRST if number == 0 else _LAST if number == count - 1 else _MIDDLE
        yield flag, min(largest, size - number * largest)


class _Source:
    """Chunks of bytes, taken by length."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), b""

    def take(self, length: int) -> Iterator[bytes]:
        while length:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                raise ValueError(f"{length} bytes of a record are missing")
            chunk, self._rest = self._rest[:length], self._rest[length:]
            length -= len(chunk)
            yield chunk

    def finish(self) -> None:
        if self._rest or next(self._chunks, b""):
            raise ValueError("a record has more bytes than its length says")
