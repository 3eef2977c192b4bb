"""Video as a stream of BGR arrays, in constant memory, by PyAV."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from sagemaker_contract import UserError

FALLBACK_RATE = Fraction(25)  # where a file does not say
TICKS = 90_000  # a second, as MPEG has them


class Frame(NamedTuple):
    """A frame's number from 0, when it is shown after the first, and its pixels [H, W, 3] uint8 BGR, upright."""

    number: int
    seconds: float
    picture: np.ndarray


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """The file and its first video stream. Raises UserError for what is no video, or breaks off inside the block."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(f"{path}: no video in it")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except (av.FFmpegError, OSError) as error:
        raise UserError(f"{path}: not a readable video ({error})") from error


def length(path: Path) -> tuple[int, int, int]:
    """Width and height in pixels as shown, and the number of frames, which a header need not know. Raises UserError."""
    with opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise UserError(f"{path}: no frame in it")
        height, width = upright(first.to_ndarray(format="gray8"), first.rotation).shape
        container.seek(0)
        return width, height, sum(1 for packet in container.demux(stream) if packet.size)


def frames(path: Path, wanted: Callable[[int], bool] = lambda number: True) -> Iterator[Frame]:
    """The `wanted` frames, by their numbers. Raises UserError."""
    with opened(path) as (container, stream):
        rate, start = stream.average_rate or FALLBACK_RATE, None
        for number, frame in enumerate(container.decode(stream)):
            seconds = float(number / rate) if frame.time is None else frame.time
            start = seconds if start is None else start
            if wanted(number):
                yield Frame(number, seconds - start, upright(frame.to_ndarray(format="bgr24"), frame.rotation))


def upright(picture: np.ndarray, rotation: int) -> np.ndarray:
    """The picture as players show it: cameras held on their side note the degrees, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(picture, rotation // 90 % 4))


class Writer:
    """An H.264 MP4 that browsers play. It is playable at any moment, so also when the program is killed.

    `size` is the frames' width and height. H.264 has no odd sides: they grow by one pixel, which repeats the edge.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
        self._container = av.open(str(path), "w", format="mp4", options=fragments)
        self._stream = self._container.add_stream("libx264", options={"crf": "23", "preset": "veryfast"})
        self._stream.width, self._stream.height = (side + side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.codec_context.gop_size = 25
        self._tick = -1

    def write(self, picture: np.ndarray, seconds: float) -> None:
        """Append a frame [H, W, 3] uint8 BGR, to be shown at `seconds`."""
        height, width = picture.shape[:2]
        spare = ((0, self._stream.height - height), (0, self._stream.width - width), (0, 0))
        frame = av.VideoFrame.from_ndarray(np.pad(picture, spare, mode="edge"), format="bgr24")
        self._tick = max(round(seconds * TICKS), self._tick + 1)  # time only ever grows, whatever the source says
        frame.pts, frame.time_base = self._tick, Fraction(1, TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
