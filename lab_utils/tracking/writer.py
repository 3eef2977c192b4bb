"""Writes H.264 video that browsers play, whole or not at all under its own name."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking.video import Image, pyav

_ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox")  # PyAV's wheels have the first, some builds another
_CLOCK = 90_000  # ticks a second, as MPEG has them
_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
_THREADS = 2  # fixed: x264's output depends on it


class VideoWriter:
    """Writes frames to an MP4 file as they come (H.264, yuv420p).

    While frames come they go to `partial` beside the target, a fragmented MP4 that is playable whenever the program
    is stopped. When the block ends well it is moved over the target with its index in front ("faststart"), so that a
    browser plays it while it loads; else it stays, and the target is as it was. A width or height that is odd grows
    by one pixel, which repeats the edge: yuv420p has no odd sizes.

    Args:
        path: the target, `.mp4`.
        fps: frames a second, for frames written without a time.
        quality: x264's constant rate factor, from 18 (hardly a loss) to 35 (small).

    Raises (on leaving the block):
        DataError: no frame was written; there is no file then.
    """

    def __init__(self, path: str | Path, fps: float | Fraction = 25, *, quality: int = 23) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != ".mp4":
            raise ConfigError(f"{path}: expected a name that ends in .mp4")
        self.partial = self.path.with_name(f"{self.path.stem}.partial.mp4")
        self.frames = 0
        self._fps, self._quality = Fraction(fps).limit_denominator(1001), quality
        self._container: Any = None
        self._last = -1

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, rgb: Image, seconds: float | None = None) -> None:
        """Append a frame, uint8 [height, width, 3].

        Args:
            rgb: the frame; all have the size of the first.
            seconds: when it is shown; None: one frame's time after the last.

        Raises:
            ValueError: another size or dtype than expected.
        """
        rgb = _even(rgb)
        if self._container is None:
            self._open(*rgb.shape[1::-1])
        if rgb.shape[1::-1] != (self._stream.width, self._stream.height):
            first = f"the first had {self._stream.width} columns and {self._stream.height} rows"
            raise ValueError(f"frame {self.frames}: shape {list(rgb.shape)}, {first}")
        frame = pyav().VideoFrame.from_ndarray(rgb, format="rgb24")
        frame.pts, frame.time_base = self._tick(seconds), Fraction(1, _CLOCK)
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._container is None:
            if kind is None:
                raise DataError(f"{self.path}: no frame to write")
            return
        self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            _move_index_to_front(self.partial, self.path)
            self.partial.unlink()

    def _open(self, width: int, height: int) -> None:
        encoder = _encoder()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._container = pyav().open(str(self.partial), "w", options=_FRAGMENTED)
        self._stream = self._container.add_stream(encoder, rate=self._fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _CLOCK)
        self._stream.codec_context.gop_size = max(round(self._fps), 1)  # a fragment a second
        self._stream.codec_context.thread_count = _THREADS
        if encoder == "libx264":
            self._stream.options = {"crf": str(self._quality), "preset": "veryfast"}

    def _tick(self, seconds: float | None) -> int:
        """Time stamps only ever grow, whatever the source says."""
        step = round(_CLOCK / self._fps)
        tick = self._last + step if seconds is None else round(seconds * _CLOCK)
        if self._last < 0 and seconds is None:
            tick = 0
        self._last = max(tick, self._last + 1)
        return self._last


def write_video(path: str | Path, frames: Iterable[Image], fps: float | Fraction = 25, *, quality: int = 23) -> int:
    """Write frames, uint8 [height, width, 3], to an MP4 file; returns how many there were.

    Raises:
        DataError: there was none, and there is no file.
    """
    with VideoWriter(path, fps, quality=quality) as writer:
        for rgb in frames:
            writer.write(rgb)
    return writer.frames


def _encoder() -> str:
    available = pyav().codecs_available
    for name in _ENCODERS:
        if name in available:
            return name
    raise ConfigError("this FFmpeg has no H.264 encoder: install PyAV's wheel with pip install --force-reinstall av")


def _even(rgb: Image) -> Image:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"expected an RGB frame, uint8 [height, width, 3], got {rgb.dtype} {list(rgb.shape)}")
    return np.pad(rgb, ((0, rgb.shape[0] % 2), (0, rgb.shape[1] % 2), (0, 0)), mode="edge")


def _move_index_to_front(source: Path, target: Path) -> None:
    """Copy the packets of `source`, not decoded, to `target`, whole or not at all."""
    av = pyav()
    temporary = target.with_name(f".{target.stem}.tmp.mp4")  # FFmpeg opens it twice, so it needs a name
    try:
        with (
            av.open(str(source)) as old,
            av.open(str(temporary), "w", options={"movflags": "faststart"}) as new,
        ):
            stream = new.add_stream_from_template(old.streams.video[0])
            for packet in old.demux(old.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    new.mux(packet)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
