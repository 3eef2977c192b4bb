import numpy as np
import pytest
from PIL import Image

from lab_utils import splits, validation
from lab_utils.errors import ConfigError
from lab_utils.formats import lisa
from lab_utils.prepare import dataset_name, load_dataset
from lab_utils.synthetic import coco_shaped, lisa_shaped

SMALL = {"frames": 5, "longest": 200, "progress": False}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return lisa_shaped.generate(tmp_path_factory.mktemp("lisa"), tracks=12, **SMALL)


def test_it_is_shaped_like_lisa(dataset):
    header = (dataset.root / lisa.ANNOTATIONS).read_text().splitlines()[0]
    assert header == lisa.HEADER
    assert set(dataset.classes) <= set(lisa_shaped.SIGNS)
    modes = {Image.open(dataset.root / name).mode for name in dataset.images["file_name"]}
    assert modes == {"RGB", "L"}
    assert len(dataset.images[["width", "height"]].drop_duplicates()) == 3
    negative = ~dataset.images["image_id"].isin(dataset.boxes["image_id"])
    assert dataset.images.loc[negative, "file_name"].str.startswith("negatives/").all()
    assert negative.any()
    sizes = dataset.images.loc[~negative, "group"].value_counts()
    assert len(sizes) == 12
    assert sizes.between(2, 6).all()
    assert dataset.boxes["image_id"].duplicated().any()  # a second sign


def test_it_has_no_errors_and_no_leaks(dataset):
    assert validation.validate(dataset, progress=False).errors.empty
    parts = splits.split(dataset, stratify=False)
    assert splits.audit_leakage(parts, near_bits=2, progress=False).empty


def test_signs_grow_as_they_come_closer():
    for index in range(4):
        first, *_, last = (boxes[0] for _, boxes in lisa_shaped.track(index, frames=6))
        assert 2 * first["width"] < last["width"] < 170
        assert first["width"] >= 6


def test_boxes_are_where_the_signs_are():
    for image, boxes in lisa_shaped.track(2, frames=4):
        bare = np.asarray(coco_shaped.backdrop(np.random.default_rng(0), image.size), dtype=int)
        for box in boxes:
            x, y, w, h = (box[side] for side in ("xmin", "ymin", "width", "height"))
            inside = np.asarray(image.convert("RGB").crop((x + w / 4, y + h / 4, x + 3 * w / 4, y + 3 * h / 4)), int)
            assert inside.std() + np.ptp(inside, axis=2).max() > np.ptp(bare, axis=2).max() or image.mode == "L"


def test_a_track_depends_on_seed_and_number_alone(dataset, tmp_path):
    again = lisa_shaped.generate(tmp_path, tracks=2, **SMALL)
    for name in again.images["file_name"]:
        assert (again.root / name).read_bytes() == (dataset.root / name).read_bytes()
    boxes = [[box for _, found in lisa_shaped.track(0, 4, seed=seed) for box in found] for seed in (0, 1)]
    assert boxes[0] != boxes[1]


def test_what_is_there_is_read(tmp_path):
    first = lisa_shaped.generate(tmp_path, tracks=2, **SMALL)
    files = [first.root / name for name in first.images["file_name"]]
    times = [file.stat().st_mtime_ns for file in files]
    assert lisa_shaped.generate(tmp_path, tracks=2, **SMALL).same_content(first)
    assert [file.stat().st_mtime_ns for file in files] == times
    fewer = lisa_shaped.generate(tmp_path, tracks=1, **SMALL)
    assert sum(1 for _ in tmp_path.rglob("*.png")) == len(fewer)  # what the other arguments left is gone


def test_annotations_of_others_are_left_alone(tmp_path):
    (tmp_path / lisa.ANNOTATIONS).write_text(lisa.HEADER)
    with pytest.raises(ConfigError, match="that was not generated; choose another folder"):
        lisa_shaped.generate(tmp_path, tracks=2)
    with pytest.raises(ConfigError, match="tracks=0; expected at least 1"):
        lisa_shaped.generate(tmp_path, tracks=0)


def test_it_is_a_data_set_of_the_labs(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    assert len(load_dataset("lisa-shaped", profile="smoke")) > 60
    assert (tmp_path / "data/lisa-shaped-smoke-0/allAnnotations.csv").is_file()
    assert dataset_name("lisa-shaped", profile="smoke") != dataset_name("lisa-shaped", profile="full")
