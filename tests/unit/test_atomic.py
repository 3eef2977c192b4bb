import json

import pytest

from lab_utils import atomic


def test_writes_text_and_makes_folders(tmp_path):
    target = tmp_path / "a" / "b.txt"
    atomic.write_text(target, "één\n")
    assert target.read_bytes() == "één\n".encode()


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "data.txt"
    target.write_text("old")
    with pytest.raises(TypeError), atomic.open_atomic(target) as file:
        file.writelines(["half", 1])
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_target_appears_only_at_the_end(tmp_path):
    target = tmp_path / "data.bin"
    with atomic.open_atomic(target, "wb") as file:
        file.write(b"1")
        file.flush()
        assert not target.exists()
    assert target.read_bytes() == b"1"


def test_permissions_are_those_of_an_ordinary_file(tmp_path):
    ordinary, written = tmp_path / "a", tmp_path / "b"
    ordinary.write_text("")
    atomic.write_text(written, "")
    assert written.stat().st_mode == ordinary.stat().st_mode


def test_json_round_trip_and_no_nan(tmp_path):
    target = tmp_path / "x.json"
    atomic.write_json(target, {"ä": [1, 164.60000000000002]})
    assert json.loads(target.read_text(encoding="utf-8")) == {"ä": [1, 164.60000000000002]}
    with pytest.raises(ValueError, match="JSON compliant"):
        atomic.write_json(target, float("nan"))
    assert json.loads(target.read_text(encoding="utf-8"))["ä"] == [1, 164.60000000000002]


@pytest.mark.parametrize("mode", ["a", "r", "x"])
def test_other_modes_are_refused(tmp_path, mode):
    with pytest.raises(ValueError, match="mode"), atomic.open_atomic(tmp_path / "f", mode):
        pass
