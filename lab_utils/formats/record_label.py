"""What a RecordIO record of an image holds: MXNet's header, the label, the image file's bytes.

The header is the C structure 'IfQQ': number of label values (0: the one value that follows), that value, the record's
id, and 0. A detection label is float32: the width A of its own header, the width B of an object, the rest of the
header (with A = 4: the image's width and height in pixels), then per object class, xmin, ymin, xmax, ymax and, with
B = 6, difficult. Coordinates are ratios of the image's width and height. Sources: mxnet/recordio.py and
mxnet/tools/im2rec.py of MXNet 1.9.1, and the documentation of `mxnet.image.ImageDetIter`.

MXNet's ImageDetRecordIter and GluonCV's RecordFileDetection end with an error at a label without objects. An image
without boxes therefore has one object of -1 throughout, which both take and SSD's target assignment passes over.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import DataError

_HEADER = struct.Struct("<IfQQ")
_NOTHING = -1.0  # every value of the one row of an image without objects
_TOLERANCE = 0.05  # of the image's side: a box may stand a little over the edge
_SIDES = ("class", "xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Record:
    """One image of a RecordIO file.

    Attributes:
        id: the record's own id.
        label: float32, the values as packed; see the module.
        image: the bytes of the image file, JPEG or PNG.
    """

    id: int
    label: NDArray[np.float32]
    image: bytes


def pack(record: Record) -> bytes:
    """The record's data, ready to be framed."""
    label = np.ascontiguousarray(record.label, dtype="<f4")
    return _HEADER.pack(label.size, 0.0, record.id, 0) + label.tobytes() + record.image


def unpack(data: bytes, where: str) -> Record:
    """The inverse of `pack`; a label of one value in the header becomes an array of one.

    Raises:
        DataError: shorter than the header and the label it announces.
    """
    if len(data) < _HEADER.size:
        raise DataError(f"{where}: {len(data)} bytes; expected MXNet's header of {_HEADER.size}: not an image record")
    count, value, id_, _ = _HEADER.unpack_from(data)
    start = _HEADER.size + 4 * count
    if start > len(data):
        raise DataError(f"{where} (id {id_}): {len(data)} bytes cannot hold a label of {count} values")
    label = np.frombuffer(data, dtype="<f4", count=count, offset=_HEADER.size) if count else [value]
    return Record(id_, np.asarray(label, dtype=np.float32), data[start:])


def encode(objects: NDArray[np.float64], size: tuple[int, int] | None, object_width: int) -> NDArray[np.float32]:
    """A label of objects [N, object_width]; `size` (width and height in pixels) makes the extended header."""
    header = [2.0, object_width] if size is None else [4.0, object_width, *size]
    rows = objects if len(objects) else np.full((1, object_width), _NOTHING)
    return np.concatenate([header, rows.ravel()]).astype(np.float32)


def decode(label: NDArray[np.float32], where: str) -> NDArray[np.float64]:
    """The objects of a label, [N, B]; none for an image without.

    Raises:
        DataError: not a detection label, or a value is none: the message names the object, the field and the fix.
    """
    values = label.astype(np.float64)
    if values.size < 2:
        raise DataError(
            f"{where}: the label is {values.tolist()}, a class alone; pack boxes with im2rec's --pack-label"
        )
    header, width = values[:2]
    if header < 2 or width < 5 or header % 1 or width % 1:
        expected = "its header's width (2 or 4) and an object's (5 or 6)"
        raise DataError(f"{where}: the label begins {header:g}, {width:g}; expected {expected}")
    if header > values.size or (values.size - header) % width:
        extent = f"{values.size} values, of which {header:g} are the header"
        raise DataError(f"{where}: {extent}; the rest is no multiple of an object's {width:g}")
    objects = values[int(header) :].reshape(-1, int(width))
    objects = objects[objects[:, 0] != _NOTHING]
    check(objects, where)
    return objects


def check_width(label: NDArray[np.float32], label_width: int | None, where: str) -> None:
    """Refuse a label wider than the algorithm's hyperparameter `label_width`."""
    if label_width is not None and label.size > label_width:
        advice = f"set label_width to {label.size} or more"
        raise DataError(f"{where}: the label has {label.size} values; label_width is {label_width}: {advice}")


def check(objects: NDArray[np.float64], where: str) -> None:
    """Refuse objects [N, 5 or more] of which a class is no id, a corner no ratio, or that have no area."""
    classes, corners = objects[:, 0], objects[:, 1:5]
    _refuse((classes < 0) | (classes % 1 != 0), objects, 0, where, "expected an integer from 0")
    for side in range(4):
        bad = ~((corners[:, side] >= -_TOLERANCE) & (corners[:, side] <= 1 + _TOLERANCE))
        fix = "expected a ratio from 0 to 1: divide pixels by the image's width or height, percent by 100"
        _refuse(bad, objects, 1 + side, where, fix)
    for side, name in ((2, "width"), (3, "height")):
        flat = corners[:, side] <= corners[:, side - 2]
        expected = f"expected {_SIDES[1 + side]} > {_SIDES[side - 1]}"
        fix = f"the box has no {name}: {expected}; drop it, or put the corners right"
        _refuse(flat, objects, 1 + side, where, fix)


def _refuse(bad: NDArray[np.bool_], objects: NDArray[np.float64], column: int, where: str, fix: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"{where}: object {row + 1}: {_SIDES[column]} is {objects[row, column]:g}; {fix}")
