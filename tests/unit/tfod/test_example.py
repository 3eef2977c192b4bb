import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from unit.tfod.payloads import EXAMPLES

from lab_utils.errors import DataError
from lab_utils.tfod import example, record_file

GOLDEN = Path(__file__).parent / "golden" / "examples.tfrecord"
DTYPES = {"float": np.float32, "int64": np.int64}


def ours(features):
    """The example's features as `example.encode` takes them."""
    return {
        key: values if kind == "bytes" else np.array(values, dtype=DTYPES[kind])
        for key, (kind, values) in features.items()
    }


def same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        assert type(a[key]) is type(b[key])
        if isinstance(a[key], np.ndarray):
            assert a[key].dtype == b[key].dtype
            np.testing.assert_array_equal(a[key], b[key])
        else:
            assert a[key] == b[key]


def test_examples_are_serialised_as_tensorflow_does():
    tensorflows = [data for _, data in record_file.records(GOLDEN)]
    assert [example.encode(ours(features)) for features in EXAMPLES] == tensorflows


def test_examples_that_tensorflow_serialised_are_read():
    read = [example.decode(data, "here") for _, data in record_file.records(GOLDEN)]
    for found, features in zip(read, EXAMPLES, strict=True):
        same(found, ours(features))


def test_numbers_that_are_not_packed_are_read():
    # feature 1 { entry: key "k", value { int64_list { value: 3 value: 300 } } }; then a float list; an unknown field
    integers = b"\x0a\x0d\x0a\x0b\x0a\x01k\x12\x06\x1a\x04\x08\x03\x08\x00"
    assert example.decode(integers, "here")["k"].tolist() == [3, 0]
    floats = b"\x0a\x13\x0a\x11\x0a\x01k\x12\x0c\x12\x0a\x0d\x00\x00\x80\x3f\x0d\x00\x00\x00\xbf"
    assert example.decode(floats + b"\x10\x07", "here")["k"].tolist() == [1.0, -0.5]


@pytest.mark.parametrize(
    "data",
    [
        b"not an example",
        b"\x0a\x05ab",
        b"\x0b",
        b"\x0a",
        b"\xff" * 12,
        b"\x08\x01" * 3 + b"\x0a\x02\x0a\x05",
        b"\x02\x00",
    ],
)
def test_what_is_no_example_is_refused(data):
    with pytest.raises(DataError, match=r"^here: not a tf\.train\.Example: "):
        example.decode(data, "here")


def test_damaged_bytes_end_in_no_other_error():
    rng = random.Random(0)
    whole = example.encode(ours(EXAMPLES[2]))
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with suppress(DataError):
            example.decode(bytes(data[: rng.randint(1, len(data))]), "here")
