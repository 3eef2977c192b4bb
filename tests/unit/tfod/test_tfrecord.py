import hashlib
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from unit.test_formats import same

from lab_utils import formats, prepare, validation
from lab_utils.dataset import XYWH, DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import tfrecord
from lab_utils.tfod import example, label_map
from lab_utils.tfod.record_file import ShardWriter

GRADIENT = Image.linear_gradient("L")


@pytest.fixture
def dataset(tmp_path):
    """Two sequences, a negative, fractional boxes, a class without boxes, all flags, JPEG and PNG, a grayscale one."""
    root = tmp_path / "pictures"
    (root / "s1").mkdir(parents=True)
    for name, mode in {"s1/a.png": "RGB", "s1/b.jpg": "L", "c.d.jpg": "RGB"}.items():
        GRADIENT.resize((64, 48)).convert(mode).save(root / name)
    images = pd.DataFrame({"image_id": [4, 7, 9], "file_name": ["s1/a.png", "s1/b.jpg", "c.d.jpg"]})
    images = images.assign(width=64, height=48, group=["s1", "s1", ""])
    boxes = pd.DataFrame(
        [[4, 2, 1.25, 6.6, 10.5, 20, True, False], [9, 0, 0, 3, 64, 45, False, True], [9, 2, 3, 3, 1, 1, False, False]],
        columns=["image_id", "class_id", *XYWH, "difficult", "crowd"],
    )
    return DetectionDataset.from_frames(images, boxes, ["mast", "unseen", "signal"], root=root, name="demo")


def record(**changes):
    """A record's features, with some replaced or, where None, left out."""
    content = io.BytesIO()
    GRADIENT.resize((10, 20)).save(content, "PNG")
    features = {"image/encoded": [content.getvalue()], "image/filename": [b"a.png"], "image/source_id": [b"1"]}
    features |= {
        f"image/object/bbox/{side}": np.float32([v]) for side, v in zip(["xmin", "ymin"], [0.1, 0.2], strict=True)
    }
    features |= {
        f"image/object/bbox/{side}": np.float32([v]) for side, v in zip(["xmax", "ymax"], [0.5, 0.6], strict=True)
    }
    features |= {"image/object/class/text": [b"signal"], "image/object/class/label": np.array([1])}
    return {k: v for k, v in (features | changes).items() if v is not None}


def written(path, *records, items=()):
    with ShardWriter(path) as writer:
        for features in records:
            writer.append(example.encode(features))
    if items:
        label_map.write(path.parent / "label_map.pbtxt", items)
    return path


@pytest.mark.parametrize("shards", [1, 2])
def test_everything_survives(dataset, tmp_path, shards):
    account = tfrecord.write(dataset, tmp_path / "train.tfrecord", shards=shards)
    assert (account.images, account.boxes, account.negatives, len(account.files)) == (3, 3, 1, shards)
    read = formats.load(f"tfrecord:{tmp_path / 'train.tfrecord'}")
    same(read, dataset, atol=1e-4)
    assert set(read.images["split"]) == {"training"}
    for name in dataset.images["file_name"]:  # passed through as they are
        assert (read.root / name).read_bytes() == (dataset.root / name).read_bytes()
    assert validation.validate(read, progress=False).errors.empty


def test_the_keys_are_those_of_tfods_decoder(dataset, tmp_path):
    dataset.boxes["area"] = [150.0, 2000.5, 1.0]
    tfrecord.write(dataset, tmp_path / "a.tfrecord")
    records = {record["image/source_id"][0]: record for _, _, record in tfrecord.stream(tmp_path / "a.tfrecord")}
    first = records[b"4"]
    png = (dataset.root / "s1/a.png").read_bytes()
    assert {key: first[key] for key in first if isinstance(first[key], list)} == {
        "image/encoded": [png],
        "image/filename": [b"s1/a.png"],
        "image/format": [b"png"],
        "image/group": [b"s1"],
        "image/key/sha256": [hashlib.sha256(png).hexdigest().encode()],
        "image/object/class/text": [b"signal"],
        "image/source_id": [b"4"],
    }
    numbers = {key: value.tolist() for key, value in first.items() if isinstance(value, np.ndarray)}
    box = np.float32([1.25 / 64, 11.75 / 64, 6.6 / 48, 26.6 / 48]).tolist()
    assert numbers == {
        "image/height": [48],
        "image/width": [64],
        "image/object/area": [150.0],
        **{f"image/object/bbox/{side}": [v] for side, v in zip(["xmin", "xmax", "ymin", "ymax"], box, strict=True)},
        "image/object/class/label": [3],
        "image/object/difficult": [1],
        "image/object/is_crowd": [0],
    }
    assert records[b"7"]["image/object/bbox/xmin"].tolist() == []
    assert records[b"7"]["image/format"] == [b"jpeg"]
    assert [item.name for item in label_map.read(tmp_path / "label_map.pbtxt")] == ["mast", "unseen", "signal"]
    assert tfrecord.read(tmp_path / "a.tfrecord").boxes["area"].tolist() == [150.0, 2000.5, 1.0]


def test_splits_share_a_label_map(dataset, tmp_path):
    parts = {"training": dataset.subset([4, 7]), "test": dataset.subset([9])}
    accounts = tfrecord.write_splits(parts, tmp_path / "out", shards=2)
    assert [account.images for account in accounts.values()] == [2, 1]
    name = prepare.dataset_name(f"tfrecord:{tmp_path / 'out'}")
    read = formats.load(f"tfrecord:{tmp_path / 'out'}")
    same(read, dataset, atol=1e-4)
    assert prepare.dataset_name(f"tfrecord:{tmp_path / 'out'}") == name  # the images go elsewhere
    assert read.images.set_index("image_id")["split"].to_dict() == {4: "training", 7: "training", 9: "test"}
    other = DetectionDataset.from_frames(dataset.images, dataset.boxes, ["a", "b", "c"], root=dataset.root)
    with pytest.raises(DataError, match=r"label_map\.pbtxt: other classes than dataset's; delete it"):
        tfrecord.write(other, tmp_path / "out" / "more.tfrecord")


def test_a_failed_write_leaves_nothing(dataset, tmp_path):
    (dataset.root / "c.d.jpg").unlink()
    with pytest.raises(DataError, match=r"c\.d\.jpg: image not found"):
        tfrecord.write(dataset, tmp_path / "out" / "a.tfrecord", shards=2)
    assert not list((tmp_path / "out").iterdir())


def test_boxes_over_the_edge_are_cut_off_and_flat_ones_refused(dataset, tmp_path):
    dataset.boxes.loc[0, XYWH] = [-2, 4, 30, 60]
    assert tfrecord.write(dataset, tmp_path / "a.tfrecord").clipped == 1
    np.testing.assert_allclose(tfrecord.read(tmp_path / "a.tfrecord").boxes[XYWH].iloc[0], [0, 4, 28, 44], atol=1e-5)
    dataset.boxes.loc[0, "width"] = 0
    with pytest.raises(DataError, match=r"box 0: .* no area; drop such boxes"):
        tfrecord.write(dataset, tmp_path / "a.tfrecord")


def test_the_text_counts_before_the_id_as_in_tfod(tmp_path):
    items = (label_map.Item(1, "a"), label_map.Item(5, "/m/7", "signal"))
    path = written(tmp_path / "a.record", record(), items=items)
    read = tfrecord.read(path)
    assert read.boxes["class_id"].tolist() == [1]
    assert read.category_ids == (1, 5)
    written(path, record(**{"image/object/class/text": None}))
    assert tfrecord.read(path).boxes["class_id"].tolist() == [0]
    written(path, record(**{"image/object/class/text": [b"mast"]}))
    with pytest.raises(DataError, match=r"record 1: object 1: class 'mast' is not in the label map: 1 a, 5 /m/7"):
        tfrecord.read(path)


def test_without_a_label_map_the_classes_are_those_that_occur(tmp_path):
    second = record(**{"image/filename": [b"b.png"], "image/object/class/text": None})
    second["image/object/class/label"] = np.array([3])
    read = tfrecord.read(written(tmp_path / "a.record", second, record()))
    assert read.classes == ("signal", "class 3")
    assert read.boxes["class_id"].tolist() == [1, 0]
    contrary = record(**{"image/filename": [b"c.png"], "image/object/class/label": np.array([2])})
    path = written(tmp_path / "a.record", record(), contrary)
    with pytest.raises(
        DataError, match="record 2: class 'signal' has id 2, but 'signal' for 1 before: add a label map"
    ):
        tfrecord.read(path)


def test_images_without_a_name_are_called_after_their_record(tmp_path):
    bare = record(**{"image/filename": None, "image/source_id": [b"x"]})
    read = tfrecord.read(written(tmp_path / "a.record", bare, bare), tmp_path / "images")
    assert read.images["file_name"].tolist() == ["00000001.png", "00000002.png"]
    assert read.images["image_id"].tolist() == [1, 2]
    np.testing.assert_allclose(read.boxes[XYWH].iloc[0], [1, 4, 4, 8], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image/encoded": None}, "0 values of 'image/encoded'; expected the bytes of one image"),
        ({"image/encoded": [b"text"]}, "no readable image"),
        ({"image/encoded": np.array([1])}, "'image/encoded' does not hold bytes values"),
        ({"image/filename": [b"../../up.png"]}, "image/filename is '../../up.png'; expected a path within"),
        ({"image/filename": [b"\xff"]}, "expected UTF-8"),
        ({"image/object/bbox/xmax": np.float32([52])}, "object 1: xmax is 52; expected a ratio from 0 to 1: divide"),
        ({"image/object/bbox/xmax": np.float32([0.1])}, "object 1: xmax is 0.1; the box has no width"),
        ({"image/object/bbox/ymax": np.float32([np.nan])}, "object 1: ymax is nan"),
        ({"image/object/bbox/xmax": np.float32([])}, "image/object has {'xmin': 1, 'ymin': 1, 'xmax': 0"),
        ({"image/object/class/text": [b"a", b"b"]}, "'class': 2"),
        ({"image/object/class/label": np.array([], dtype=np.int64), "image/object/class/text": None}, "'class': 0"),
        ({"image/object/difficult": np.array([1, 0])}, "2 values of 'image/object/difficult' for 1 objects"),
    ],
)
def test_a_bad_record_is_named(tmp_path, changes, message):
    first = record(**{"image/filename": [b"first.png"]})
    path = written(tmp_path / "a.record", first, record(**changes))
    with pytest.raises(DataError) as error:
        tfrecord.read(path)
    assert f"{path}: record 2" in str(error.value)
    assert message in str(error.value)


def test_an_image_in_two_records_is_refused(tmp_path):
    path = written(tmp_path / "a.record", record(), record())
    with pytest.raises(DataError, match=r"record 2: 'a\.png' again, as in .*record 1; expected one record an image"):
        tfrecord.read(path)
    with pytest.raises(DataError, match="empty; expected at least one record"):
        tfrecord.read(written(tmp_path / "b.record"))


def test_a_damaged_file_is_named(dataset, tmp_path):
    tfrecord.write(dataset, tmp_path / "a.tfrecord")
    path = tmp_path / "a.tfrecord"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"a\.tfrecord: record 3: at byte \d+: ends after"):
        tfrecord.read(path)


def test_real_photographs_survive_the_round_trip(shared_data, tmp_path):
    photos = formats.load(f"voc:{shared_data / 'bccd'}")
    photos = validation.drop_invalid(photos, validation.validate(photos, pixels=False)).where(photos.images.index < 40)
    tfrecord.write(photos, tmp_path / "a.tfrecord", shards=3)
    read = tfrecord.read(tmp_path / "a.tfrecord")
    same(read, photos, image_ids=False, atol=1e-3)
