"""Readers and writers of annotation formats; each is a module with `read` and `write`."""

import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pandas as pd

from lab_utils import atomic
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError, DataError

NAMES = ("coco", "csv", "frsign", "lisa", "manifest", "recordio", "sagemaker_json", "tfrecord", "via", "voc")


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
    name, text = parse(spec)
    path = Path(text).expanduser()
    if not path.exists() and not shards(path):
        raise DataError(f"dataset {spec!r}: {text} does not exist")
    dataset: DetectionDataset = import_module(f"{__name__}.{name}").read(path)
    return dataset


def shards(path: Path) -> list[Path]:
    """The files `PATH-00000-of-00010`, `PATH-00001-of-00010` and so on that are there, in no order."""
    found = re.compile(re.escape(path.name) + r"-\d{5}-of-\d{5}")
    return [file for file in path.parent.glob("*-of-*") if found.fullmatch(file.name)]


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


def images_beside(file: Path, first: str) -> Path:
    """The folder of the images that an annotation file names: its own, `images` or `JPEGImages`, where `first` is."""
    folders = (file.parent, file.parent / "images", file.parent / "JPEGImages")
    return next((folder for folder in folders if (folder / first).is_file()), file.parent)


def copy_image(source: Path, target: Path) -> None:
    """Copy an image file, unless there is one of that name.

    Raises:
        DataError: it cannot be read.
    """
    if target.exists():
        return
    try:
        with source.open("rb") as pixels, atomic.open_atomic(target, "wb") as copy:
            shutil.copyfileobj(pixels, copy)
    except OSError as error:
        raise DataError(f"{source}: image cannot be copied: {error.strerror}") from None


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
