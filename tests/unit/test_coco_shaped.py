import json

import numpy as np
import pytest
from PIL import Image

from lab_utils import validation
from lab_utils.errors import ConfigError
from lab_utils.formats import coco, coco_classes
from lab_utils.prepare import dataset_name, load_dataset
from lab_utils.synthetic import coco_shaped, glyphs


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return coco_shaped.generate(tmp_path_factory.mktemp("coco"), images=120, longest=128, progress=False)


def test_it_is_shaped_like_val2017(dataset):
    assert dataset.classes == tuple(coco_classes.NAMES.values())
    assert dataset.category_ids == tuple(coco_classes.NAMES)
    modes = {Image.open(dataset.root / name).mode for name in dataset.images["file_name"]}
    assert modes == {"RGB", "L"}
    assert dataset.boxes["crowd"].any()
    assert not dataset.images["image_id"].isin(dataset.boxes["image_id"]).all()  # negatives
    assert (dataset.boxes[["xmin", "width"]] % 1 != 0).any(axis=None)
    assert dataset.images[["width", "height"]].drop_duplicates().shape[0] > 4
    counts = dataset.class_counts()
    assert counts[:20].sum() > 2 * counts[60:].sum()
    assert (dataset.boxes["area"] <= dataset.boxes["width"] * dataset.boxes["height"] + 0.01).all()


def test_it_has_no_errors(dataset):
    assert validation.validate(dataset, progress=False).errors.empty


def test_boxes_are_where_the_signs_are():
    image, found = coco_shaped.picture(3, 320)
    bare = coco_shaped.backdrop(np.random.default_rng(0), image.size)
    for annotation in found:
        x, y, width, height = annotation["bbox"]
        inside = np.asarray(image.crop((x + width / 4, y + height / 4, x + 3 * width / 4, y + 3 * height / 4)), int)
        assert (
            np.ptp(inside, axis=2).max() > np.ptp(np.asarray(bare, int), axis=2).max()
        )  # more vivid than any backdrop


def test_a_picture_depends_on_seed_and_number_alone(dataset, tmp_path):
    again = coco_shaped.generate(tmp_path, images=3, longest=128, progress=False)
    for name in again.images["file_name"]:
        assert (again.root / name).read_bytes() == (dataset.root / name).read_bytes()
    assert coco_shaped.picture(0, 128)[1] != coco_shaped.picture(0, 128, seed=1)[1]
    fewer = coco_shaped.generate(tmp_path, images=2, longest=128, progress=False)
    assert len(list(fewer.root.iterdir())) == 2  # what the other arguments left is gone


def test_what_is_there_is_read(tmp_path):
    first = coco_shaped.generate(tmp_path, images=2, longest=96, progress=False)
    times = {file: file.stat().st_mtime_ns for file in first.root.iterdir()}
    coco_shaped.generate(tmp_path, images=2, longest=96, progress=False)
    assert {file: file.stat().st_mtime_ns for file in first.root.iterdir()} == times
    (first.root / "000000000002.jpg").unlink()
    assert len(coco_shaped.generate(tmp_path, images=2, longest=96, progress=False)) == 2
    assert coco.info(tmp_path / coco_shaped.ANNOTATIONS)["made_from"]["images"] == 2


def test_annotations_of_others_are_left_alone(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / coco_shaped.ANNOTATIONS).write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    with pytest.raises(ConfigError, match="that was not generated; choose another folder"):
        coco_shaped.generate(tmp_path, images=2)
    with pytest.raises(ConfigError, match="images=0; expected at least 1"):
        coco_shaped.generate(tmp_path, images=0)


def test_no_two_categories_look_the_same_even_in_grey():
    sheets = []
    for category in range(80):
        canvas = Image.new("RGB", (48, 48), "white")
        glyphs.draw(canvas, glyphs.outline(category) * 20 + 24, category)
        sheets.append(np.asarray(canvas.convert("L"), dtype=int))
    pairs = [(a, b) for i, a in enumerate(sheets) for b in sheets[:i]]
    assert min(np.abs(a - b)[(a < 250) | (b < 250)].mean() for a, b in pairs) > 12


def test_it_is_a_data_set_of_the_labs(tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    assert len(load_dataset("coco-shaped", profile="smoke")) == 80
    assert (tmp_path / "data/coco-shaped-smoke-0/val2017").is_dir()
    assert dataset_name("coco-shaped", profile="smoke").startswith("coco-shaped-smoke-0-")
    assert dataset_name("coco-shaped") != dataset_name("coco-shaped", profile="full")
