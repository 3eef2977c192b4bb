"""Encoded pictures to 8-bit RGB, with Pillow alone; the same for training and serving."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from sagemaker_contract import UserError

MAX_PIXELS = 50_000_000  # decoded: 150 MB
FORMATS = ("JPEG", "PNG")


def decode(data: bytes | Path) -> Image.Image:
    """An RGB picture from a file's bytes or path, pixels as stored (EXIF orientation is not applied).

    Transparent parts become black, 16 bits a channel become 8. Raises UserError for what is no JPEG or
    PNG, is truncated, or has more than MAX_PIXELS.
    """
    try:
        with Image.open(data if isinstance(data, Path) else io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UserError(f"{picture.width}x{picture.height} pixels, at most {MAX_PIXELS} are taken")
            return _rgb(picture)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError("not a JPEG or PNG picture") from error
    except Exception as error:  # Pillow raises whatever the broken bytes lead to
        raise UserError(f"not a readable picture ({error})") from error


def decode_array(data: bytes) -> Image.Image:
    """An RGB picture from a JSON array, height x width x 3, of numbers within 0 to 255. Raises UserError."""
    try:
        pixels = np.array(json.loads(data))
    except ValueError as error:
        raise UserError(f"not a JSON array of one shape ({error})") from error
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size or pixels.dtype.kind not in "iuf":
        raise UserError(f"an array of shape {pixels.shape}, expected numbers of height x width x 3")
    if pixels.shape[0] * pixels.shape[1] > MAX_PIXELS:
        raise UserError(f"{pixels.shape[1]}x{pixels.shape[0]} pixels, at most {MAX_PIXELS} are taken")
    if pixels.min() < 0 or pixels.max() > 255:
        raise UserError(f"pixels from {pixels.min()} to {pixels.max()}, expected 0 to 255")
    return Image.fromarray(pixels.round().astype(np.uint8))


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey; convert() would clip at 255
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
    return picture.convert("RGB")
