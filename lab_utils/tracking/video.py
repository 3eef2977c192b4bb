"""Reads video as a stream of upright RGB frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab_utils.errors import ConfigError, DataError

if TYPE_CHECKING:
    import av

Image = NDArray[np.uint8]
_FPS = Fraction(25)  # where a file does not say


class Frame(NamedTuple):
    """`rgb` is uint8 [height, width, 3]; `seconds` is when the frame is shown, from the first frame's 0."""

    rgb: Image
    seconds: float


def pyav() -> Any:
    """The package `av`; a ConfigError says how to install it."""
    try:
        import av
    except ImportError as error:
        raise ConfigError("PyAV is missing: install it with pip install 'signal-labs[tracking]'") from error
    return av


@dataclass(frozen=True)
class Video:
    """A video file that was opened once and has at least one frame.

    Attributes:
        path: the file.
        width, height: of the upright frame in pixels; a rotation that the file asks for is applied.
        fps: mean frames a second, as the file says.
        count: number of frames as the file says, 0 when it does not. Only reading tells the real number.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    count: int

    @classmethod
    def open(cls, path: str | Path) -> Video:
        """Open a file and look at its first frame.

        Raises:
            DataError: missing, not a video, no frame, or a codec that this machine cannot decode.
            ConfigError: PyAV is missing.
        """
        path = Path(path)
        with _opened(path) as (container, stream):
            first = next(_decoded(path, container, stream), None)
            if first is None:
                raise DataError(f"{path}: a video without frames")
            height, width = first.rgb.shape[:2]
            return cls(path, width, height, stream.average_rate or _FPS, stream.frames)

    def __iter__(self) -> Iterator[Frame]:
        """The frames from the first on, each decoded when it is asked for.

        Raises:
            DataError: a frame cannot be decoded; the message names it. The frames before it were given.
        """
        with _opened(self.path) as (container, stream):
            yield from _decoded(self.path, container, stream)

    def frame(self, index: int) -> Image:
        """Frame `index` (from 0), read from the start; an IndexError where there is none."""
        for i, frame in enumerate(self):
            if i == index:
                return frame.rgb
        raise IndexError(f"{self.path}: no frame {index}")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    av = pyav()
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise DataError(f"{path}: not a video that FFmpeg can read ({_reason(error)})") from error
    with container:
        if not container.streams.video:
            raise DataError(f"{path}: no video in it")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise DataError(f"{path}: no decoder for its codec here; convert it to H.264")
        stream.thread_type = "AUTO"
        yield container, stream


def _decoded(path: Path, container: Any, stream: Any) -> Iterator[Frame]:
    av = pyav()
    start, count = None, 0
    try:
        for frame in container.decode(stream):
            seconds = float(frame.pts * frame.time_base) if frame.pts is not None else count / float(_FPS)
            start = seconds if start is None else start
            yield Frame(_upright(frame), seconds - start)
            count += 1
    except av.FFmpegError as error:
        raise DataError(f"{path}: frame {count} cannot be decoded ({_reason(error)})") from error


def _upright(frame: av.VideoFrame) -> Image:
    """The frame as it is meant to be seen: `rotation` is degrees counter-clockwise, as phones write it."""
    rgb = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90)))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
