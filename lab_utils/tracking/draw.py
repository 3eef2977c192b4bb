"""Draws what a tracker says on the frames, and shows video in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lab_utils.atomic import open_atomic
from lab_utils.errors import DataError
from lab_utils.palette import colour, ink
from lab_utils.tracking.clips import Clip
from lab_utils.tracking.tracker import Box, Observation, Step
from lab_utils.tracking.video import Image
from lab_utils.tracking.writer import VideoWriter

LOST = "lost"
_EMBEDDED = 8_000_000  # bytes of video that a notebook carries


def draw_boxes(rgb: Image, boxes: Iterable[tuple[Box, str, int]]) -> Image:
    """A copy of a frame with boxes: (xywh in pixels, text above it, number of its colour)."""
    from PIL import Image as pictures
    from PIL import ImageDraw

    picture = pictures.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    thick = _thick(rgb)
    for (left, top, width, height), text, number in boxes:
        shade = colour(number)
        draw.rectangle(
            (left - thick, top - thick, left + width + thick, top + height + thick), outline=shade, width=thick
        )
        _label(draw, (left - thick, top - thick), text, shade, thick)
    return np.asarray(picture)


def draw_observation(rgb: Image, observation: Observation, number: int = 0) -> Image:
    """A copy of a frame with the tracker's box and score, or the word "lost"."""
    if observation.box is None:
        out = (-4.0 * _thick(rgb), 11.0 * _thick(rgb), 0.0, 0.0)  # its label alone is in the frame
        return draw_boxes(rgb, [(out, f"      {LOST} {observation.score:.2f}", 3)])
    return draw_boxes(rgb, [(observation.box, f"{observation.score:.2f}", number)])


def draw_detections(rgb: Image, found: pd.DataFrame, classes: Sequence[str]) -> Image:
    """A copy of a frame with detections, `class_id`, `score` and xywh in pixels, in the colours of their classes."""
    rows = found.to_dict("records")
    boxes = [
        (
            (row["xmin"], row["ymin"], row["width"], row["height"]),
            f"{classes[row['class_id']].split(' (')[0]} {row['score']:.2f}",
            row["class_id"],
        )
        for row in rows
    ]
    return draw_boxes(rgb, boxes)


def write_tracked(
    path: str | Path, steps: Iterable[Step], fps: float | Fraction, table: list[dict[str, Any]] | None = None
) -> int:
    """Write an annotated H.264 video, frame by frame with the source's times; returns the number of frames.

    Args:
        path: the target, `.mp4`; see `VideoWriter` for what a stopped run leaves.
        steps: as `track` gives them.
        fps: of the source.
        table: gets one row a frame, as `rows` gives them.

    Raises:
        DataError: there was no frame.
    """
    with VideoWriter(path, fps) as writer:
        for step in steps:
            writer.write(draw_observation(step.rgb, step.observation), step.seconds)
            if table is not None:
                table.append(row(step))
    return writer.frames


def row(step: Step) -> dict[str, Any]:
    """A step without its picture: `frame`, `seconds`, `xmin`, `ymin`, `width`, `height` (NaN when lost), `score`."""
    box = step.observation.box or (np.nan,) * 4
    position = dict(zip(("xmin", "ymin", "width", "height"), box, strict=True))
    return {"frame": step.frame, "seconds": step.seconds, **position, "score": step.observation.score}


def write_gif(
    path: str | Path, frames: Iterable[Image], *, fps: float | Fraction = 10, width: int = 480, most: int = 300
) -> int:
    """Write an animated GIF that runs for ever; returns the number of frames.

    Args:
        path: the target.
        frames: RGB uint8 [height, width, 3]; kept in memory at the GIF's size, so `most` of them at most.
        fps: frames a second; GIF counts in hundredths of a second.
        width: pixels of the GIF; smaller frames stay as they are.
        most: number of frames after which it ends.

    Raises:
        DataError: there was no frame.
    """
    from PIL import Image as pictures

    small = [_small(pictures.fromarray(rgb), width) for rgb in islice(frames, most)]
    if not small:
        raise DataError(f"{path}: no frame to write")
    with open_atomic(path, "wb") as file:
        duration = max(round(100 / float(fps)), 2) * 10
        small[0].save(file, "GIF", save_all=True, append_images=small[1:], duration=duration, loop=0, optimize=False)
    return len(small)


def show_video(path: str | Path, width: int = 720) -> Any:
    """A player for an H.264 file; the notebook carries a file of up to 8 MB and links a larger one."""
    from IPython.display import Video

    path = Path(path)
    embed = path.stat().st_size <= _EMBEDDED
    return Video(str(path), embed=embed, width=width, mimetype="video/mp4" if embed else None)


def show_gif(path: str | Path, text: str) -> Any:
    """A GIF in a notebook, which carries it; `text` is for those who do not see it."""
    from IPython.display import HTML

    content = base64.b64encode(Path(path).read_bytes()).decode()
    return HTML(f'<img src="data:image/gif;base64,{content}" alt="{escape(text)}">')


def strip(frames: Iterable[Image], columns: int = 4, width: int = 360) -> Any:
    """Frames as one picture, row by row."""
    from PIL import Image as pictures

    tiles = [_small(pictures.fromarray(rgb), width, palette=False) for rgb in frames]
    rows = -(-len(tiles) // columns)
    sheet = pictures.new("RGB", (columns * tiles[0].width, rows * tiles[0].height))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * tile.width, index // columns * tile.height))
    return sheet


def clip_strip(clip: Clip, count: int = 8) -> Any:
    """Frames of a clip, even over its length, with the truth: track 1 in the first colour, the others in the rest."""
    picks = set(np.linspace(0, max(clip.video.count - 1, 0), count).round().astype(int).tolist())
    rows = clip.annotations.to_dict("records")
    frames = []
    for index, frame in enumerate(clip.video):
        if index in picks:
            seen = [row for row in rows if row["frame"] == index]
            boxes = [
                ((r["xmin"], r["ymin"], r["width"], r["height"]), str(r["track_id"]), r["track_id"] - 1) for r in seen
            ]
            frames.append(draw_boxes(frame.rgb, boxes))
    return strip(frames)


def score_figure(rows: pd.DataFrame, *, lost: float | None = None, found: float | None = None) -> Any:
    """The score over time; grey where the object is lost, dashed lines at the thresholds."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(11, 2.8), layout="constrained")
    axis.plot(rows["frame"], rows["score"], color=colour(5), lw=1.5)
    for first, last in _runs(rows["xmin"].isna().tolist()):
        axis.axvspan(first - 0.5, last + 0.5, color="0.85", label=LOST if first == _first_lost(rows) else None)
    for name, value in (("lost", lost), ("found", found)):
        if value is not None:
            axis.axhline(value, ls="--", lw=1, color=colour(3 if name == "lost" else 2), label=f"{name} at {value:.2f}")
    axis.set(xlabel="frame", ylabel="score", ylim=(0, 1.02), xlim=(0, len(rows) - 1))
    axis.legend(loc="lower left", fontsize=8)
    plt.close(figure)
    return figure


def _thick(rgb: Image) -> int:
    """Pixels of a line."""
    return max(round(rgb.shape[1] / 400), 2)


def _first_lost(rows: pd.DataFrame) -> int:
    return int(rows["xmin"].isna().to_numpy().argmax())


def _runs(flags: list[bool]) -> Iterator[tuple[int, int]]:
    """First and last index of every run of True."""
    start = None
    for index, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = index
        if not flag and start is not None:
            yield start, index - 1
            start = None


def _label(draw: Any, corner: tuple[float, float], text: str, shade: str, thick: int) -> None:
    if not text:
        return
    size = 7 * thick
    left, top, right, bottom = draw.textbbox(corner, text, font_size=size, anchor="lb")
    draw.rectangle((left - 2, top - 2, right + 2, bottom + 1), fill=shade)
    draw.text(corner, text, fill=ink(shade), font_size=size, anchor="lb")


def _small(picture: Any, width: int, palette: bool = True) -> Any:
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)))
    return picture.quantize(128) if palette else picture
