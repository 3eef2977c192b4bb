"""What training sees of its pictures: the configuration's augmentations, by the Object Detection API's preprocessor."""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from detection.files import write_text
from object_detection import inputs
from object_detection.builders import preprocessor_builder
from object_detection.core.standard_fields import InputDataFields as Fields
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig
from PIL import Image
from sagemaker_contract import UserError

from . import channels, config, records
from .channels import Channels

NONE, ALL = "original", "together"
Sample = dict[str, Any]
Step = tuple[Callable, dict[str, Any]]


def write(arguments: argparse.Namespace, output: Path, pictures: int, samples: int) -> None:
    """Augment some pictures of the training channel; write PNG files and `preview.json` about them.

    A row of `samples`: `picture` (from 0), `step` (a step of the configuration alone, `original` or `together`),
    `file`, and `boxes`, each xmin, ymin, xmax, ymax in that file's pixels and a class id from 0. Raises UserError.
    """
    tf.keras.utils.set_random_seed(arguments.seed)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tfod-") as folder:
        data = channels.load(arguments, 1, Path(folder))
        pipeline, _ = config.build(arguments, data, None)
        steps = _steps(pipeline)
        decoder = TfExampleDecoder(label_map_proto_file=str(data.labels))
        rows = [
            _saved(sample, output, number, step, turn)
            for number, example in enumerate(_examples(data, pictures))
            for step, turn, sample in _seen(decoder.decode(tf.constant(example)), steps, samples)
        ]
    told = {"classes": data.data.classes, "steps": [NONE, *steps], "samples": rows}
    write_text(output / "preview.json", json.dumps(told))
    print(f"{len(rows)} samples of {pictures} pictures: {', '.join(steps) or 'no augmentation'}")


def _steps(pipeline: TrainEvalPipelineConfig) -> dict[str, list[Step]]:
    """The API's functions with their arguments, of each kind of step alone and of all together."""
    options = pipeline.train_config.data_augmentation_options
    steps: dict[str, list[Step]] = {}
    for option in options:
        steps.setdefault(option.WhichOneof("preprocessing_step"), []).append(preprocessor_builder.build(option))
    return {**steps, ALL: [preprocessor_builder.build(option) for option in options]} if options else {}


def _examples(data: Channels, count: int) -> Iterator[bytes]:
    """Examples with boxes, spread over the channel."""
    full = [number for number, record in enumerate(data.data.training) if record["annotations"]]
    if len(full) < count:
        raise UserError(f"--pictures {count}: the training channel has {len(full)} pictures with boxes")
    wanted = {full[place * len(full) // count] for place in range(count)}
    yield from (example for number, (_, example) in enumerate(records.raw(data.training)) if number in wanted)


def _seen(decoded: Sample, steps: Mapping[str, list[Step]], samples: int) -> Iterator[tuple[str, int, Sample]]:
    """The picture as it is, then as the steps make it, `samples` times each."""
    kept = {name: decoded[name] for name in (Fields.image, Fields.groundtruth_boxes, Fields.groundtruth_classes)}
    yield NONE, 0, kept
    for name, chosen in steps.items():
        for turn in range(samples):
            yield name, turn, inputs.augment_input_data(dict(kept), chosen)


def _saved(sample: Sample, output: Path, picture: int, step: str, turn: int) -> dict[str, Any]:
    pixels = np.clip(sample[Fields.image].numpy(), 0, 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    sides = sample[Fields.groundtruth_boxes].numpy()[:, [1, 0, 3, 2]] * [width, height, width, height]
    class_ids = sample[Fields.groundtruth_classes].numpy().astype(int) - 1
    file = f"{picture}-{step}-{turn}.png"
    Image.fromarray(pixels).save(output / file)
    boxes = [[*map(float, box), int(number)] for box, number in zip(sides, class_ids, strict=True)]
    return {"picture": picture, "step": step, "file": file, "boxes": boxes}
