"""TFLite files for a device: float, fp16 and int8, each with its own suppression of boxes."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf
from detection import coco
from object_detection.core.model import DetectionModel
from object_detection.export_tflite_graph_lib_tf2 import SSDModule
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig

from .channels import Channels
from .evaluation import Pictures, decoded, detections
from .frozen import save

KINDS = ("float", "fp16", "int8")
MOST = 100  # detections
Sample = Callable[[], Iterator[list[tf.Tensor]]]


def can(pipeline: TrainEvalPipelineConfig) -> bool:
    """Whether the API can convert this kind of model; says so if not."""
    able = (
        pipeline.model.WhichOneof("model") == "ssd"
        and pipeline.model.ssd.image_resizer.WhichOneof("image_resizer_oneof") == "fixed_shape_resizer"
    )
    if not able:
        print("no TFLite files: the API converts SSD models with a fixed_shape_resizer only")
    return able


def sample(model: DetectionModel, data: Channels, most: int) -> Sample:
    """Inputs that int8's ranges are measured on: `most` validation pictures, training pictures if there are none."""
    files = [str(file) for file in data.validation or data.training]

    def inputs() -> Iterator[list[tf.Tensor]]:
        for picture in islice(tf.data.TFRecordDataset(files).map(decoded), most):
            yield [model.preprocess(tf.cast(picture, tf.float32))[0]]

    return inputs


def write(
    folder: Path, pipeline: TrainEvalPipelineConfig, model: DetectionModel, inputs: Sample, inference_type: str
) -> dict[str, Path]:
    """Write `model_<kind>.tflite`; returns the files by kind.

    int8's input is uint8 pixels if `inference_type` is QUANTIZED_UINT8, else floats in -1..1 as the other two have it.
    """
    found = {}
    module = SSDModule(pipeline, model, MOST, use_regular_nms=False)
    with tempfile.TemporaryDirectory() as graph:
        save(module.inference_fn, Path(graph), tf.TensorSpec(module.input_shape(), tf.float32, name="input"))
        for kind in KINDS:
            converter = tf.lite.TFLiteConverter.from_saved_model(graph)
            converter.allow_custom_ops = True  # TFLite_Detection_PostProcess, which every TFLite runtime has
            _choose(converter, kind, inputs, inference_type)
            found[kind] = folder / f"model_{kind}.tflite"
            with _silent():
                found[kind].write_bytes(converter.convert())
    return found


def _choose(converter: tf.lite.TFLiteConverter, kind: str, inputs: Sample, inference_type: str) -> None:
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.representative_dataset = inputs
        operators = tf.lite.OpsSet
        converter.target_spec.supported_ops = [operators.TFLITE_BUILTINS_INT8, operators.TFLITE_BUILTINS]
        if inference_type == "QUANTIZED_UINT8":
            converter.inference_input_type = tf.uint8


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what the converter's C++ half tells on standard error: counts of constants."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def evaluate(path: Path, pictures: Pictures) -> float:
    """AP50 of a TFLite file on pictures, by TensorFlow's own interpreter."""
    interpreter = tf.lite.Interpreter(str(path), num_threads=2)
    interpreter.allocate_tensors()
    entry, run = interpreter.get_input_details()[0], interpreter.get_signature_runner()
    found = []
    for record, picture in pictures:
        image = tf.image.resize(tf.cast(picture, tf.float32), entry["shape"][1:3]).numpy() * (2 / 255) - 1
        answer = run(input=_quantized(image, entry))
        scores, class_ids, boxes = (answer[f"output_{i}"][0] for i in (1, 2, 3))
        found += detections(record, boxes, scores, class_ids)
    return coco.average_precision(coco.truth(pictures.records, pictures.classes), found)["AP50"]


def _quantized(image: np.ndarray, entry: dict) -> np.ndarray:
    if entry["dtype"] == np.float32:
        return image
    scale, zero = entry["quantization"]
    return np.clip(np.round(image / scale + zero), 0, 255).astype(entry["dtype"])
