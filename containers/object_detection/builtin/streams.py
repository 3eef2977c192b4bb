"""Records out of RecordIO files and pipes.

A pipe can be read once an epoch, and what is wrong with its last record would show after hours. So its first epoch is
read whole before training: records are checked, their pictures kept in one file, and every epoch is drawn from there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sagemaker_contract import UserError

from . import labels, recordio
from .hyperparameters import Settings
from .pictures import record, size_of


class Kept:
    """Pictures one after the other in one file, and the records that point into it."""

    def __init__(self, file: Path) -> None:
        self.records: list[dict[str, Any]] = []
        self._file, self._stream = file, file.open("wb")

    def add(self, picture: bytes, boxes: list[labels.Box], size: tuple[int, int], where: str) -> None:
        """Keep a picture and its record."""
        span = self._stream.tell(), len(picture)
        self._stream.write(picture)
        self.records.append({**record(len(self.records), self._file, size, boxes, where), "span": span})

    def close(self) -> None:
        """Write what is left."""
        self._stream.close()


def keep_packed(stream: BinaryIO, where: str, kept: Kept, settings: Settings) -> dict[int, int]:
    """Keep im2rec's records: label and picture in one. Returns position of each record by its id."""
    positions = {}
    for number, (position, data) in enumerate(recordio.records(stream, where), start=1):
        here = f"{where}: record {number}"
        key, label, start = labels.of_record(data, here)
        positions[key] = position
        size = size_of(data[start:], here)
        boxes = labels.from_label(label, size, settings.num_classes, here)
        labels.check_width(len(label), settings.label_width, here)
        kept.add(data[start:], boxes, size, here)
    return positions


def keep_pairs(stream: BinaryIO, where: str, kept: Kept, settings: Settings) -> None:
    """Keep an augmented manifest's records: a picture, then its label, as AttributeNames order them."""
    for number, (picture, label) in enumerate(_pairs(stream, where), start=1):
        here = f"{where}: line {number}"
        if picture[:1] == b"{":
            raise UserError(f"{here}: a label comes first; AttributeNames must be source-ref, then the label attribute")
        size = size_of(picture, here)
        try:
            content = json.loads(label)
        except ValueError as error:
            raise UserError(f"{here}: the label is not JSON ({error})") from error
        boxes = labels.from_json(content, size, settings.num_classes, here)
        labels.check_width(2 + 5 * len(boxes), settings.label_width, here)
        kept.add(picture, boxes, size, here)


def check_index(file: Path, positions: dict[int, int]) -> None:
    """Compare an `.idx` that lies beside a `.rec` with it. Raises UserError naming the line."""
    index = file.with_suffix(".idx")
    if not index.is_file():
        return
    for number, line in enumerate(index.read_text(encoding="utf-8").splitlines(), start=1):
        key, _, position = line.partition("\t")
        if not (key.isdigit() and position.isdigit()) or positions.pop(int(key), None) != int(position):
            raise UserError(f"{index.name}, line {number}: {line!r} is no record of {file.name}: make the index anew")
    if positions:
        raise UserError(f"{index.name}: has no line for record {min(positions)} of {file.name}: make the index anew")


def _pairs(stream: BinaryIO, where: str) -> Iterator[tuple[bytes, bytes]]:
    records = (data for _, data in recordio.records(stream, where))
    for picture in records:
        label = next(records, None)
        if label is None:
            raise UserError(f"{where}: its last picture has no label; AttributeNames must name both")
        yield picture, label
