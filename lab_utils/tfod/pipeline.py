"""TFOD's `pipeline.config`: built for a family of models, or another's fitted to one's own data.

The models are those of TensorFlow 2's detection zoo, with the zoo's settings (the templates in `models/`); the learning
rate follows the batch size in proportion (arXiv 1706.02677), and the schedule the steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from lab_utils.errors import ConfigError, DataError
from lab_utils.tfod.textproto import Field, Message, Name, parse

RATE = 0.04 / 64  # an image's: the zoo trains with 0.08 for 128 images and 0.04 for 64, with momentum
_MODELS = Path(__file__).parent / "models"
_NORMAL = "random_normal_initializer { stddev: 0.01 }"
_NARROW = "truncated_normal_initializer { stddev: 0.03 }"
_ANCHORS = (
    "multiscale_anchor_generator {{ min_level: 3 max_level: {} anchor_scale: 4 aspect_ratios: [1, 2, 0.5]"
    " scales_per_octave: 2 }}"
)
_MOBILENET = {
    "extractor": "ssd_mobilenet_v2_fpn_keras",
    "multiplier": "1.0",
    "depthwise": "true",
    "first": "3",
    "last": "7",
    "channels": "128",
    "depth": "128",
    "layers": "4",
    "decay": "4e-5",
    "momentum": "0.997",
    "body_initializer": _NORMAL,
    "head_initializer": _NORMAL,
    "anchors": _ANCHORS.format(7),
}
_RESNET = _MOBILENET | {
    "extractor": "ssd_resnet50_v1_fpn_keras",
    "depthwise": "false",
    "channels": "256",
    "depth": "256",
    "decay": "4e-4",
    "body_initializer": _NARROW,
}
_SMALL = _MOBILENET | {  # for a CPU: a third of the channels, three levels, norms that settle in a few hundred steps
    "multiplier": "0.35",
    "last": "5",
    "channels": "64",
    "depth": "64",
    "layers": "1",
    "momentum": "0.9",
    "body_initializer": "variance_scaling_initializer { factor: 2.0 mode: FAN_IN }",
    "head_initializer": _NARROW,
    "anchors": _ANCHORS.format(5),
}


@dataclass(frozen=True)
class Family:
    """A template and its values; the side of the input in pixels; the zoo's learning rate and batch size."""

    template: str
    side: int
    values: dict[str, str] = field(default_factory=dict)
    rate: float = 0.08
    batch: int = 128
    optimizer: str = "momentum_optimizer { momentum_optimizer_value: 0.9 learning_rate { } }"


def _efficientdet(number: int, side: int, filters: int, layers: int) -> Family:
    values = {"extractor": f"ssd_efficientnet-b{number}_bifpn_keras", "channels": str(filters), "layers": str(layers)}
    return Family("efficientdet", side, values)


def _faster_rcnn(depth: int) -> Family:
    return Family("faster_rcnn", 640, {"extractor": f"faster_rcnn_resnet{depth}_keras"}, rate=0.04, batch=64)


FAMILIES = {
    "ssd_mobilenet_v2_fpn_small": Family(
        "ssd_fpn", 320, _SMALL, rate=0.002, batch=8, optimizer="adam_optimizer { epsilon: 1e-7 learning_rate { } }"
    ),
    "ssd_mobilenet_v2_fpnlite_320": Family("ssd_fpn", 320, _MOBILENET),
    "ssd_mobilenet_v2_fpnlite_640": Family("ssd_fpn", 640, _MOBILENET),
    "ssd_resnet50_fpn_640": Family("ssd_fpn", 640, _RESNET, rate=0.04, batch=64),
    "efficientdet_d0": _efficientdet(0, 512, 64, 3),
    "efficientdet_d1": _efficientdet(1, 640, 88, 4),
    "faster_rcnn_resnet50_640": _faster_rcnn(50),
    "faster_rcnn_resnet101_640": _faster_rcnn(101),
}


@dataclass(frozen=True)
class Data:
    """What is trained on, as paths that the training program will see.

    Attributes:
        classes: number of classes.
        label_map: the label map's path.
        training, validation: paths of TFRecord files; a pattern such as `train.tfrecord-?????-of-00010` for shards.
    """

    classes: int
    label_map: str
    training: str
    validation: str


def build(
    family: str,
    data: Data,
    *,
    steps: int,
    batch_size: int = 8,
    learning_rate: float | None = None,
    checkpoint: str = "",
) -> Message:
    """The configuration of a family for one's data; `str()` of it is the file's text.

    Args:
        family: one of FAMILIES.
        steps: training steps; the warm-up takes the first tenth, a cosine the rest.
        learning_rate: at its highest; None: the zoo's, for this batch size.
        checkpoint: prefix of a detection checkpoint to fine-tune from, as `model/checkpoint/ckpt-0`; "": from scratch.

    Raises:
        ConfigError: no such family.
    """
    if family not in FAMILIES:
        raise ConfigError(f"family {family!r}: expected one of {', '.join(FAMILIES)}")
    made = FAMILIES[family]
    values = made.values | {"classes": str(data.classes), "width": str(made.side), "height": str(made.side)}
    config = Message([Field("model", _filled(made.template, values))])
    config.fields += _filled("train", {"optimizer": made.optimizer}).fields
    rate = made.rate * batch_size / made.batch if learning_rate is None else learning_rate
    return fitted(config, data, steps=steps, batch_size=batch_size, learning_rate=rate, checkpoint=checkpoint)


def fitted(
    config: Message,
    data: Data,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    checkpoint: str = "",
) -> Message:
    """A copy of any TFOD 2 configuration, such as a zoo archive's, with one's own data, steps and schedule.

    Args:
        config: what `textproto.parse` made of the file.
        steps, batch_size, learning_rate, checkpoint: as for `build`.

    Raises:
        DataError: the configuration has no model or no optimizer.
    """
    config = parse(str(config))
    kind, optimizer = (_only(config, path) for path in ("model", "train_config.optimizer"))
    config.set(f"model.{kind}.num_classes", data.classes)
    config.set("train_config.batch_size", batch_size)
    config.set("train_config.num_steps", steps)
    config.set(f"train_config.optimizer.{optimizer}.learning_rate", _cosine(learning_rate, steps))
    config.set("train_config.use_bfloat16", False)
    for name in ("fine_tune_checkpoint", "fine_tune_checkpoint_type", "from_detection_checkpoint"):
        config.remove(f"train_config.{name}")
    if checkpoint:
        config.set("train_config.fine_tune_checkpoint", checkpoint)
        config.set("train_config.fine_tune_checkpoint_type", "detection")
    config.set("train_config.fine_tune_checkpoint_version", Name("V2"))
    for reader, path in (("train", data.training), ("eval", data.validation)):
        config.set(f"{reader}_input_reader.label_map_path", data.label_map)
        config.set(f"{reader}_input_reader.tf_record_input_reader", Message([Field("input_path", path)]))
    return config


def _cosine(rate: float, steps: int) -> Message:
    values: dict[str, Any] = {"learning_rate_base": rate, "total_steps": steps, "warmup_learning_rate": rate / 10}
    values["warmup_steps"] = min(math.ceil(0.1 * steps), steps - 1)
    schedule = Message([Field(name, value) for name, value in values.items()])
    return Message([Field("cosine_decay_learning_rate", schedule)])


def _only(config: Message, path: str) -> str:
    """Name of the message within another: the model's kind, the optimizer's."""
    found = config.get(path)
    names = [f.name for f in found.fields if isinstance(f.value, Message)] if isinstance(found, Message) else []
    if len(names) != 1:
        raise DataError(f"pipeline.config: {path} holds {', '.join(names) or 'nothing'}; expected one kind")
    return names[0]


def _filled(template: str, values: dict[str, str]) -> Message:
    file = _MODELS / f"{template}.pbtxt"
    return parse(Template(file.read_text(encoding="utf-8")).substitute(values), file.name)
