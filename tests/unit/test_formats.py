import json

import pandas as pd
import pytest

from lab_utils import formats
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import coco, manifest, voc

XYWH = ["xmin", "ymin", "width", "height"]


@pytest.fixture
def dataset():
    """Two sequences, a negative, fractional boxes, a class without boxes, both flags."""
    images = pd.DataFrame(
        {
            "image_id": [4, 7, 9],
            "file_name": ["s1/a.png", "s1/b.png", "c.d.png"],
            "width": 640,
            "height": [480, 480, 400],
            "group": ["s1", "s1", ""],
            "split": ["training", "training", "test"],
        }
    )
    boxes = pd.DataFrame(
        [[4, 1, 1.25, 164.60000000000002, 10.5, 20, True, False], [9, 0, 0, 3, 4.7, 5, False, True]],
        columns=["image_id", "class_id", *XYWH, "difficult", "crowd"],
    )
    return DetectionDataset.from_frames(images, boxes, ["mast", "signal"], name="demo")


def same(read, dataset, *, image_ids=True, atol=0.0):
    """The data sets hold the same images, boxes, flags, groups and class names."""
    assert read.classes == dataset.classes
    tables = []
    for data in (read, dataset):
        names = data.images.set_index("image_id")["file_name"]
        images = data.images[["image_id", "file_name", "width", "height", "group"]]
        boxes = data.boxes.assign(file=data.boxes["image_id"].map(names))
        images, boxes = images.sort_values("file_name"), boxes.sort_values(["file", *XYWH])
        if not image_ids:
            images = images.drop(columns="image_id")
        boxes = boxes[["file", "class_id", *XYWH, "difficult", "crowd"]]
        tables.append((images.reset_index(drop=True), boxes.reset_index(drop=True)))
    pd.testing.assert_frame_equal(tables[0][0], tables[1][0])
    pd.testing.assert_frame_equal(tables[0][1], tables[1][1], check_exact=not atol, atol=atol)


def test_coco_keeps_everything(dataset, tmp_path):
    read = coco.read(coco.write(dataset, tmp_path / "a.json"))
    same(read, dataset)
    assert read.images["split"].tolist() == dataset.images["split"].tolist()


def test_voc_keeps_everything(dataset, tmp_path):
    read = voc.read(voc.write(dataset, tmp_path, images=False), classes=dataset.classes)
    same(read, dataset, image_ids=False, atol=1e-9)  # corners are sums
    assert set(read.images["split"]) == {"training", "test"}


def test_a_manifest_keeps_everything(dataset, tmp_path):
    path = manifest.write(dataset, tmp_path / "a.manifest", attribute="signals", source_prefix="s3://b/data")
    read = manifest.read(path)
    same(read, dataset, image_ids=False)
    assert read.images["source_ref"].tolist()[0] == "s3://b/data/s1/a.png"


def test_sparse_coco_ids_become_contiguous_and_come_back(tmp_path):
    content = {
        "images": [{"id": 3, "file_name": "a.jpg", "width": 9, "height": 9, "licence": 2}],
        "annotations": [
            {"id": 0, "image_id": 3, "category_id": 90, "bbox": [0.1, 0.2, 3, 4], "area": 7.5, "iscrowd": 0}
        ],
        "categories": [{"id": 90, "name": "toothbrush"}, {"id": 13, "name": "stop sign"}],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    read = formats.load(f"coco:{tmp_path}")
    assert read.classes == ("stop sign", "toothbrush")
    assert read.boxes["class_id"].tolist() == [1]
    written = coco.to_dict(read)
    assert written["categories"] == sorted(content["categories"], key=lambda c: c["id"])
    assert written["images"] == content["images"]
    assert written["annotations"] == [content["annotations"][0] | {"id": 1}]


def test_coco_s_own_layout_is_known(dataset, tmp_path):
    (tmp_path / "val2017" / "s1").mkdir(parents=True)
    (tmp_path / "val2017" / "s1" / "a.png").touch()
    path = coco.write(dataset, tmp_path / "annotations" / "instances_val2017.json")
    assert coco.read(path).root == tmp_path / "val2017"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": None}, "no list 'annotations'"),
        (
            {"annotations": [{"id": 5, "image_id": 1, "category_id": 8, "bbox": [1, 1, 1, 1]}]},
            r"annotation 1 \(id 5\).*8",
        ),
        ({"annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 1]}]}, r"bbox is \[1, 1\]"),
        ({"images": [{"id": 1, "width": 3, "height": 3}]}, "images: no column 'file_name'"),
    ],
)
def test_bad_coco_is_named(tmp_path, change, message):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]} | change))
    with pytest.raises(DataError, match=rf"a\.json: .*{message}"):
        coco.read(path)
    path.write_text('{\n"images": [}')
    with pytest.raises(DataError, match=r"a\.json:2: not JSON"):
        coco.read(path)


def test_load_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(ConfigError, match="unknown format 'yolo'; expected one of coco, csv, frsign, lisa, manifest"):
        formats.load("yolo:x")
    with pytest.raises(ConfigError, match="no path"):
        formats.load("voc")
    with pytest.raises(DataError, match="does not exist"):
        formats.load(f"voc:{tmp_path}/none")
    with pytest.raises(DataError, match="expected one JSON file, found none"):
        formats.load(f"coco:{tmp_path}")


@pytest.mark.parametrize("write", [voc.write, lambda d, p: manifest.write(d, p, attribute="a", source_prefix="s3://b")])
def test_a_box_of_no_image_is_not_written_away(dataset, tmp_path, write):
    orphan = DetectionDataset.from_frames(dataset.images, dataset.boxes.assign(image_id=5), dataset.classes)
    with pytest.raises(DataError, match="a box is of image 5"):
        write(orphan, tmp_path / "out")
    assert not (tmp_path / "out").exists()
