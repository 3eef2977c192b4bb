"""Image files as TFOD can decode them: the file's own bytes wherever possible, made anew where TensorFlow would differ.

TensorFlow decodes JPEG and PNG to 8-bit RGB by content, whatever the file is called, and applies no EXIF orientation.
CMYK and 16-bit samples it converts otherwise than Pillow; other formats it does not read at all. Those are written as
8-bit RGB PNG, which loses nothing but the bits beyond eight.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from lab_utils import pixels
from lab_utils.errors import DataError

_FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png"}  # MPO: a JPEG with more pictures after the first
_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}
_SUFFIXES = {".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".png": "png"}


@dataclass(frozen=True)
class Picture:
    """What goes into a record.

    Attributes:
        content: bytes of a JPEG or PNG.
        format: "jpeg" or "png", by content.
        size: width and height in pixels, as stored.
        remade: whether the file was CMYK, 16-bit or of another format.
        misnamed: whether the file's name says another format than its content.
        rotated: whether it carries an EXIF orientation, which is not applied.
    """

    content: bytes
    format: str
    size: tuple[int, int]
    remade: bool = False
    misnamed: bool = False
    rotated: bool = False


def load(path: Path, size: tuple[int, int]) -> Picture:
    """Read an image file; of one that passes through, the header alone is decoded.

    Args:
        size: width and height in pixels that the annotations are for.

    Raises:
        DataError: missing, no image, or of another size; the message names the file and the fix.
    """
    from PIL import Image

    content = pixels.read_bytes(path)
    try:
        with Image.open(io.BytesIO(content)) as image:
            found = _FORMATS.get(image.format or "", "")
            passes = bool(found) and image.mode in _MODES
            orientation = pixels.exif_orientation(image) if "exif" in image.info else 1
            stored = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable image: {error}") from None
    _check_size(path, stored, size, orientation)
    misnamed = _SUFFIXES.get(path.suffix.lower(), "") != found
    if passes:
        return Picture(content, found, stored, misnamed=misnamed, rotated=orientation != 1)
    return Picture(_png(path), "png", stored, remade=True, misnamed=misnamed, rotated=orientation != 1)


def _check_size(path: Path, stored: tuple[int, int], size: tuple[int, int], orientation: int) -> None:
    if stored == size:
        return
    problem = f"{path}: {stored[0]} x {stored[1]} pixels are stored, the annotations are for {size[0]} x {size[1]}"
    if orientation > 4 and stored == size[::-1]:
        fix = f"they are in the frame that EXIF orientation {orientation} makes, which TFOD does not apply"
        raise DataError(f"{problem}: {fix}; rotate the pixels (PIL.ImageOps.exif_transpose) and save the file")
    raise DataError(f"{problem}; put width and height right, and the boxes if the image was resized")


def _png(path: Path) -> bytes:
    target = io.BytesIO()
    pixels.open_rgb(path).save(target, "PNG")
    return target.getvalue()
