"""A picture's size from its file's header, and the record that training takes."""

import io
from pathlib import Path
from typing import Any

from detection.decoding import FORMATS
from PIL import Image
from sagemaker_contract import UserError

from .labels import Box


def size_of(source: Path | bytes, where: str) -> tuple[int, int]:
    """Width and height in pixels, without decoding. Raises UserError for what is no JPEG or PNG."""
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as picture:
            return picture.size
    except Exception as error:  # Pillow raises whatever broken bytes lead to
        raise UserError(f"{where}: not a JPEG or PNG picture") from error


def record(image_id: int, file: Path, size: tuple[int, int], boxes: list[Box], where: str = "") -> dict[str, Any]:
    """A detectron2 record; `where` is what messages call a picture that is not a file of its own."""
    width, height = size
    named = {"where": where} if where else {}
    return {
        "file_name": str(file), "image_id": image_id, "width": width, "height": height, "annotations": boxes, **named
    }  # fmt: skip
