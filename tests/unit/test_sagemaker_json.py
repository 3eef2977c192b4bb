import json

import pandas as pd
import pytest
from PIL import Image

from lab_utils import formats
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import coco_classes, sagemaker_json


@pytest.fixture
def dataset(tmp_path):
    """Fractional boxes, a crowd region, a negative, a grayscale image, a name with dots."""
    names = ["a.jpg", "sub/b.v2.png", "gray.jpg"]
    images = pd.DataFrame({"image_id": [5, 2, 9], "file_name": names, "width": 40, "height": 30})
    boxes = pd.DataFrame(
        [[5, 1, 0.5, 2, 3.25, 4], [5, 0, 10, 10, 20, 20], [9, 0, 1, 1, 2, 2]],
        columns=["image_id", "class_id", *XYWH],
    )
    boxes["crowd"] = [False, True, False]
    for name in names:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L" if "gray" in name else "RGB", (40, 30)).save(path)
    return DetectionDataset.from_frames(images, boxes, ["cat", "dog"], root=tmp_path / "source", category_ids=[17, 18])


def test_a_file_is_as_documented(dataset, tmp_path):
    account = sagemaker_json.write(dataset, tmp_path / "json")
    assert json.loads((tmp_path / "json/a.json").read_text()) == {
        "file": "a.jpg",
        "image_size": [{"width": 40, "height": 30, "depth": 3}],
        "annotations": [{"class_id": 1, "left": 0.5, "top": 2, "width": 3.25, "height": 4}],
        "categories": [{"class_id": 0, "name": "cat"}, {"class_id": 1, "name": "dog"}],
    }
    assert json.loads((tmp_path / "json/sub/b.v2.json").read_text())["annotations"] == []
    assert (account.images, account.boxes, account.negatives, account.crowd) == (3, 2, 1, 1)
    assert len(list((tmp_path / "json").rglob("*"))) == 4  # no temporary file is left


def test_channels_are_read_back(dataset, tmp_path):
    parts = {"training": dataset.subset([5, 2]), "validation": dataset.subset([9])}
    sagemaker_json.write_channels(parts, tmp_path / "data", crowd="keep")
    read = formats.load(f"sagemaker_json:{tmp_path / 'data'}")
    assert sorted(read.images["file_name"]) == ["train/a.jpg", "train/sub/b.v2.png", "validation/gray.jpg"]
    assert read.images["split"].tolist() == ["training", "training", "validation"]
    assert read.boxes[XYWH].to_numpy().tolist() == dataset.boxes[XYWH].to_numpy().tolist()
    assert read.classes == ("cat", "dog")
    assert [read.open_image(i).mode for i in read.images["image_id"]] == ["RGB"] * 3
    with pytest.raises(ConfigError, match="no 'validation'"):
        sagemaker_json.write_channels({"training": dataset}, tmp_path / "other")


def test_an_annotation_folder_alone_is_read(dataset, tmp_path):
    sagemaker_json.write(dataset, tmp_path / "x_annotation")
    read = sagemaker_json.read(tmp_path / "x_annotation", dataset.root)
    assert read.same_content(dataset.where(dataset.images["image_id"] > 0)) is False  # the crowd region is gone
    assert len(read.boxes) == 2
    assert sagemaker_json.read(tmp_path / "x_annotation").root == tmp_path / "x"


def test_files_of_another_data_set_are_not_mixed_in(dataset, tmp_path):
    sagemaker_json.write(dataset, tmp_path / "json")
    sagemaker_json.write(dataset, tmp_path / "json")
    with pytest.raises(ConfigError, match=r"holds gray\.json, of another data set; use an empty folder"):
        sagemaker_json.write(dataset.subset([5, 2]), tmp_path / "json")


def test_images_that_would_share_a_file_are_refused(dataset, tmp_path):
    dataset.images["file_name"] = ["a.jpg", "a.png", "b.jpg"]
    with pytest.raises(DataError, match=r"annotations a\.json; rename one"):
        sagemaker_json.write(dataset, tmp_path / "json")


BOX = {"class_id": 0, "left": 1, "top": 1, "width": 2, "height": 2}
SIZE = [{"width": 9, "height": 9, "depth": 3}]
GOOD = {"file": "a.jpg", "image_size": SIZE, "annotations": [BOX], "categories": [{"class_id": 0, "name": "cat"}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": None}, "no 'file'"),
        ({"file": "../a.jpg"}, "leads out of the images' folder"),
        ({"image_size": []}, r"'image_size' is \[\]; expected \[\{width, height, depth\}\] in pixels"),
        ({"annotations": None}, "no list 'annotations'"),
        ({"annotations": [{"class_id": 0}]}, r"annotation 1: \{'class_id': 0\}; expected numbers class_id, left, top"),
        ({"annotations": [BOX | {"class_id": "0"}]}, "annotation 1: class_id is '0'; expected an integer from 0"),
        (
            {"annotations": [BOX | {"class_id": 5}]},
            "class ids go up to 5, but no object has 1; number the classes 0, 1",
        ),
        ({"annotations": [BOX | {"class_id": 1}]}, "class_id 1 is used, but no file's categories name it"),
        ({"categories": [{"class_id": 0, "name": "dog"}]}, "class 0 is 'dog' here, 'cat' in another file"),
        ({"categories": [{"id": 0}]}, r"categories: \{'id': 0\}; expected class_id and name"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, change, message):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.json").write_text(json.dumps(GOOD | {"file": "b.jpg"} | change))
    with pytest.raises(DataError, match=message):
        sagemaker_json.read(tmp_path)


def test_other_mistakes_are_named(tmp_path):
    with pytest.raises(DataError, match="no annotations"):
        sagemaker_json.read(tmp_path)
    (tmp_path / "a.json").write_text("{\n")
    with pytest.raises(DataError, match=r"a\.json:2: not JSON"):
        sagemaker_json.read(tmp_path)


def test_coco_has_80_categories_with_ten_ids_left_out():
    missing = [i for i in range(1, 91) if i not in coco_classes.NAMES]
    assert missing == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    assert len(set(coco_classes.NAMES.values())) == 80
    assert [coco_classes.NAMES[i] for i in (1, 13, 44, 62, 90)] == [
        "person",
        "stop sign",
        "bottle",
        "chair",
        "toothbrush",
    ]
    assert list(coco_classes.CLASS_ID.items())[-1] == (90, 79)
