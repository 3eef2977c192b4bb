"""Frames of clips as pictures for a detector."""

from pathlib import Path

import numpy as np
import pandas as pd

from lab_utils.tracking import Clip, write_annotations, write_video
from lab_utils.tracking.clips import COLUMNS
from lab_utils.tracking.stills import still_frames

from . import videos


def make(path: Path, frames: int = 9) -> Clip:
    """Object 1 is seen in all frames, a third of object 2 from frame 4 on, the whole of it in the last."""
    path.parent.mkdir()
    write_video(path, (videos.square(i, (20 + i, 40)) for i in range(frames)), quality=10)
    rows: list[tuple[float, ...]] = [(i, 1, 5, 20 + i, 40, 24, 24, 1) for i in range(frames)]
    rows += [(i, 2, 3, 90, 60, 10, 20, 0.33 if i < frames - 1 else 1) for i in range(4, frames)]
    write_annotations(path.with_suffix(".csv"), pd.DataFrame(rows, columns=COLUMNS))
    return Clip(path)


def test_pictures_and_boxes_are_those_of_the_frames(tmp_path: Path) -> None:
    clips = [(make(tmp_path / "a" / "c.mp4"), 3), (make(tmp_path / "b" / "c.mp4"), 2)]
    data = still_frames(clips, tmp_path / "out", [f"class {i}" for i in range(7)])
    assert data.images["file_name"].tolist() == [f"a_c_000{i}.jpg" for i in (0, 4, 8)] + [
        "b_c_0000.jpg",
        "b_c_0008.jpg",
    ]
    assert data.images["group"].nunique() == 2
    assert data.boxes_of(1)[["class_id", "xmin", "ymin", "width", "height"]].to_numpy().tolist() == [
        [5, 24, 40, 24, 24]
    ]
    assert data.boxes_of(2)["class_id"].tolist() == data.boxes_of(4)["class_id"].tolist() == [5, 3]
    picture = np.asarray(data.open_image(1), dtype=float)
    assert np.argmin([np.abs(picture - frame.rgb).mean() for frame in clips[0][0].video]) == 4


def test_a_clip_of_fewer_frames_gives_what_it_has(tmp_path: Path) -> None:
    assert len(still_frames([(make(tmp_path / "a" / "c.mp4", frames=2), 5)], tmp_path / "out", ["x"] * 7)) == 2
