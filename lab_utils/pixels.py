"""Image files as RGB, whatever they hold.

Boxes are in the frame of the pixels as stored. An EXIF orientation is therefore not applied: rotating the pixels
under the boxes would move every object. `validation.validate` warns about files that carry one.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
    with _decoded(path, io.BytesIO(read_bytes(path))) as image:
        return to_rgb(image)


def stored_size(path: str | Path) -> tuple[int, int]:
    """Width and height of an image file as stored; only its header is read.

    Raises:
        DataError: the file is missing or not an image; the message names it.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.size
    except FileNotFoundError:
        raise DataError(f"{path}: image not found; its size is needed, for the annotations do not tell it") from None
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


@dataclass(frozen=True)
class Fingerprint:
    """What one reading of an image file tells.

    Attributes:
        size: width and height of the pixels as stored.
        sha256: digest of the file's bytes.
        dhash: 256 bits, 1 where brightness rises to the right on a 17 x 16 thumbnail; few bits differ between an
            image and its recompressed, rescaled or brightened copy.
        orientation: EXIF orientation, 1 = upright.
    """

    size: tuple[int, int]
    sha256: str
    dhash: bytes
    orientation: int


def fingerprint(path: str | Path) -> Fingerprint:
    """Read an image file once, whole.

    Raises:
        DataError: as `open_rgb`.
    """
    content = read_bytes(path)
    with _decoded(path, io.BytesIO(content)) as image:
        return Fingerprint(image.size, hashlib.sha256(content).hexdigest(), _dhash(image), exif_orientation(image))


def fingerprints(
    paths: Sequence[Path], *, what: str = "read images", progress: bool = True
) -> list[Fingerprint | DataError]:
    """Fingerprints of many files on all cores, in order; a DataError stands for a file that cannot be read."""
    from tqdm.auto import tqdm

    def attempt(path: Path) -> Fingerprint | DataError:
        try:
            return fingerprint(path)
        except DataError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes outside the interpreter's lock
        results = pool.map(attempt, paths)
        return list(tqdm(results, desc=what, total=len(paths), leave=False, disable=None if progress else True))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of an image file; a DataError names one that is missing or cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: image not found") from None
    except OSError as error:
        raise DataError(f"{path}: image cannot be read: {error.strerror}") from None


@contextmanager
def _decoded(path: str | Path, content: io.BytesIO) -> Iterator[Image.Image]:
    from PIL import Image

    try:
        with Image.open(content) as image:
            image.load()
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = "not a known format" if isinstance(error, Image.UnidentifiedImageError) else error
        raise DataError(f"{path}: not a readable image: {reason}") from None


def _dhash(image: Image.Image) -> bytes:
    from PIL import Image

    small = np.asarray(to_rgb(image).convert("L").resize((17, 16), Image.Resampling.BOX), dtype=np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()
