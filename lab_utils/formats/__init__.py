"""Readers and writers of annotation formats; each is a module with `read` and `write`."""

from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pandas as pd

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError

NAMES = ("coco", "frsign", "manifest", "recordio", "sagemaker_json", "voc")


def parse(spec: str) -> tuple[str, str]:
    """Format and path of `FORMAT:PATH`.

    Raises:
        ConfigError: no such format, or no path.
    """
    name, _, path = spec.partition(":")
    if name not in NAMES:
        raise ConfigError(f"dataset {spec!r}: unknown format {name!r}; expected one of {', '.join(NAMES)}")
    if not path:
        raise ConfigError(f"dataset {spec!r}: no path; expected {name}:PATH")
    return name, path


def load(spec: str) -> DetectionDataset:
    """Read the data set that `spec`, `FORMAT:PATH`, names: `voc:data/bccd`, `coco:data/instances.json`.

    Raises:
        ConfigError: no such format.
        DataError: nothing at PATH, or what is there cannot be read.
    """
    name, path = parse(spec)
    if not Path(path).expanduser().exists():
        raise DataError(f"dataset {spec!r}: {path} does not exist")
    dataset: DetectionDataset = import_module(f"{__name__}.{name}").read(Path(path).expanduser())
    return dataset


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries of plain Python values."""
    return cast(list[dict[str, Any]], frame.to_dict("records"))


def boxes_by_image(dataset: DetectionDataset) -> dict[int, list[dict[str, Any]]]:
    """The boxes of every image, as dictionaries; a negative has an empty list.

    Raises:
        DataError: a box is of no image.
    """
    found: dict[int, list[dict[str, Any]]] = {image_id: [] for image_id in dataset.images["image_id"].tolist()}
    for box in records(dataset.boxes):
        if box["image_id"] not in found:
            raise DataError(f"{dataset.name}: a box is of image {box['image_id']}, which is not there")
        found[box["image_id"]].append(box)
    return found


def number(value: float) -> float | int:
    """A coordinate as JSON and XML show it best: 12 rather than 12.0, and 12.3 exact."""
    return int(value) if float(value).is_integer() else float(value)


def class_ids(names: list[str], classes: list[str] | None, where: list[str]) -> tuple[list[int], list[str]]:
    """Ids of class names, and the list of classes they index.

    Args:
        names: class name of each box.
        classes: the classes to use; None: those that occur, sorted.
        where: place of each box, for the message.

    Raises:
        DataError: a name is not in `classes`.
    """
    classes = sorted(set(names)) if classes is None else list(classes)
    index = {name: i for i, name in enumerate(classes)}
    for name, place in zip(names, where, strict=True):
        if name not in index:
            raise DataError(f"{place}: unknown class {name!r}; expected one of {', '.join(classes)}")
    return [index[name] for name in names], classes
