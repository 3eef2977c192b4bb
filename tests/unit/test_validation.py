import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import voc
from lab_utils.validation import drop_invalid, validate

XYWH = ["xmin", "ymin", "width", "height"]


@pytest.fixture
def good(tmp_path):
    """Three sound images of 64 x 48 with a box each."""
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    images = pd.DataFrame(
        {"image_id": [10, 11, 12], "file_name": ["0.png", "1.png", "2.png"], "width": 64, "height": 48}
    )
    images["split"] = ["training", "training", "test"]
    boxes = pd.DataFrame([[i, 0, 1, 2, 30, 40] for i in (10, 11, 12)], columns=["image_id", "class_id", *XYWH])
    return DetectionDataset.from_frames(images, boxes, ["signal"], root=tmp_path)


def changed(data, images=None, boxes=None, classes=None):
    """The data set with cells replaced: {(row, column): value}."""
    tables = [data.images.copy(), data.boxes.copy()]
    for table, cells in zip(tables, (images, boxes), strict=True):
        for (row, column), value in (cells or {}).items():
            table.loc[row, column] = value
    return DetectionDataset.from_frames(*tables, classes or data.classes, root=data.root)


def codes(report):
    return report.frame["code"].tolist()


def test_a_sound_data_set_has_no_problems(good):
    report = validate(good, progress=False)
    assert report.frame.empty
    assert str(report) == "dataset: 3 images, 3 boxes: 0 errors, 0 warnings"
    assert len(drop_invalid(good, report)) == 3


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([5, 5, 0, 9], ["degenerate-box"]),
        ([5, 5, 9, -1], ["degenerate-box"]),
        ([5, 5, float("nan"), 9], ["degenerate-box"]),
        ([64, 5, 9, 9], ["box-outside-image"]),
        ([-20, 5, 9, 9], ["box-outside-image"]),
        ([60, 5, 9, 9], ["box-over-edge"]),
        ([60, 5, 5, 9], []),  # one pixel over: within the tolerance
        ([-1.5, 5, 9, 9], ["box-over-edge"]),
    ],
)
def test_boxes(good, box, expected):
    data = changed(good, boxes={(1, column): value for column, value in zip(XYWH, box, strict=True)})
    report = validate(data, pixels=False)
    assert codes(report) == expected
    assert report.frame["row"].tolist() == [1] * len(expected)
    assert report.frame["file"].tolist() == ["1.png"] * len(expected)


@pytest.mark.parametrize(
    ("change", "code", "severity", "message"),
    [
        (
            {"images": {(1, "image_id"): 10, (1, "file_name"): "x.png"}},
            "duplicate-image-id",
            "error",
            "10 is also in 0.png",
        ),
        ({"images": {(1, "file_name"): "0.png"}}, "duplicate-file-name", "error", "0.png is also in"),
        ({"images": {(1, "file_name"): "../1.png"}}, "path-outside-root", "error", "../1.png leads out of"),
        ({"images": {(2, "group"): "0.png"}}, "leakage", "error", "0.png is in splits training and test"),
        ({"boxes": {(2, "image_id"): 99}}, "orphan-box", "error", "image 99"),
        ({"boxes": {(2, "class_id"): 1}}, "unknown-class", "error", "class_id 1 has no name"),
        ({"boxes": {(2, "class_id"): -1}}, "unknown-class", "error", "class_id -1 has no name"),
        ({"boxes": {(2, "image_id"): 10}}, "duplicate-box", "warning", "occurs before"),
        ({"classes": ["signal", "mast"]}, "unused-class", "warning", "'mast' has no boxes"),
        ({"classes": ["signal", "signal"]}, "duplicate-class", "error", "class 1 is 'signal'"),
    ],
)
def test_tables(good, change, code, severity, message):
    frame = validate(changed(good, **change), pixels=False).frame.set_index("code")
    assert frame.loc[code, "severity"] == severity
    assert message in frame.loc[code, "message"]


def test_all_problems_of_the_pixels_come_in_one_report(good):
    folder = good.root
    (folder / "0.png").write_bytes((folder / "0.png").read_bytes()[:2000])
    (folder / "1.png").unlink()
    Image.new("RGB", (48, 64)).save(folder / "2.png")
    report = validate(changed(good, boxes={(2, "width"): 0}), progress=False)
    assert set(codes(report)) == {"degenerate-box", "unreadable-image", "missing-image", "wrong-size"}
    assert len(report.errors) == 4
    assert "recorded 64 x 48, file is 48 x 64" in str(report)


def test_exif_orientation_is_a_warning(good):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(good.root / "0.png") as image:
        image.save(good.root / "0.png", exif=exif)
    report = validate(good, progress=False)
    assert report.warnings["code"].tolist() == ["exif-orientation"]


def test_the_same_bytes_twice_and_over_a_split(good):
    content = (good.root / "0.png").read_bytes()
    (good.root / "1.png").write_bytes(content)
    assert codes(validate(good, progress=False)) == ["duplicate-image"]
    (good.root / "2.png").write_bytes(content)
    assert codes(validate(good, progress=False)) == ["leakage", "duplicate-image", "duplicate-image"]


def test_drop_invalid_drops_only_what_cannot_be_used_and_says_so(good, capsys):
    (good.root / "2.png").unlink()
    data = changed(good, boxes={(0, "width"): 0})
    kept = drop_invalid(data, validate(data, progress=False))
    assert kept.images["image_id"].tolist() == [10, 11]  # an image that lost its box is a negative
    assert kept.boxes["image_id"].tolist() == [11]
    assert capsys.readouterr().out == "dropped 1 × degenerate-box: 0.png\ndropped 1 × missing-image: 2.png\n"


def test_nothing_left_is_an_error(good, tmp_path):
    elsewhere = DetectionDataset.from_frames(good.images, good.boxes, good.classes, root=tmp_path / "no")
    with pytest.raises(DataError, match="none of the 3 images"):
        drop_invalid(elsewhere, validate(elsewhere, progress=False))


def test_bccd_has_exactly_two_degenerate_boxes(shared_data):
    data = voc.read(shared_data / "bccd")
    report = validate(data, progress=False)
    assert codes(report) == ["degenerate-box"] * 2
    assert report.frame[["file", "row"]].to_numpy().tolist() == [
        ["Annotations/BloodImage_00338.xml", 13],
        ["Annotations/BloodImage_00343.xml", 4],
    ]
    assert len(drop_invalid(data, report).boxes) == 4886
