"""A picture's boxes as the three input formats have them, checked, in detectron2's form (xywh, pixels).

RecordIO: MXNet's header 'IfQQ' (number of label values, a value, id, 0), the float32 label (header width A, object
width B, the rest of the header, then class, xmin, ymin, xmax, ymax as ratios for each object), the image file. JSON and
augmented manifests: `image_size` and `annotations` with class_id, left, top, width, height in pixels.
"""

import struct
from typing import Any

import numpy as np
from sagemaker_contract import UserError

XYWH_ABS = 1  # detectron2.structures.BoxMode.XYWH_ABS
_HEADER = struct.Struct("<IfQQ")
_SIDES = ("left", "top", "width", "height")
_OVER = 0.05  # of a side: a box may stand a little over the edge
_NOTHING = -1  # class of the one object of a record without objects

Box = dict[str, Any]


def of_record(data: bytes, where: str) -> tuple[int, np.ndarray, int]:
    """A RecordIO record's id, label values [L] float32, and where its image begins. Raises UserError."""
    if len(data) < _HEADER.size:
        raise UserError(f"{where}: {len(data)} bytes, expected an image record with MXNet's header of {_HEADER.size}")
    count, value, number, _ = _HEADER.unpack_from(data)
    start = _HEADER.size + 4 * count
    if start >= len(data):
        raise UserError(f"{where}: {len(data)} bytes, too short for a label of {count} values and an image")
    label = np.frombuffer(data, "<f4", count, _HEADER.size) if count else np.array([value], np.float32)
    return number, label, start


def from_label(label: np.ndarray, size: tuple[int, int], classes: int, where: str) -> list[Box]:
    """Boxes of a RecordIO label, for a picture of this width and height. Raises UserError."""
    header, width = label[:2].astype(int).tolist() if len(label) >= 2 else (0, 0)
    if header < 2 or width < 5 or header > len(label) or (len(label) - header) % width:
        raise UserError(
            f"{where}: the label of {len(label)} values begins {label[:2].tolist()}; expected the width of its header "
            "(2 or more), of an object (5 or more), then whole objects: pack with im2rec's --pack-label"
        )
    objects = label[header:].reshape(-1, width).astype(float)
    objects = objects[objects[:, 0] != _NOTHING]
    for row, (_, *corners) in enumerate(objects[:, :5], start=1):
        if max(corners) > 1 + _OVER or min(corners) < -_OVER:
            shown = ", ".join(f"{value:g}" for value in corners)
            raise UserError(
                f"{where}, object {row}: xmin, ymin, xmax, ymax are {shown}; expected ratios of width and height from "
                "0 to 1: divide pixels by the image's size, percent by 100"
            )
    scale = np.tile(size, 2)
    return [
        _checked(class_id, [*(low := box[:2]), *(box[2:] - low)], size, classes, f"{where}, object {row}")
        for row, (class_id, box) in enumerate(zip(objects[:, 0], objects[:, 1:5] * scale, strict=True), start=1)
    ]


def from_json(content: Any, size: tuple[int, int], classes: int, where: str) -> list[Box]:
    """Boxes of a JSON file or an augmented manifest's label, for a picture of this size. Raises UserError."""
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list):
        raise UserError(f"{where}: no list annotations, expected one, empty for a picture without objects")
    _check_size(content, size, where)
    boxes = []
    for row, entry in enumerate(annotations, start=1):
        try:
            class_id, sides = float(entry["class_id"]), [float(entry[side]) for side in _SIDES]
        except (KeyError, TypeError, ValueError) as error:
            expected = f"numbers class_id, {', '.join(_SIDES)}"
            raise UserError(f"{where}, annotation {row}: {entry!r}, expected {expected}") from error
        boxes.append(_checked(class_id, sides, size, classes, f"{where}, annotation {row}"))
    if boxes and max(size) > 2 and max(max(box["bbox"]) for box in boxes) <= 1:
        raise UserError(
            f"{where}: no coordinate is above 1, expected pixels of a {size[0]}x{size[1]} picture, not ratios"
        )
    return boxes


def check_width(values: int, label_width: int, where: str) -> None:
    """Refuse a label of more values than the hyperparameter label_width allows."""
    if values > label_width:
        raise UserError(
            f"{where}: its label has {values} values (2 and 5 for each object), label_width is {label_width}: set "
            f"label_width to {values} or more"
        )


def _check_size(content: dict[str, Any], size: tuple[int, int], where: str) -> None:
    try:
        said = int(content["image_size"][0]["width"]), int(content["image_size"][0]["height"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{where}: no image_size, expected [{{width, height, depth}}] in pixels") from error
    if said != size:
        raise UserError(f"{where}: image_size is {said[0]}x{said[1]}, the picture has {size[0]}x{size[1]} pixels")


def _checked(class_id: float, sides: list[float], size: tuple[int, int], classes: int, where: str) -> Box:
    if class_id != int(class_id) or not 0 <= class_id < classes:
        raise UserError(
            f"{where}: class_id is {class_id:g}, num_classes {classes}, expected an integer from 0 to {classes - 1}: "
            "ids must run from 0 without a gap, so number the classes anew, or mend num_classes"
        )
    left, top, width, height = sides
    if not (width > 0 and height > 0):
        raise UserError(
            f"{where}: width {width:g} and height {height:g}, expected above 0: leave out boxes without area"
        )
    ends = np.array([left + width, top + height]) / size
    if min(left / size[0], top / size[1]) < -_OVER or ends.max() > 1 + _OVER:
        raise UserError(
            f"{where}: left {left:g}, top {top:g}, width {width:g}, height {height:g} lead out of the picture of "
            f"{size[0]}x{size[1]}: expected pixels from its top left corner"
        )
    return {"bbox": [float(side) for side in sides], "bbox_mode": XYWH_ABS, "category_id": int(class_id), "iscrowd": 0}
