"""A trained model's files: SavedModel, checkpoint and pipeline.config as in the zoo, TFLite, ONNX, label map."""

import argparse
import shutil

import tensorflow as tf
from detection import metric_lines
from object_detection.core.model import DetectionModel
from object_detection.exporter_lib_v2 import DetectionFromImageModule
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig
from object_detection.utils import config_util

from . import onnx_file, tflite
from .channels import Channels
from .evaluation import Pictures
from .frozen import save
from .names import LABELS, ONNX


def write(
    arguments: argparse.Namespace, pipeline: TrainEvalPipelineConfig, model: DetectionModel, data: Channels, step: int
) -> None:
    """Write all that serving, a device and a later training take of a model; `step` is for the log."""
    folder = arguments.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    tf.keras.backend.set_learning_phase(False)
    checkpoint = tf.train.Checkpoint(model=model)
    tf.train.CheckpointManager(checkpoint, str(folder / "checkpoint"), max_to_keep=1).save(checkpoint_number=0)
    config_util.save_pipeline_config(pipeline, str(folder))
    shutil.copy(data.labels, folder / LABELS)
    save(DetectionFromImageModule(model, False, []).__call__, folder / "saved_model")
    if arguments.quantize and tflite.can(pipeline):
        _tflite(arguments, pipeline, model, data, step)
    if arguments.onnx and pipeline.model.WhichOneof("model") == "ssd":
        print(f"{ONNX}: {onnx_file.write(folder / ONNX, model, len(data.data.classes))}", flush=True)


def _tflite(
    arguments: argparse.Namespace, pipeline: TrainEvalPipelineConfig, model: DetectionModel, data: Channels, step: int
) -> None:
    pictures = Pictures(data)
    sample = tflite.sample(model, data, arguments.representative)
    found = tflite.write(arguments.model_dir, pipeline, model, sample, arguments.inference_type)
    if pictures.records:
        precisions = {f"AP50_{kind}": tflite.evaluate(path, pictures) for kind, path in found.items()}
        print(metric_lines.line("export", step, precisions), flush=True)
