import json

import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import manifest


def line(ref="s3://b/x/a.jpg", attribute="signals", annotations=None, **others):
    annotations = (
        [{"class_id": 5, "top": 1.5, "left": 2, "height": 3, "width": 4}] if annotations is None else annotations
    )
    metadata = {
        "objects": [{"confidence": 0.25}] * len(annotations),
        "class-map": {"5": "horse", "2": "dog"} if annotations else {},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2022-09-12T09:51:00.148118",
        "job_name": "labeling-job/old",
    }
    label = {"image_size": [{"width": 500, "height": 400, "depth": 1}], "annotations": annotations}
    return {"source-ref": ref, attribute: label, f"{attribute}-metadata": metadata, **others}


def save(path, *lines):
    path.write_text("".join((text if isinstance(text, str) else json.dumps(text)) + "\n" for text in lines))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.manifest"


def lines_of(path):
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_the_real_manifest_comes_back_equal(shared_data, path):
    real = shared_data / "manifests" / "ground_truth_birds.manifest"
    read = manifest.read(real)
    assert (len(read), len(read.boxes), read.classes) == (100, 192, ("Bird",))
    fractional = (read.boxes[["xmin", "ymin", "width", "height"]] % 1 != 0).any(axis=1).sum()
    assert fractional == 156
    manifest.write(read, path, attribute="category")
    assert lines_of(path) == lines_of(real)
    assert path.read_bytes() == real.read_bytes()


def test_sparse_ids_other_keys_and_negatives_come_back_equal(path, tmp_path):
    lines = [line(), line("s3://b/y/b.jpg", annotations=[], **{"verify-signals": "1", "note": {"a": [1]}})]
    read = manifest.read(save(path, *lines))
    assert read.classes == ("dog", "horse")
    assert read.boxes["class_id"].tolist() == [1]
    assert read.images["file_name"].tolist() == ["x/a.jpg", "y/b.jpg"]
    assert lines_of(manifest.write(read, tmp_path / "b", attribute="signals")) == lines


def test_a_new_prefix_writes_contiguous_ids_and_the_full_class_map(path, tmp_path):
    read = manifest.read(save(path, line(), "", line("s3://b/x/b.jpg", annotations=[])))
    written = manifest.write(read, tmp_path / "b", attribute="new", source_prefix="s3://c/", job_name="labeling-job/n")
    first, second = lines_of(written)
    assert first["source-ref"] == "s3://c/a.jpg"
    assert first["new"]["annotations"][0]["class_id"] == 1
    assert first["new-metadata"]["class-map"] == second["new-metadata"]["class-map"] == {"0": "dog", "1": "horse"}
    assert first["new-metadata"]["job-name"] == "labeling-job/n"
    assert "job_name" not in first["new-metadata"]
    assert second["new"]["annotations"] == []


def test_objects_that_do_not_match_the_boxes_are_kept_as_they_are(path, tmp_path):
    odd = line()
    odd["signals-metadata"]["objects"] = [{"confidence": 0.0}] * 3
    assert lines_of(manifest.write(manifest.read(save(path, odd)), tmp_path / "b", attribute="signals")) == [odd]


def test_prefix_and_root_can_be_given(path, tmp_path):
    read = manifest.read(save(path, line("s3://b/x/a.jpg")), source_prefix="s3://b", root=tmp_path / "pixels")
    assert read.image_path(1) == tmp_path / "pixels" / "x" / "a.jpg"
    with pytest.raises(DataError, match=r"a\.manifest:1: .*not below 's3://c'"):
        manifest.read(path, source_prefix="s3://c")


def test_relative_paths_are_below_the_manifest(path):
    assert manifest.read(save(path, line("x/a.jpg"), line("x/b.jpg"))).image_path(2) == path.parent / "x" / "b.jpg"


def test_several_attributes_need_a_name(path):
    both = line() | line(attribute="second")
    with pytest.raises(ConfigError, match="signals and second; name one with attribute="):
        manifest.read(save(path, both))
    assert len(manifest.read(path, attribute="second").boxes) == 1


def broken(**change):
    record = line()
    record["signals"] = record["signals"] | change
    return record


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{not json", "not JSON"),
        ("[1]", "no 'source-ref'"),
        ({"source-ref": "s3://b/x/c.jpg"}, "'signals': expected an object, found nothing"),
        (broken(annotations=None), "'annotations': expected a list .*, found None"),
        (broken(annotations=[{"class_id": 5, "top": 1}]), "annotation 1: expected numbers class_id, top, left"),
        (
            broken(annotations=[{"class_id": 7, "top": 1, "left": 1, "width": 1, "height": 1}]),
            "unknown class: class_id 7",
        ),
        (broken(image_size=[]), r"'image_size': expected \[\{width, height, depth\}\]"),
    ],
)
def test_a_bad_line_is_named(path, bad, message):
    with pytest.raises(DataError, match=rf"a\.manifest:2: .*{message}"):
        manifest.read(save(path, line(), bad))


def test_a_class_that_changes_its_name_is_told(path):
    other = line()
    other["signals-metadata"]["class-map"]["5"] = "cow"
    with pytest.raises(DataError, match=r":2: class 5 is 'cow' here, 'horse' in a line before"):
        manifest.read(save(path, line(), other))


def test_an_empty_or_missing_manifest_is_told(path):
    with pytest.raises(DataError, match=r"a\.manifest: cannot be read"):
        manifest.read(path)
    with pytest.raises(DataError, match="empty"):
        manifest.read(save(path))
