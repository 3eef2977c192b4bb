"""TFOD's `pipeline.config`: built for a family of models, or another's fitted to one's own data.

The models are those of TensorFlow 2's detection zoo, with the zoo's settings, as the training program has them (in
`containers/tfod/pipeline/models`); the learning rate follows the batch size in proportion (arXiv 1706.02677), and the
schedule the steps.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from lab_utils import paths
from lab_utils.errors import ConfigError, DataError
from lab_utils.tfod.textproto import Field, Message, Name, parse

RATE = 0.04 / 64  # an image's: the zoo trains with 0.08 for 128 images and 0.04 for 64, with momentum


@dataclass(frozen=True)
class Family:
    """A template and its values; pixels of the longer side, the fewest, their step; the zoo's rate and batch size."""

    template: str
    side: int
    least: int
    multiple: int
    rate: float
    batch: int
    optimizer: str
    values: dict[str, str]


@cache
def families() -> dict[str, Family]:
    """All families by name, from the training program's `families.toml`."""
    entries = tomllib.loads((_models() / "families.toml").read_text(encoding="utf-8"))
    return {name: Family(**_entry(entries, name)) for name in entries}


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
        family: one of `families()`.
        steps: training steps; the warm-up takes the first tenth, a cosine the rest.
        learning_rate: at its highest; None: the zoo's, for this batch size.
        checkpoint: prefix of a detection checkpoint to fine-tune from, as `model/checkpoint/ckpt-0`; "": from scratch.

    Raises:
        ConfigError: no such family.
    """
    known = families()
    if family not in known:
        raise ConfigError(f"family {family!r}: expected one of {', '.join(known)}")
    made = known[family]
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


def _entry(entries: dict[str, Any], name: str) -> dict[str, Any]:
    own = dict(entries[name])
    first = _entry(entries, own.pop("like")) if "like" in own else {}
    return {**first, **own, "values": {**first.get("values", {}), **own.get("values", {})}}


def _filled(template: str, values: dict[str, str]) -> Message:
    file = _models() / f"{template}.pbtxt"
    return parse(Template(file.read_text(encoding="utf-8")).substitute(values), file.name)


def _models() -> Path:
    return paths.project() / "containers" / "tfod" / "pipeline" / "models"
