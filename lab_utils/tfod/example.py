"""`tf.train.Example` in its binary form, without TensorFlow: named features, each a list of bytes, floats or integers.

The keys are written in their order, so that the bytes are those of TensorFlow's deterministic serialisation. Formats:
example.proto and feature.proto of TensorFlow; "Encoding" of protobuf.dev.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import DataError

Feature = Sequence[bytes] | NDArray[np.float32] | NDArray[np.int64]
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_64_BITS = (1 << 64) - 1
_NOTHING = memoryview(b"")
_SMALL = [bytes([value]) for value in range(0x80)]


def encode(features: Mapping[str, Feature]) -> bytes:
    """The bytes of an example; an array of floats becomes a float list, of integers an int64 list, else bytes."""
    entries = [
        _tagged(1, _tagged(1, key.encode()) + _tagged(2, _feature(value))) for key, value in sorted(features.items())
    ]
    return _tagged(1, b"".join(entries))


def decode(data: bytes, where: str) -> dict[str, Feature]:
    """The inverse of `encode`; it takes what any writer of protocol buffers makes, packed or not.

    Raises:
        DataError: not a tf.train.Example; the message begins with `where`.
    """
    found: dict[str, Feature] = {}
    try:
        for _, features in _fields(memoryview(data), only=1):
            for _, entry in _fields(features, only=1):
                parts = dict(_fields(entry))
                found[parts.get(1, _NOTHING).tobytes().decode()] = _values(parts.get(2, _NOTHING))
    except (ValueError, IndexError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: not a tf.train.Example: {error}") from None
    return found


def _feature(value: Feature) -> bytes:
    if not isinstance(value, np.ndarray):
        return _tagged(_BYTES_LIST, b"".join(_tagged(1, item) for item in value))
    if value.dtype.kind == "f":
        packed, kind = value.astype("<f4").tobytes(), _FLOAT_LIST
    else:
        packed, kind = b"".join(_varint(item & _64_BITS) for item in value.tolist()), _INT64_LIST
    return _tagged(kind, _tagged(1, packed) if packed else b"")


def _tagged(number: int, data: bytes) -> bytes:
    return b"".join((_varint(number << 3 | _BYTES), _varint(len(data)), data))


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more come."""
    if value < 0x80:  # nearly all of them
        return _SMALL[value]
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _fields(data: memoryview, only: int | None = None) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: an int, or the bytes as they are; `only` passes over all others."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: Any
        if wire == _VARINT:
            value, at = _read_varint(data, at)
        elif wire in (_BYTES, _FIXED32, _FIXED64):
            length, at = _read_varint(data, at) if wire == _BYTES else ((4 if wire == _FIXED32 else 8), at)
            value, at = data[at : at + length], at + length
        else:
            raise ValueError(f"field {number} is of wire type {wire}")
        if at > len(data) or not number:
            raise ValueError(f"field {number} ends after the message" if number else "a field without a number")
        if only is None or number == only:
            yield number, value


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & _64_BITS, at
        if shift > 63:
            raise ValueError("an integer of more than 64 bits")


def _values(feature: memoryview) -> Feature:
    """The values of a feature; of several lists, which no writer makes, the last counts."""
    kind, entries = ([*_fields(feature)] or [(_BYTES_LIST, _NOTHING)])[-1]
    values = [value for _, value in _fields(entries, only=1)]
    if kind == _BYTES_LIST:
        return [value.tobytes() for value in values]
    if kind == _FLOAT_LIST:
        return np.frombuffer(b"".join(values), dtype="<f4").astype(np.float32)
    if kind == _INT64_LIST:
        integers = [i for value in values for i in ([value] if isinstance(value, int) else _varints(value))]
        return np.array(integers, dtype=np.uint64).astype(np.int64)
    raise ValueError(f"a feature of kind {kind}")


def _varints(data: memoryview) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _read_varint(data, at)
        yield value
