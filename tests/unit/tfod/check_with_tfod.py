"""What TFOD makes of what is written here, as JSON; run by the Python of the image `tfod`.

    PYTHON check_with_tfod.py CONTAINERS_TFOD FOLDER

FOLDER holds `train.tfrecord`, `label_map.pbtxt`, and configurations `*.config`. Printed are, of each record, what
TFOD's own decoder reads, and for each configuration why its model cannot be built, or "".
"""
# ruff: noqa: E402 (TFOD can be imported when the image's shim has run)

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from pipeline import compat

compat.prepare()

import tensorflow as tf
from google.protobuf import text_format
from object_detection.builders import model_builder
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig


def decoded(folder):
    decoder = TfExampleDecoder(label_map_proto_file=str(folder / "label_map.pbtxt"))
    for record in tf.data.TFRecordDataset(str(folder / "train.tfrecord")):
        found = decoder.decode(record)
        yield {
            "name": found["filename"].numpy().decode(),
            "pixels": found["image"].numpy().astype(int).sum(axis=(0, 1)).tolist(),
            "shape": list(found["image"].shape),
            "boxes": found["groundtruth_boxes"].numpy().tolist(),
            "classes": found["groundtruth_classes"].numpy().tolist(),
            "crowd": found["groundtruth_is_crowd"].numpy().tolist(),
            "difficult": found["groundtruth_difficult"].numpy().tolist(),
        }


def built(path):
    try:
        config = text_format.Parse(path.read_text(), TrainEvalPipelineConfig())
        model_builder.build(config.model, is_training=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    root = Path(sys.argv[2])
    models = {path.stem: built(path) for path in sorted(root.glob("*.config"))}
    print(json.dumps([list(decoded(root)), models]))
