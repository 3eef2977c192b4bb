"""Image files as RGB, whatever they hold.

Boxes are in the frame of the pixels as stored. An EXIF orientation is therefore not applied: rotating the pixels
under the boxes would move every object. `validation.validate` warns about files that carry one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab_utils.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

_EXIF_ORIENTATION = 0x0112


def open_rgb(path: str | Path) -> Image.Image:
    """Read an image file whole, as RGB with 8 bits a channel.

    16-bit samples are scaled to 8 bits (not cut off at 255), greyscale and palette images are converted, an alpha
    channel is left out.

    Raises:
        DataError: the file is missing, truncated, or not an image; the message names it.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(image)
    except FileNotFoundError:
        raise DataError(f"{path}: image not found") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable image: {error}") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode as RGB with 8 bits a channel."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit samples, in which Pillow's own conversion clips at 255
        samples = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(samples.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


def exif_orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) to 8; 1 when there is none."""
    return int(image.getexif().get(_EXIF_ORIENTATION, 1))
