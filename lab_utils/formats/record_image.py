"""Image files within records: told apart without decoding them, and unpacked."""

import io
from pathlib import Path

from lab_utils import atomic
from lab_utils.errors import DataError


def image_header(content: bytes, where: str) -> tuple[tuple[int, int], str]:
    """Width and height, and the suffix of the format; only the header is decoded.

    Raises:
        DataError: no image; the message begins with `where`.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size, ".png" if image.format == "PNG" else ".jpg"
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{where}: no readable image: {error}; pack JPEG or PNG files") from None


def unpack_image(target: Path, content: bytes) -> None:
    """Write an image file, unless these very bytes are there."""
    if not target.is_file() or target.read_bytes() != content:
        with atomic.open_atomic(target, "wb") as file:
            file.write(content)
