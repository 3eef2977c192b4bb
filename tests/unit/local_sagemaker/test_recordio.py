"""RecordIO's framing, also of records in several parts."""

import struct

import pytest

from local_sagemaker.jobs.inputs.recordio import MAGIC, framed


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """(flag, data) of each part, read back by the format's description."""
    found = []
    while data:
        magic, word = struct.unpack_from("<II", data)
        assert magic == MAGIC
        flag, length = word >> 29, word & (1 << 29) - 1
        found.append((flag, data[8 : 8 + length]))
        data = data[8 + length + -length % 4 :]
    return found


@pytest.mark.parametrize("size", range(9))
def test_one_part(size: int) -> None:
    written = b"".join(framed([b"x" * size], size))
    assert len(written) % 4 == 0
    assert parts(written) == [(0, b"x" * size)]


def test_a_magic_number_in_the_data_cuts_nothing() -> None:
    data = struct.pack("<I", MAGIC) * 3
    assert parts(b"".join(framed([data], 12))) == [(0, data)]


@pytest.mark.parametrize("step", [1, 3, 5, 100])
def test_several_parts(step: int) -> None:
    data = bytes(range(23))
    chunks = [data[i : i + step] for i in range(0, 23, step)]
    written = b"".join(framed(chunks, 23, largest=5))
    assert [(flag, len(part)) for flag, part in parts(written)] == [(1, 5), (2, 5), (2, 5), (2, 5), (3, 3)]
    assert b"".join(part for _, part in parts(written)) == data


@pytest.mark.parametrize("size", [3, 5])
def test_a_length_that_is_not_the_datas(size: int) -> None:
    with pytest.raises(ValueError, match="record"):
        list(framed([b"four"], size))
