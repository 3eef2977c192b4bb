"""Atomic files and the records in them."""

import threading
from pathlib import Path

import pytest

from local_sagemaker.files import read_json, write_json, write_text
from local_sagemaker.store import Store


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\udcff")
    assert read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["f.json"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "nonsense"])
def test_what_is_not_json_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "f").write_text(text)
    assert read_json(tmp_path / "f") is None
    assert read_json(tmp_path / "absent") is None


def test_records_survive(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("Model", "m", {"a": 1, "_arn": "arn:m"})
    store.update("Model", "m", b=2)
    again = Store(tmp_path)
    assert again.get("Model", "m") == {"a": 1, "b": 2, "_arn": "arn:m"}
    assert again.by_arn("arn:m") == ("Model", "m", {"a": 1, "b": 2, "_arn": "arn:m"})
    again.delete("Model", "m")
    assert Store(tmp_path).all("Model") == []


def test_a_half_written_record_is_not_a_record(tmp_path: Path) -> None:
    (tmp_path / "Model").mkdir()
    (tmp_path / "Model" / "m.json").write_text('{"a": ')
    assert Store(tmp_path).get("Model", "m") is None


def test_update_of_a_deleted_record_does_not_bring_it_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.update("Model", "m", a=1) is None
    assert store.all("Model") == []


def test_one_of_many_adds_a_name(tmp_path: Path) -> None:
    store, added = Store(tmp_path), []
    threads = [threading.Thread(target=lambda n=n: added.append(store.add("Model", "m", {"n": n}))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 7 + [True]


def test_a_record_is_not_changed_in_place(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = store.put("Model", "m", {"a": 1})
    store.update("Model", "m", a=2)
    assert before == {"a": 1}


def test_changes_derived_from_the_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("Model", "m", {"n": 0})
    threads = [
        threading.Thread(target=store.change, args=("Model", "m", lambda r: {"n": r["n"] + 1})) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("Model", "m") == {"n": 16}
    assert store.change("Model", "m", lambda r: None) is None
