"""Names of prepared data: readable, fit for S3 and jobs, and another one whenever the data are others."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from lab_utils import channels, prepare
from lab_utils.errors import ConfigError, DataError
from lab_utils.prepare import dataset_name, load_dataset
from lab_utils.profiles import PROFILES, Profile


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Files as a Pascal VOC set has them (only names and content matter here)."""
    folder = tmp_path / "My_Photos"
    for name, content in {
        "Annotations/a.xml": "12",
        "JPEGImages/a.jpg": "pixels",
        "ImageSets/Main/train.txt": "a",
    }.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("dataset", "start"),
    [("synthetic", "synthetic-laptop-3"), ("voc:{}", "voc-my-photos-3"), ("voc:{}/", "voc-my-photos-3")],
)
def test_a_name_is_readable_and_fit_for_a_key_and_a_job(dataset: str, start: str, photos: Path) -> None:
    assert re.fullmatch(rf"{start}-[0-9a-f]{{8}}", dataset_name(dataset.format(photos), seed=3))


def test_a_long_name_still_fits_a_job(tmp_path: Path) -> None:
    file = tmp_path / f"{'instances_of_everything_' * 5}.json"
    file.write_text("{}")
    assert len(dataset_name(f"coco:{file}", seed=123456)) + len("-labels") <= 63


def test_renderer_version_and_sizes_are_in_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {dataset_name("synthetic"), dataset_name("synthetic", seed=1), dataset_name("synthetic", profile="smoke")}
    monkeypatch.setattr(import_module("lab_utils.synthetic.generate"), "VERSION", -1)
    names.add(dataset_name("synthetic"))
    for size in (Profile(9, 4, (640, 400)), Profile(126, 9, (640, 400)), Profile(126, 4, (640, 900))):
        monkeypatch.setitem(PROFILES, "laptop", size)
        names.add(dataset_name("synthetic"))
    assert len(names) == 7


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("Annotations/a.xml", "21"),
        ("Annotations/b.xml", "12"),
        ("ImageSets/Main/train.txt", "b"),
        ("JPEGImages/a.jpg", "more pixels"),
        ("JPEGImages/b.jpg", ""),
    ],
)
def test_changed_files_change_the_name(file: str, content: str, photos: Path) -> None:
    before = dataset_name(f"voc:{photos}")
    assert dataset_name(f"voc:{photos}") == before
    (photos / file).write_text(content)
    assert dataset_name(f"voc:{photos}") != before


def test_a_copy_elsewhere_has_the_same_name_and_hidden_files_do_not_count(photos: Path) -> None:
    before = dataset_name(f"voc:{photos}")
    (photos / ".DS_Store").write_text("x")
    (photos.parent / "moved").mkdir()
    assert dataset_name(f"voc:{photos.rename(photos.parent / 'moved' / photos.name)}") == before


def test_a_changed_form_changes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dataset_name("synthetic")
    monkeypatch.setattr(prepare, "_FORM", 0)
    assert dataset_name("synthetic") != before


def test_lab_00_and_lab_01_find_the_same_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "exists", lambda lab, name: True)
    assert prepare.prepare(None, "synthetic", profile="smoke", seed=3) == dataset_name(
        "synthetic", profile="smoke", seed=3
    )


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"^/no/where does not exist$"):
        dataset_name("voc:/no/where")


@pytest.mark.parametrize("dataset", ["voc", "voc:", "tiff:/data", "synthetic:7"])
def test_what_is_no_data_set_has_no_name(dataset: str) -> None:
    with pytest.raises(ConfigError, match=f"^dataset '{dataset}': .*expected"):
        dataset_name(dataset)


@pytest.mark.parametrize("function", [dataset_name, load_dataset])
def test_s3_data_need_a_session(function) -> None:
    with pytest.raises(ConfigError, match="pass lab="):
        function("voc:s3://bucket/photos")


def test_shards_of_records_are_known_by_their_content(tmp_path: Path) -> None:
    shards = [tmp_path / f"train.tfrecord-0000{i}-of-00002" for i in (0, 1)]
    for shard in shards:
        shard.write_bytes(b"boxes")
    before = [dataset_name(f"tfrecord:{path}") for path in (tmp_path, tmp_path / "train.tfrecord", shards[1])]
    shards[1].write_bytes(b"Boxes")
    after = [dataset_name(f"tfrecord:{path}") for path in (tmp_path, tmp_path / "train.tfrecord", shards[1])]
    assert not set(before) & set(after)
