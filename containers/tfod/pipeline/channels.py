"""A job's channels as TFRecord files, a label map and records: TFRecords as they are, or made from manifests."""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from detection import datasets
from detection.datasets import Data
from sagemaker_contract import UserError

from . import label_map, records
from .names import LABELS

PATTERNS = ("*.tfrecord*", "*.record*")
EVALUATION = ("eval", "val")  # a file of the training channel whose name begins so is not trained on


@dataclass(frozen=True)
class Channels:
    """What is trained on and judged by; `validation` is empty without a validation set.

    The validation records of `data` are every `every`-th example of the files.
    """

    data: Data
    training: list[Path]
    validation: list[Path]
    labels: Path
    every: int


def load(arguments: argparse.Namespace, hosts: int, folder: Path) -> Channels:
    """Find or make the files, at least one for each of the hosts; what is made goes to `folder`. Raises UserError."""
    if arguments.annotation_channel:
        return _from_manifests(arguments, hosts, folder)
    training = _files(arguments.training_channel)
    validation = [file for file in training if file.name.startswith(EVALUATION)]
    training = [file for file in training if file not in validation]
    if arguments.validation_channel:
        validation = _files(arguments.validation_channel)
    if not training:
        patterns = " or ".join(PATTERNS)
        raise UserError(
            f"{arguments.training_channel}: no file {patterns} to train on; pictures need a channel 'annotation'"
        )
    labels = _label_map([arguments.training_channel, arguments.validation_channel])
    classes = label_map.read(labels)
    every = arguments.sample_1_of_n_eval_examples
    found = records.read(training, classes)
    if not any(record["annotations"] for record in found):
        raise UserError(f"{arguments.training_channel}: no picture has a box")
    data = Data(classes, found, records.read(validation, classes, every) if validation else None)
    if len(training) < hosts:  # each host reads files of its own
        training = records.write((example for _, example in records.raw(training)), folder / "train.tfrecord", hosts)
    return Channels(data, training, validation, labels, every)


def _from_manifests(arguments: argparse.Namespace, hosts: int, folder: Path) -> Channels:
    data, every = datasets.load(arguments), arguments.sample_1_of_n_eval_examples
    labels = folder / LABELS
    label_map.write(labels, data.classes)
    training = records.write(records.encode(data.training, data.classes), folder / "train.tfrecord", hosts)
    if data.validation is None:
        return Channels(data, training, [], labels, every)
    validation = records.write(records.encode(data.validation, data.classes), folder / "val.tfrecord", 1)
    return Channels(replace(data, validation=data.validation[::every]), training, validation, labels, every)


def _files(folder: Path) -> list[Path]:
    return sorted({file for pattern in PATTERNS for file in folder.rglob(pattern) if file.is_file()})


def _label_map(folders: list[Path | None]) -> Path:
    for folder in folders:
        found = sorted(folder.rglob("*.pbtxt")) if folder else []
        if len(found) > 1:
            raise UserError(f"{folder}: expected one label map, found {', '.join(file.name for file in found)}")
        if found:
            return found[0]
    raise UserError(f"{folders[0]}: no label map (*.pbtxt)")
