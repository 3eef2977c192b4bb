"""Conversion to the formats of training algorithms: 5,000 images and 36,781 boxes, with the disk."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from bench.table import Row, seconds
from lab_utils.dataset import DetectionDataset
from lab_utils.formats import recordio, sagemaker_json, tfrecord

IMAGES, BOXES, BYTES = 5_000, 36_781, 40_000  # as COCO's val2017 has them; bytes of an image file
ROUNDS = 5


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as folder:
        dataset = _dataset(Path(folder, "images"))
        packed = [seconds(lambda i=i: recordio.write(dataset, Path(folder, f"{i}.rec"))) for i in range(ROUNDS)]
        written = [seconds(lambda i=i: sagemaker_json.write(dataset, Path(folder, str(i)))) for i in range(ROUNDS)]
        recorded = [seconds(lambda i=i: tfrecord.write(dataset, Path(folder, f"{i}.tfrecord"))) for i in range(ROUNDS)]
    return [
        Row("RecordIO, pass-through pack", [IMAGES / taken for taken in packed], "/s", ">= 800 images/s"),
        Row("TFRecord, pass-through write", [IMAGES / taken for taken in recorded], "/s", ">= 500 images/s"),
        Row("JSON, one file an image, 5,000 images", written, "s", "<= 1.1 s"),
    ]


def _dataset(root: Path) -> DetectionDataset:
    """Boxes on files that are a JPEG's header and random bytes: nothing decodes them."""
    rng = np.random.default_rng(0)
    root.mkdir()
    header = io.BytesIO()
    Image.new("RGB", (640, 480)).save(header, "JPEG")
    for i in range(IMAGES):
        Path(root, f"{i}.jpg").write_bytes(header.getvalue() + rng.bytes(BYTES - header.tell()))
    names = [f"{i}.jpg" for i in range(IMAGES)]
    images = pd.DataFrame({"image_id": range(IMAGES), "file_name": names, "width": 640, "height": 480})
    size = rng.uniform(4, 300, (BOXES, 2))
    boxes = pd.DataFrame(
        np.hstack([rng.uniform(0, [640, 480] - size), size]), columns=["xmin", "ymin", "width", "height"]
    )
    boxes["image_id"], boxes["class_id"] = rng.integers(0, IMAGES, BOXES), rng.integers(0, 80, BOXES)
    return DetectionDataset.from_frames(images, boxes, [f"class {i}" for i in range(80)], root=root)
