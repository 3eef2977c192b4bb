from pathlib import Path

import pytest
from unit.tfod.payloads import PAYLOADS

from lab_utils.errors import ConfigError, DataError
from lab_utils.tfod import record_file
from lab_utils.tfod.record_file import ShardWriter

GOLDEN = Path(__file__).parent / "golden" / "framing.tfrecord"


def written(path, count, shards=1):
    with ShardWriter(path, shards) as writer:
        for i in range(count):
            writer.append(b"%d" % i)
    return writer.paths


def test_records_are_framed_as_tensorflow_frames_them():
    assert b"".join(map(record_file.frame, PAYLOADS)) == GOLDEN.read_bytes()


def test_records_that_tensorflow_framed_are_read():
    assert [data for _, data in record_file.records(GOLDEN)] == PAYLOADS
    assert [position for position, _ in record_file.records(GOLDEN)][:4] == [0, 16, 33, 57]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-3], r"record 6: at byte 1217: ends after 65537 of 65540 bytes; the file is damaged"),
        (lambda data: data[:-5], "record 6: at byte 1217: ends after"),
        (lambda data: data + b"\x00" * 5, "record 7: at byte 66769: the file ends within a length"),
        (lambda data: data[:28] + b"b" + data[29:], "record 2: at byte 16: the checksum of its 1 bytes is wrong"),
        (lambda data: data[:16] + b"\x09" + data[17:], "record 2: at byte 16: the checksum of the length is wrong"),
        (lambda data: data[:12] + b"\x00" + data[13:], "record 1: at byte 0: the checksum of its 0 bytes is wrong"),
        (lambda data: b"\xff" * 8 + data[8:], "record 1: at byte 0: the checksum of the length is wrong: no TFRecord"),
        (lambda data: b"\x1f\x8b\x08" + data, "compressed one, which TFOD does not read; decompress it"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, damage, message):
    (tmp_path / "a.tfrecord").write_bytes(damage(GOLDEN.read_bytes()))
    with pytest.raises(DataError, match=message):
        list(record_file.records(tmp_path / "a.tfrecord"))


def test_an_empty_file_has_no_records(tmp_path):
    (tmp_path / "a.tfrecord").touch()
    assert list(record_file.records(tmp_path / "a.tfrecord")) == []
    with pytest.raises(DataError, match="no such file"):
        list(record_file.records(tmp_path / "b.tfrecord"))


def test_shards_are_named_and_filled_in_turn(tmp_path):
    paths = written(tmp_path / "train.tfrecord", 5, 3)
    assert [path.name for path in paths] == [f"train.tfrecord-{i:05d}-of-00003" for i in range(3)]
    contents = [[data for _, data in record_file.records(path)] for path in paths]
    assert contents == [[b"0", b"3"], [b"1", b"4"], [b"2"]]


def test_shards_of_another_number_do_not_stay(tmp_path):
    other = written(tmp_path / "train.tfrecord.old", 1)
    written(tmp_path / "train.tfrecord", 4, 4)
    paths = written(tmp_path / "train.tfrecord", 4, 2)
    assert sorted(tmp_path.iterdir()) == sorted([*paths, *other])
    paths = written(tmp_path / "train.tfrecord", 4)
    assert sorted(tmp_path.iterdir()) == sorted([*paths, *other])


def test_a_failed_write_leaves_what_was_there(tmp_path):
    written(tmp_path / "a.tfrecord", 4, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TypeError), ShardWriter(tmp_path / "a.tfrecord", 3) as writer:
        list(map(writer.append, [b"x", None]))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("shards", [0, -1, 100_000])
def test_a_number_of_shards_that_makes_no_sense(tmp_path, shards):
    with pytest.raises(ConfigError, match=f"shards={shards}; expected 1 to 99999"):
        ShardWriter(tmp_path / "a", shards)


def test_files_are_found(tmp_path):
    one = written(tmp_path / "val.record", 1)
    two = written(tmp_path / "train.tfrecord", 2, 2)
    (tmp_path / "train.csv").touch()
    assert record_file.find(tmp_path) == [*two, *one]
    assert record_file.find(tmp_path / "val.record") == one
    assert record_file.find(tmp_path / "train.tfrecord") == two
    assert record_file.find(tmp_path / "train.tfrecord-?????-of-00002") == two
    assert record_file.find(two[1]) == two[1:]
    two[0].unlink()
    with pytest.raises(DataError, match=r"train.tfrecord-00000-of-00002: no such file; .*00001-of-00002 is one of 2"):
        record_file.find(tmp_path / "train.tfrecord")
    with pytest.raises(DataError, match="no TFRecord files; expected a file"):
        record_file.find(tmp_path / "test.tfrecord")
