import json

import pandas as pd
import pytest
from PIL import Image
from unit.test_formats import same

from lab_utils import formats
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats import csv, via


def region(name="rect", attributes=None, **shape):
    shape = shape or {"x": 1, "y": 2, "width": 3.5, "height": 4}
    return {"shape_attributes": {"name": name, **shape}, "region_attributes": attributes or {"class": "signal"}}


@pytest.fixture
def saved(tmp_path):
    """A function that writes a VIA file of these regions (an image each) and returns its path."""

    def save(*regions, wrap=lambda entries: entries):
        entries = {}
        for i, of_image in enumerate(regions):
            Image.new("RGB", (64, 48)).save(tmp_path / f"{i}.png")
            entries[f"{i}.png99"] = {"filename": f"{i}.png", "size": 99, "regions": of_image, "file_attributes": {}}
        (tmp_path / "via.json").write_text(json.dumps(wrap(entries)))
        return tmp_path / "via.json"

    return save


def test_everything_survives(tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 48)).save(tmp_path / name)
    images = pd.DataFrame({"image_id": [1, 2], "file_name": ["a.png", "b.png"], "width": 64, "height": 48})
    boxes = pd.DataFrame(
        [[1, 1, 0.25, 3, 4.5, 5, True, False]], columns=["image_id", "class_id", *XYWH, "difficult", "crowd"]
    )
    demo = DetectionDataset.from_frames(images.assign(group=["clip", ""]), boxes, ["mast", "signal"], root=tmp_path)
    read = via.read(via.write(demo, tmp_path / "via.json"), classes=demo.classes)
    same(read, demo)
    size = (tmp_path / "a.png").stat().st_size
    assert json.loads((tmp_path / "via.json").read_text()).keys() >= {f"a.png{size}"}


@pytest.mark.parametrize(
    "wrap", [lambda entries: entries, lambda entries: {"_via_settings": {}, "_via_img_metadata": entries}]
)
def test_projects_and_exports_of_both_versions_are_read(saved, wrap):
    read = formats.load(f"via:{saved([region()], {'0': region()}, [], wrap=wrap)}")
    assert read.boxes[XYWH].values.tolist() == [[1, 2, 3.5, 4]] * 2
    assert read.images[["width", "height"]].values.tolist() == [[64, 48]] * 3  # the files tell; VIA does not
    assert csv.write(read, saved().with_suffix(".csv")).read_text().splitlines()[1] == "0.png,64,48,signal,1,2,4.5,6"


def test_other_shapes_count_as_their_bounding_box(saved):
    path = saved(
        [
            region("polygon", all_points_x=[5, 1, 9], all_points_y=[2, 8, 3]),
            region("circle", cx=10, cy=20, r=3),
            region("ellipse", cx=10, cy=20, rx=3, ry=2),
        ]
    )
    assert via.read(path).boxes[XYWH].values.tolist() == [[1, 2, 8, 6], [7, 17, 6, 6], [7, 18, 6, 4]]


def test_the_class_may_have_another_name(saved):
    path = saved([region(attributes={"type": "mast"})])
    assert via.read(path).classes == ("mast",)
    path = saved([region(attributes={"type": "mast", "colour": "red"})])
    with pytest.raises(ConfigError, match="region attributes colour, type; name the one that is the class"):
        via.read(path)
    assert via.read(path, attribute="colour").classes == ("red",)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (region(attributes={"class": ""}), "0.png99: region 1: region attribute 'class' is ''; expected the name"),
        (region(attributes={"class": {"a": True}}), "region attribute 'class' is {'a': True}"),
        (region("point", cx=1, cy=2), "region 1: a point; expected one of rect, polygon"),
        (region("rect", x=1, y=2, width=3), "region 1: expected 'shape_attributes' with name, x, y, width, height"),
        (region("polygon", all_points_x=[], all_points_y=[]), "expected 'shape_attributes'"),
        ({"region_attributes": {"class": "a"}}, "expected 'shape_attributes'"),
    ],
)
def test_a_bad_region_is_named(saved, bad, message):
    with pytest.raises(DataError) as error:
        via.read(saved([bad]))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "via.json:1: not JSON"),
        ("[]", "no images; expected VIA's object"),
        ("{}", "no images"),
        ('{"project": {}, "config": {}}', "VIA 3 has another format"),
        ('{"a": {"filename": "a.png"}}', "a: expected an image with 'filename' and 'regions'"),
        ('{"a": {"filename": "a.png", "regions": []}}', "a.png: image not found; its size is needed"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, message):
    (tmp_path / "via.json").write_text(text)
    with pytest.raises(DataError) as error:
        via.read(tmp_path / "via.json")
    assert message in str(error.value)
