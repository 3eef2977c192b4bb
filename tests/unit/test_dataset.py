import numpy as np
import pandas as pd
import pytest

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError

IMAGES = pd.DataFrame(
    {
        "image_id": [30, 10, 20],
        "file_name": ["c.png", "a.png", "sub/b.png"],
        "width": [640, 320, 640],
        "height": [480, 240, 480],
        "weather": ["rain", "sun", "fog"],
    }
)
BOXES = pd.DataFrame(
    {
        "image_id": [20, 30, 20],
        "class_id": [1, 0, 1],
        "xmin": [1.5, 2, 3],
        "ymin": [0.25, 2, 3],
        "width": [10.125, 20, 30],
        "height": [10, 20, 30],
        "confidence": [0.1, 0.2, 0.3],
    }
)


@pytest.fixture
def dataset(tmp_path):
    return DetectionDataset.from_frames(IMAGES, BOXES, ["signal", "mast", "lamp"], root=tmp_path, name="demo")


def test_columns_and_types_are_the_model_s(dataset):
    assert list(dataset.images) == ["image_id", "file_name", "width", "height", "group", "split", "weather"]
    assert dataset.boxes.dtypes[["image_id", "class_id"]].tolist() == [np.int64, np.int64]
    assert dataset.boxes.dtypes[["xmin", "ymin", "width", "height"]].unique().tolist() == [np.float64]
    assert dataset.boxes["difficult"].dtype == bool
    assert dataset.boxes["crowd"].tolist() == [False] * 3


def test_an_image_without_a_group_is_its_own(dataset):
    assert dataset.images["group"].tolist() == ["c.png", "a.png", "sub/b.png"]
    assert dataset.images["split"].tolist() == [""] * 3


def test_frames_given_are_left_alone(dataset):
    assert "group" not in IMAGES
    assert BOXES["xmin"].tolist() == [1.5, 2, 3]


def test_boxes_of_keeps_order_and_negatives_have_none(dataset):
    assert dataset.boxes_of(20)["confidence"].tolist() == [0.1, 0.3]
    assert dataset.boxes_of(10).empty
    assert list(dataset.boxes_of(10)) == list(dataset.boxes)


def test_subset_keeps_order_negatives_and_columns(dataset):
    part = dataset.subset([20, 10])
    assert part.images["image_id"].tolist() == [10, 20]
    assert part.boxes["confidence"].tolist() == [0.1, 0.3]
    assert part.images.index.tolist() == [0, 1]
    assert (part.classes, part.root, part.name) == (dataset.classes, dataset.root, "demo")
    assert len(part) == 2


def test_filter_resolution(dataset):
    assert dataset.filter_resolution(320, 240).images["image_id"].tolist() == [10]


def test_a_resolution_that_no_image_has_is_an_error_that_lists_the_others(dataset):
    with pytest.raises(DataError, match=r"no image of 1x1 pixels; there are .*320x240"):
        dataset.filter_resolution(1, 1)


def test_class_counts_include_unused_classes(dataset):
    assert dataset.class_counts().to_dict() == {"signal": 1, "mast": 2, "lamp": 0}


@pytest.mark.parametrize("call", ["image", "image_path", "open_image"])
def test_an_unknown_image_is_named(dataset, call):
    with pytest.raises(DataError, match="no image with image_id 99"):
        getattr(dataset, call)(99)
    with pytest.raises(DataError, match="image_id 99"):
        dataset.subset([10, 99])


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="images: no column 'width'"):
        DetectionDataset.from_frames(IMAGES.drop(columns="width"), BOXES, [])


@pytest.mark.parametrize(("value", "reason"), [(None, "row 1"), (4.5, "row 1: 4.5"), ("x", "could not convert")])
def test_a_value_that_is_no_integer_is_named(value, reason):
    images = IMAGES.assign(width=pd.Series([640, value, 320], dtype=object))
    with pytest.raises(DataError, match=f"images, column 'width'.*{reason}"):
        DetectionDataset.from_frames(images, BOXES, [])


def test_repr_says_how_much_there_is(dataset):
    assert repr(dataset) == "<demo: 3 images, 3 boxes, 3 classes>"


def test_an_empty_data_set_works():
    empty = DetectionDataset.from_frames(IMAGES[:0], BOXES[:0], ["a"])
    assert len(empty) == 0
    assert empty.class_counts().to_dict() == {"a": 0}


def test_same_content_whatever_the_ids_and_the_order():
    images = pd.DataFrame({"image_id": [1, 2], "file_name": ["a", "b"], "width": 9, "height": 9})
    boxes = pd.DataFrame({"image_id": [1, 1], "class_id": 0, "xmin": [1.5, 1.5], "ymin": 1, "width": 2, "height": 3})
    data = DetectionDataset.from_frames(images, boxes, ("x",))
    shuffled = DetectionDataset.from_frames(images[::-1].replace({1: 7}), boxes.replace({"image_id": {1: 7}}), ("x",))
    assert data.same_content(shuffled)
    assert not data.same_content(DetectionDataset.from_frames(images, boxes[:1], ("x",)))
    assert not data.same_content(DetectionDataset.from_frames(images[:1], boxes, ("x",)))
    assert not data.same_content(DetectionDataset.from_frames(images, boxes, ("y",)))


def test_only_some_classes(dataset):
    a, b, c = dataset.classes
    only = dataset.only_classes([c, b])
    assert only.classes == (c, b)
    assert len(only) == len(dataset)  # images without them are negatives
    assert only.boxes["class_id"].tolist() == [1, 1]  # b, which was number 1, is number 1
    assert dataset.only_classes([a]).boxes["xmin"].tolist() == [2]
    with pytest.raises(DataError, match="no class 'x'; there are"):
        dataset.only_classes(["x"])


def test_without_crowd_regions(dataset):
    flagged = dataset.boxes.assign(crowd=[True, False, False])
    crowded = DetectionDataset.from_frames(dataset.images, flagged, dataset.classes)
    assert crowded.without_crowd().boxes["xmin"].tolist() == [2, 3]
    assert len(crowded.boxes) == 3
