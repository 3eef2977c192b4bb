"""The records that a job trains on and is judged by, from its channels."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sagemaker_contract import UserError

from . import manifest


@dataclass(frozen=True)
class Data:
    """Class names in class-id order, and detectron2 records; `validation` is None without that channel."""

    classes: list[str]
    training: list[dict[str, Any]]
    validation: list[dict[str, Any]] | None

    def box_sides(self, scaled: Callable[[int, int], tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        """Width and height [N, 2] of the training boxes in resized pixels, and their class ids [N].

        Args: `scaled` says to what width and height a picture of a width and height is resized.
        """
        sides, class_ids = [np.empty((0, 2))], []
        for record in self.training:
            size = np.array([record["width"], record["height"]])
            scale = np.array(scaled(*size.tolist())) / size
            boxes = record["annotations"]
            sides.append(np.array([box["bbox"][2:] for box in boxes]).reshape(-1, 2) * scale)
            class_ids += [box["category_id"] for box in boxes]
        return np.concatenate(sides), np.array(class_ids, np.int64)

    def lines(self) -> list[str]:
        """What is trained on, one printable line a split."""
        splits = {"training": self.training, "validation": self.validation}
        return [f"{split}: {_describe(records, self.classes)}" for split, records in splits.items()]


def load(arguments: argparse.Namespace) -> Data:
    """Read the annotation channel's manifests and find their pictures. Raises UserError naming what is missing."""
    folders = {"training": arguments.training_channel, "validation": arguments.validation_channel}
    for name in ("training", "annotation"):
        if getattr(arguments, f"{name}_channel") is None:
            raise UserError(f"the job has no channel {name!r}")
    entries = {
        split: manifest.read(Path(arguments.annotation_channel, f"{split}.manifest"), arguments.label_attribute)
        for split, folder in folders.items()
        if folder
    }
    classes = arguments.classes or manifest.class_names(entries.values())
    records = {split: manifest.records(entries[split], Path(folders[split]), classes) for split in entries}
    if not any(record["annotations"] for record in records["training"]):
        raise UserError(f"{arguments.annotation_channel}/training.manifest: no picture has a box")
    return Data(classes, records["training"], records.get("validation"))


def _describe(records: list[dict[str, Any]] | None, classes: list[str]) -> str:
    if records is None:
        return "no channel: nothing is evaluated, the last weights are kept"
    counts = [0] * len(classes)
    for box in (box for record in records for box in record["annotations"]):
        counts[box["category_id"]] += 1
    empty = sum(not record["annotations"] for record in records)
    by_class = ", ".join(f"{name} {count}" for name, count in zip(classes, counts, strict=True))
    return f"{len(records)} pictures ({empty} without a box), {sum(counts)} boxes: {by_class}"
