"""JSON of SageMaker's built-in object detection: one file an image, in channels beside those of the images.

A file has the image's `file` name, `image_size`, `annotations` (`class_id`, `left`, `top`, `width`, `height` in pixels,
which may be fractional) and `categories` (`class_id`, `name`). Class ids are 0, 1, 2, ... in all three. The channels
are the folders `train`, `validation` (images), `train_annotation` and `validation_annotation`. Format: "Input/Output
Interface for the Object Detection Algorithm" in SageMaker's documentation.

`depth` is always 3: the algorithm reads every image in colour, a grayscale file too. An image without boxes has an
empty `annotations`.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from lab_utils.atomic import open_atomic
from lab_utils.dataset import BOX_COLUMNS, XYWH, DetectionDataset
from lab_utils.errors import ConfigError, DataError
from lab_utils.formats.conversion import Conversion, prepared, successive

CHANNELS = {"training": "train", "validation": "validation"}
_SIDES = dict(zip(("left", "top", "width", "height"), XYWH, strict=True))


def write(dataset: DetectionDataset, folder: str | Path, *, crowd: str = "drop") -> Conversion:
    """Write one JSON file an image to `folder`, each whole or not at all.

    Args:
        crowd: "drop" crowd regions, or "keep" them as ordinary objects.

    Raises:
        DataError: a box has no area, a class no name, or two images would share a file: named, with the fix.
        ConfigError: `folder` holds JSON files of other images, which the algorithm would read, too.
    """
    boxes, account = prepared(dataset, crowd)
    folder = Path(folder)
    targets = _targets(dataset, folder)
    categories = json.dumps([{"class_id": i, "name": name} for i, name in enumerate(dataset.classes)])
    of_image = boxes.groupby("image_row").indices
    annotations = _annotations(boxes)
    images = dataset.images[["file_name", "width", "height"]].itertuples(index=False, name=None)
    for row, (target, (name, width, height)) in enumerate(zip(targets, images, strict=True)):
        size = {"width": width, "height": height, "depth": 3}
        found = [annotations[i] for i in of_image.get(row, [])]
        content = json.dumps({"file": name, "image_size": [size], "annotations": found})
        _replace(str(target), f'{content[:-1]}, "categories": {categories}}}\n')
    return account


def write_channels(
    splits: Mapping[str, DetectionDataset], root: str | Path, *, crowd: str = "drop"
) -> dict[str, Conversion]:
    """Write the four channels below `root`, images copied, from the splits "training" and "validation"."""
    root = Path(root)
    missing = [split for split in CHANNELS if split not in splits]
    if missing:
        raise ConfigError(f"splits: no {missing[0]!r}; expected {' and '.join(CHANNELS)}")
    accounts = {}
    for split, channel in CHANNELS.items():
        accounts[split] = write(splits[split], root / f"{channel}_annotation", crowd=crowd)
        for name in splits[split].images["file_name"]:
            _copy(splits[split].root / name, root / channel / name)
    return accounts


def read(root: str | Path, images_dir: str | Path | None = None) -> DetectionDataset:
    """Read the four channels below `root`, or a folder of JSON files.

    Args:
        images_dir: folder of the images; None: `root` for channels (file names then begin with the channel), else the
            folder of the same name without `_annotation`.

    Raises:
        DataError: a file is malformed, or names and ids contradict another file; the message names file and field.
    """
    root = Path(root)
    parts = {split: root / f"{name}_annotation" for split, name in CHANNELS.items()}
    parts = {split: part for split, part in parts.items() if part.is_dir()} or {"": root}
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    names: dict[int, str] = {}
    for split, part in parts.items():
        below = f"{CHANNELS[split]}/" if split else ""
        for file in sorted(part.rglob("*.json")):
            content = _load(file)
            images.append({"image_id": len(images) + 1, "split": split, "source": str(file.relative_to(root))})
            images[-1] |= _image(content, file, below)
            boxes += [{"image_id": len(images), **box} for box in _boxes(content, file)]
            _collect(names, content, file)
    if not images:
        raise DataError(f"{root}: no annotations; expected *.json files, one an image")
    classes = _classes(names, {box["class_id"] for box in boxes}, root)
    frame = pd.DataFrame(boxes, columns=None if boxes else list(BOX_COLUMNS))
    default = root if "" not in parts else root.with_name(root.name.removesuffix("_annotation"))
    where = default if images_dir is None else Path(images_dir)
    return DetectionDataset.from_frames(pd.DataFrame(images), frame, classes, root=where, name=root.resolve().name)


def _targets(dataset: DetectionDataset, folder: Path) -> list[Path]:
    """The file of each image; their folders exist then."""
    targets = [folder / PurePosixPath(name).with_suffix(".json") for name in dataset.images["file_name"]]
    if len(set(targets)) < len(targets):
        again = pd.Series(targets)[pd.Series(targets).duplicated()].iloc[0]
        raise DataError(f"{dataset.name}: two images would have the annotations {again.name}; rename one of them")
    others = sorted(set(folder.rglob("*.json")) - set(targets))
    if others:
        raise ConfigError(f"{folder}: holds {others[0].relative_to(folder)}, of another data set; use an empty folder")
    for parent in {target.parent for target in targets}:
        parent.mkdir(parents=True, exist_ok=True)
    return targets


def _annotations(boxes: pd.DataFrame) -> list[dict[str, float]]:
    columns = [boxes["class_id"].tolist(), *(_numbers(boxes[column]) for column in _SIDES.values())]
    keys = ("class_id", *_SIDES)
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def _numbers(column: pd.Series) -> list[float]:
    return [int(value) if value.is_integer() else value for value in column.tolist()]


def _replace(target: str, text: str) -> None:
    """As `atomic.write_text`, without what that spends on names and modes: thousands of files are written."""
    folder, name = os.path.split(target)
    temporary = f"{folder}/.{name}.tmp"
    with open(temporary, "wb", buffering=0) as file:  # noqa: PTH123
        file.write(text.encode())
    os.replace(temporary, target)  # noqa: PTH105


def _copy(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as pixels, open_atomic(target, "wb") as copy:
            shutil.copyfileobj(pixels, copy)
    except OSError as error:
        raise DataError(f"{source}: image cannot be copied: {error.strerror}") from None


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(content, dict) or not isinstance(content.get("file"), str):
        raise DataError(f"{file}: no 'file'; expected an object with the image's name under that key")
    if not isinstance(content.get("annotations"), list):
        raise DataError(f"{file}: no list 'annotations'; expected one, empty for an image without objects")
    return content


def _image(content: dict[str, Any], file: Path, below: str) -> dict[str, Any]:
    name = PurePosixPath(content["file"])
    if name.is_absolute() or ".." in name.parts:
        raise DataError(f"{file}: 'file' is {content['file']!r}, which leads out of the images' folder")
    try:
        size = content["image_size"][0]
        return {"file_name": f"{below}{name}", "width": size["width"], "height": size["height"]}
    except (KeyError, IndexError, TypeError):
        found = content.get("image_size")
        raise DataError(f"{file}: 'image_size' is {found!r}; expected [{{width, height, depth}}] in pixels") from None


def _boxes(content: dict[str, Any], file: Path) -> list[dict[str, Any]]:
    rows = []
    for number, entry in enumerate(content["annotations"], start=1):
        try:
            box: dict[str, Any] = {column: float(entry[side]) for side, column in _SIDES.items()}
            class_id = entry["class_id"]
        except (KeyError, TypeError, ValueError):
            expected = f"class_id, {', '.join(_SIDES)}"
            raise DataError(f"{file}: annotation {number}: {entry!r}; expected numbers {expected}") from None
        if not isinstance(class_id, int) or class_id < 0:
            raise DataError(f"{file}: annotation {number}: class_id is {class_id!r}; expected an integer from 0")
        rows.append({**box, "class_id": class_id, "source_row": number})
    return rows


def _collect(names: dict[int, str], content: dict[str, Any], file: Path) -> None:
    """Add the file's categories, which may be absent."""
    for entry in content.get("categories") or []:
        try:
            class_id, name = int(entry["class_id"]), str(entry["name"])
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{file}: categories: {entry!r}; expected class_id and name") from None
        if names.setdefault(class_id, name) != name:
            raise DataError(
                f"{file}: categories: class {class_id} is {name!r} here, {names[class_id]!r} in another file"
            )


def _classes(names: dict[int, str], used: set[int], root: Path) -> list[str]:
    successive(sorted(used | names.keys()), str(root))
    if names and used - names.keys():
        raise DataError(f"{root}: class_id {min(used - names.keys())} is used, but no file's categories name it")
    return [names.get(i, f"class {i}") for i in range(len(used | names.keys()))]
