"""Several trackers' boxes in the same frames, to see which lost the object where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lab_utils.tracking.clips import XYWH
from lab_utils.tracking.draw import LOST, draw_boxes, strip
from lab_utils.tracking.tracker import Box
from lab_utils.tracking.video import Image, Video


def track_strip(video: str | Path, tracks: Mapping[str, pd.DataFrame], count: int = 8) -> Any:
    """Frames of a video, even over its length, with each tracker's box in its own colour, as one picture.

    Args:
        video: the video.
        tracks: tracker's name -> its rows as `draw.row` gives them; NaN where it took the object for lost.
        count: number of frames.
    """
    tables = {name: table.set_index("frame")[XYWH] for name, table in tracks.items()}
    last = max(int(table.index.max()) for table in tables.values())
    picks = set(np.linspace(0, last, count).round().astype(int).tolist())
    frames = (_drawn(frame.rgb, index, tables) for index, frame in enumerate(Video.open(video)) if index in picks)
    return strip(frames)


def _drawn(rgb: Image, index: int, tables: Mapping[str, pd.DataFrame]) -> Image:
    boxes: list[tuple[Box, str, int]] = []
    for number, (name, table) in enumerate(tables.items()):
        left, top, width, height = map(float, table.loc[index])
        if np.isnan(left):  # said in a corner, a line for each
            boxes.append(((4.0, rgb.shape[0] - 8.0 - 22 * number, 0.0, 0.0), f"{name} {LOST}", number))
        else:
            boxes.append(((left, top, width, height), name, number))
    return draw_boxes(rgb, boxes)
