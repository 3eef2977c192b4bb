# ruff: noqa: E402  (the API is imported only after compat.prepare)
"""TFRecords and label maps: what is written is what the API's own decoder reads, and what is bad is named."""

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import compat

compat.prepare()

import numpy as np
import tensorflow as tf
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from PIL import Image
from pipeline import label_map, records
from sagemaker_contract import UserError

CLASSES = ['a "b"', "it's é"]
FOLDER = Path(TemporaryDirectory().name)
FOLDER.mkdir()


def refused(call: Callable[[], object], message: str) -> None:
    reason = ""
    try:
        call()
    except UserError as error:
        reason = str(error)
    assert re.search(message, reason), (message, reason)


def record(name: str, mode: str, kind: str) -> dict:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)).convert(mode)
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 65535, (40, 60), dtype=np.uint16))
    picture.save(FOLDER / name, kind)
    boxes = [
        {"bbox": [6.0, 4.0, 12.0, 8.0], "category_id": 1, "iscrowd": 0},
        {"bbox": [30.5, 20.25, 10.0, 10.0], "category_id": 0, "iscrowd": 0},
    ]
    return {"file_name": str(FOLDER / name), "image_id": 7, "width": 60, "height": 40, "annotations": boxes}


def check_pictures_of_every_kind() -> None:
    given = [
        record("a.png", "RGB", "png"),
        record("lies.png", "RGB", "jpeg"),
        record("grey.jpg", "L", "jpeg"),
        record("cmyk.jpg", "CMYK", "jpeg"),
        record("deep.png", "I;16", "png"),
        record("clear.png", "RGBA", "png"),
        {**record("none.png", "RGB", "png"), "annotations": []},
    ]
    files = records.write(records.encode(given, CLASSES), FOLDER / "x.tfrecord", 2)
    assert [file.name for file in files] == ["x.tfrecord-00000-of-00002", "x.tfrecord-00001-of-00002"]
    label_map.write(FOLDER / "label_map.pbtxt", CLASSES)
    assert label_map.read(FOLDER / "label_map.pbtxt") == CLASSES
    decoder = TfExampleDecoder(label_map_proto_file=str(FOLDER / "label_map.pbtxt"))
    counts = []
    for _, data in records.raw(files):
        found = decoder.decode(tf.constant(data))
        assert found["image"].shape == (40, 60, 3)
        counts.append(len(found["groundtruth_boxes"]))
        if counts[-1]:
            np.testing.assert_allclose(found["groundtruth_boxes"][0], [0.1, 0.1, 0.3, 0.3], atol=1e-6)
            assert found["groundtruth_classes"].numpy().tolist() == [2, 1]
    assert sorted(counts) == [0, 2, 2, 2, 2, 2, 2]
    read = records.read(files, CLASSES)
    assert [(each["width"], each["height"]) for each in read] == [(60, 40)] * 7
    np.testing.assert_allclose(read[0]["annotations"][1]["bbox"], [30.5, 20.25, 10, 10], atol=1e-4)
    assert len(records.read(files, CLASSES, every=3)) == 3


def changed(**features: tf.train.Feature) -> Path:
    """A file with one good example, then one in which these features are others."""
    good = record("b.png", "RGB", "png")
    (data,) = records.encode([good], CLASSES)
    example = tf.train.Example.FromString(data)
    for name, value in features.items():
        example.features.feature[name.replace("__", "/")].CopyFrom(value)
    (file,) = records.write([data, example.SerializeToString()], FOLDER / "bad.tfrecord", 1)
    return file


def check_bad_examples_are_named() -> None:
    floats = records._floats
    cases = {
        "image/height, expected a number above 0": {"image__height": records._ints([0])},
        "no image/encoded": {"image__encoded": records._bytes([])},
        r"class 3 'c', the label map has 1 to 2": {
            "image__object__class__label": records._ints([3, 1]),
            "image__object__class__text": records._bytes([b"c", b"c"]),
        },
        "box xmin 0.5.* each minimum below its maximum": {"image__object__bbox__xmin": floats([0.5, 0.6])},
        "expected shares within 0 to 1": {"image__object__bbox__xmax": floats([40, 60])},
        r"\[1, 2, 2, 2\] sides of boxes, 2 classes": {"image__object__bbox__xmin": floats([0.1])},
    }
    for message, features in cases.items():
        file = changed(**features)
        refused(lambda: records.read([file], CLASSES), rf"^bad.tfrecord-00000-of-00001, record 2: .*{message}")  # noqa: B023


def check_damaged_files_are_named() -> None:
    whole = changed().read_bytes()
    for name, data in {
        "cut": whole[:-7],
        "crc": whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
        "text": b"not a record file at all",
    }.items():
        path = FOLDER / f"{name}.tfrecord"
        path.write_bytes(data)
        refused(lambda: records.read([path], CLASSES), f"^{name}.tfrecord, record .: cut off or damaged")  # noqa: B023
    (file,) = records.write([b"\xff"], FOLDER / "z.tfrecord", 1)
    refused(lambda: records.read([file], CLASSES), "record 1: not a tf.train.Example")


def check_label_maps() -> None:
    path = FOLDER / "own.pbtxt"
    good = "item { name: 'a' id: 1 } item { id: 2 display_name: \"b\" }"
    path.write_text(good)
    assert label_map.read(path) == ["a", "b"]
    for text, message in {
        "item { name: 'a' id: 1 } item { name: 'b' id: 1 }": r"found \[1, 1\]",
        "item { name: 'a' id: 0 }": "must run from 1",
        "item { name: 'a' id: 1 } item { name: 'b' id: 3 }": "without a gap",
        "item { name: 'a' id: 1 } item { name: 'a' id: 2 }": "a name of its own",
        "item { id: 1 }": "a name of its own",
        "item { name: 'a id: 1 }": "not a label map",
        "": "no item",
    }.items():
        path.write_text(text)
        refused(lambda: label_map.read(path), message)


check_pictures_of_every_kind()
check_bad_examples_are_named()
check_damaged_files_are_named()
check_label_maps()
