"""Augmented manifests: the pictures they mean, their classes, and errors that name file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from detection import manifest
from sagemaker_contract import UserError
from unit.containers.made import manifest_line

CLASSES = ["red", "green"]


def line(name: str = "a.png", boxes: list = [(1, 2.5, 3, 4, 5)], classes: list[str] = CLASSES) -> dict:  # noqa: B006
    return manifest_line(name, boxes, (96, 64), classes)


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_a_record_keeps_fractions_and_pictures_without_boxes(
    write_manifest: Callable[..., Path], tmp_path: Path
) -> None:
    entries = manifest.read(write_manifest(line(), "", line("b.jpeg", [])))
    paths = [touch(tmp_path / "c" / name) for name in ("a.png", "b.jpeg")]
    first, second = manifest.records(entries, tmp_path / "c", CLASSES)
    assert first["annotations"] == [
        {"bbox": [2.5, 3, 4, 5], "bbox_mode": manifest.XYWH_ABS, "category_id": 1, "iscrowd": 0}
    ]
    assert (first["width"], first["height"], first["file_name"]) == (96, 64, str(paths[0]))
    assert (second["annotations"], second["image_id"]) == ([], 1)


@pytest.mark.parametrize("source", ["s3://bucket/p/x/a.PNG", "/data/x/a.PNG", "x/a.PNG", "../x/a.PNG"])
def test_the_longest_suffix_is_the_picture(tmp_path: Path, source: str) -> None:
    touch(tmp_path / "a.PNG")
    deep = touch(tmp_path / "x/a.PNG")
    assert manifest.find_picture(tmp_path, source, "") == deep


def test_a_name_with_a_space_or_a_percent_sign_is_found(tmp_path: Path) -> None:
    picture = touch(tmp_path / "50 % off.jpg")
    assert manifest.find_picture(tmp_path, "s3://bucket/p/50 % off.jpg", "") == picture


def test_classes_are_the_union_of_the_class_maps(write_manifest: Callable[..., Path]) -> None:
    some = manifest.read(write_manifest(line(classes=["red"])))
    more = manifest.read(write_manifest(line()))
    assert manifest.class_names([some, more]) == CLASSES


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([["red"], ["green"]], "line 2: class 0 is 'green', elsewhere 'red'"),
        ([[]], "no class-map"),
    ],
)
def test_class_maps_must_agree(write_manifest: Callable[..., Path], maps: list[list[str]], message: str) -> None:
    entries = manifest.read(write_manifest(*(line(classes=names) for names in maps)))
    with pytest.raises(UserError, match=message):
        manifest.class_names([entries])


def test_class_ids_must_have_no_gap(write_manifest: Callable[..., Path]) -> None:
    entry = line()
    entry["signals-metadata"]["class-map"] = {"0": "red", "2": "blue"}
    with pytest.raises(UserError, match=r"without a gap, found \[0, 2\]"):
        manifest.class_names([manifest.read(write_manifest(entry))])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "line 1: no source-ref"),
        ('{"source-ref": "a.png"}', "expected one label attribute, found"),
        ('{"source-ref": "a.png", "x-metadata": {}}', "no label attribute 'x'"),
    ],
)
def test_a_bad_line_is_named(write_manifest: Callable[..., Path], text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        manifest.read(write_manifest(text))


def test_a_missing_or_empty_manifest_is_named(write_manifest: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such manifest"):
        manifest.read(tmp_path / "none.manifest")
    with pytest.raises(UserError, match="has no line"):
        manifest.read(write_manifest(""))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((2, 1, 1, 4, 4), "line 1: unknown class 2, expected 0 to 1"),
        ((0, 1, 1, 0, 4), "line 1: box of width 0 and height 4"),
        ((0, "x", 1, 4, 4), "line 1: not an object detection label"),
    ],
)
def test_a_bad_box_is_named(write_manifest: Callable[..., Path], tmp_path: Path, box: tuple, message: str) -> None:
    touch(tmp_path / "a.png")
    with pytest.raises(UserError, match=message):
        manifest.records(manifest.read(write_manifest(line(boxes=[box]))), tmp_path, CLASSES)


@pytest.mark.parametrize(("name", "message"), [("a.png", "line 1: no picture s3://"), ("a.tif", "not one of .jpg")])
def test_a_bad_picture_is_named(write_manifest: Callable[..., Path], tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        manifest.records(manifest.read(write_manifest(line(name))), tmp_path, CLASSES)


def test_real_ground_truth_output_is_read(shared_data: Path) -> None:
    entries = manifest.read(shared_data / "manifests/ground_truth_birds.manifest")
    assert len(entries) == 100
    assert sum(len(entry["label"]["annotations"]) for entry in entries) == 192
