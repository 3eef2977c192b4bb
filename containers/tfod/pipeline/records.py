"""TFRecord files of examples with the Object Detection API's keys.

Keys and their meaning: `object_detection/data_decoders/tf_example_decoder.py`; boxes are shares of width and height.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from detection.pictures import PictureCache, boxes_of
from PIL import Image
from sagemaker_contract import UserError

SIDES = ("xmin", "ymin", "xmax", "ymax")
Example = tf.train.Example


def write(examples: Iterable[bytes], stem: Path, shards: int) -> list[Path]:
    """Deal serialized examples out to `shards` files `stem-00000-of-00002`; returns these."""
    files = [stem.with_name(f"{stem.name}-{number:05d}-of-{shards:05d}") for number in range(shards)]
    stem.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writers = [stack.enter_context(tf.io.TFRecordWriter(str(file))) for file in files]
        for number, example in enumerate(examples):
            writers[number % shards].write(example)
    return files


def raw(files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Where each record is, and its bytes. Raises UserError for a file that is cut off or damaged."""
    for file in files:
        number = 0
        try:
            for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
                number += 1
                yield f"{file.name}, record {number}", record
        except tf.errors.DataLossError as error:
            raise UserError(f"{file.name}, record {number + 1}: cut off or damaged, or not a TFRecord file") from error


def read(files: Sequence[Path], classes: Sequence[str], every: int = 1) -> list[dict[str, Any]]:
    """Detection records of every `every`-th example, without their pictures. Raises UserError for a bad one."""
    ids = {name: number for number, name in enumerate(classes)}
    found = enumerate(islice(raw(files), 0, None, every))
    return [_record(number, where, data, ids) for number, (where, data) in found]


def encode(records: Sequence[dict[str, Any]], classes: Sequence[str]) -> Iterator[bytes]:
    """Serialized examples of records whose pictures are files. Raises UserError for one that cannot be read."""
    pictures = PictureCache(0)
    for record in records:
        path = Path(record["file_name"])
        picture = pictures.open(record)
        data, kind = path.read_bytes(), path.suffix
        with Image.open(path) as opened:
            kind, mode = str(opened.format).lower(), opened.mode
        if mode not in ("RGB", "L"):  # TensorFlow reads no CMYK, and cuts 16 bits and transparency its own way
            data, kind = tf.io.encode_png(np.asarray(picture)).numpy(), "png"
        yield _example(record, path.name, data, kind, classes).SerializeToString()


def _example(record: dict[str, Any], name: str, data: bytes, kind: str, classes: Sequence[str]) -> Example:
    boxes, class_ids = boxes_of(record)
    boxes /= [record["width"], record["height"]] * 2
    return Example(
        features=tf.train.Features(
            feature={
                "image/height": _ints([record["height"]]),
                "image/width": _ints([record["width"]]),
                "image/filename": _bytes([name.encode()]),
                "image/source_id": _bytes([str(record["image_id"]).encode()]),
                "image/encoded": _bytes([data]),
                "image/format": _bytes([kind.encode()]),
                "image/object/class/text": _bytes([classes[number].encode() for number in class_ids]),
                "image/object/class/label": _ints(class_ids + 1),
                **{f"image/object/bbox/{side}": _floats(boxes[:, i]) for i, side in enumerate(SIDES)},
            }
        )
    )


def _record(number: int, where: str, data: bytes, ids: dict[str, int]) -> dict[str, Any]:
    try:
        feature = Example.FromString(data).features.feature
    except Exception as error:  # protobuf's DecodeError has another home in each implementation
        raise UserError(f"{where}: not a tf.train.Example") from error
    if not feature["image/encoded"].bytes_list.value:
        raise UserError(f"{where}: no image/encoded")
    sizes = [feature[f"image/{side}"].int64_list.value for side in ("width", "height")]
    if not all(len(size) == 1 and size[0] > 0 for size in sizes):
        raise UserError(f"{where}: image/width and image/height, expected a number above 0 in each")
    width, height = (size[0] for size in sizes)
    return {
        "file_name": where,
        "image_id": number,
        "width": width,
        "height": height,
        "annotations": _annotations(feature, where, (width, height), ids),
    }


def _annotations(feature: Any, where: str, size: tuple[int, int], ids: dict[str, int]) -> list[dict[str, Any]]:
    sides = [feature[f"image/object/bbox/{side}"].float_list.value for side in SIDES]
    class_ids = [_class_id(label, text, where, ids) for label, text in _labels(feature)]
    if len({len(side) for side in sides} | {len(class_ids)}) != 1:
        raise UserError(f"{where}: {[len(side) for side in sides]} sides of boxes, {len(class_ids)} classes")
    boxes = []
    for class_id, left, top, right, bottom in zip(class_ids, *sides, strict=True):
        if not (0 <= left < right <= 1.001 and 0 <= top < bottom <= 1.001):
            box = f"xmin {left:g}, ymin {top:g}, xmax {right:g}, ymax {bottom:g}"
            raise UserError(f"{where}: box {box}; expected shares within 0 to 1, each minimum below its maximum")
        bbox = [left * size[0], top * size[1], (right - left) * size[0], (bottom - top) * size[1]]
        boxes.append({"bbox": bbox, "category_id": class_id, "iscrowd": 0})
    return boxes


def _labels(feature: Any) -> list[tuple[int, bytes]]:
    """Label and text of each box; either may be missing."""
    labels = list(feature["image/object/class/label"].int64_list.value)
    texts = list(feature["image/object/class/text"].bytes_list.value)
    count = max(len(labels), len(texts))
    return list(zip(labels or [0] * count, texts or [b""] * count, strict=False))


def _class_id(label: int, text: bytes, where: str, ids: dict[str, int]) -> int:
    """From 0. The API's decoder goes by the text, and by the label where the map has no such text."""
    found = ids.get(text.decode(errors="replace"), label - 1)
    if not 0 <= found < len(ids):
        raise UserError(f"{where}: class {label} {text.decode(errors='replace')!r}, the label map has 1 to {len(ids)}")
    return found


def _bytes(values: Sequence[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values: Sequence[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _floats(values: Sequence[float]) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))
