"""Pictures in one channel, a JSON file for each in another."""

import json
from pathlib import Path
from typing import Any

from sagemaker_contract import UserError

from . import labels
from .hyperparameters import Settings
from .pictures import record, size_of

PICTURES = (".jpg", ".jpeg", ".png")


def read(images: Path, annotations: Path, settings: Settings) -> list[dict[str, Any]]:
    """Records of a split. Raises UserError naming the file that is wrong or has no partner."""
    categories: set[int] = set()
    found = [
        _record(i, file, images, annotations, settings, categories)
        for i, file in enumerate(sorted(annotations.rglob("*.json")))
    ]
    _check_categories(categories, settings.num_classes, annotations.name)
    described = {entry["file_name"] for entry in found}
    for path in sorted(images.rglob("*")):
        if path.suffix.lower() in PICTURES and str(path) not in described:
            raise UserError(
                f"channel {images.name}: {path.relative_to(images)} has no file in {annotations.name}: add one, its "
                "annotations empty if nothing is to be seen, or take the picture out"
            )
    return found


def _record(
    number: int, file: Path, images: Path, annotations: Path, settings: Settings, categories: set[int]
) -> dict[str, Any]:
    """The record of one file, whose categories are added to those of the others."""
    where = f"{annotations.name}/{file.relative_to(annotations)}"
    content = _load(file, where)
    path = images / content["file"]
    if ".." in Path(content["file"]).parts or not path.is_file():
        raise UserError(f"{where}: file is {content['file']!r}, of which channel {images.name} has no picture")
    size = size_of(path, f"{images.name}/{content['file']}")
    boxes = labels.from_json(content, size, settings.num_classes, where)
    labels.check_width(2 + 5 * len(boxes), settings.label_width, where)
    try:
        categories |= {int(entry["class_id"]) for entry in content.get("categories") or []}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{where}: categories, expected class_id and name in each") from error
    return record(number, path, size, boxes)


def _load(file: Path, where: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("file"), str):
        raise UserError(f"{where}: no file, expected an object with the picture's name under that key")
    return content


def _check_categories(ids: set[int], classes: int, where: str) -> None:
    """Categories may be left out; those that are there are 0, 1, 2 ... as class_id is."""
    wrong = sorted((ids - set(range(classes))) | (set(range(max(ids, default=-1))) - ids))
    if wrong:
        what = f"{wrong[0]} is {'too many' if wrong[0] in ids else 'missing'} among the class_ids of categories"
        raise UserError(f"{where}: {what}, expected 0 to {classes - 1} without a gap, as in annotations")
