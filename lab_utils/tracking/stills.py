"""Frames of clips as a data set of pictures, from which a detector learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lab_utils.dataset import DetectionDataset
from lab_utils.tracking.clips import XYWH, Clip

COLUMNS = ["image_id", "file_name", "width", "height", "group"]
LEAST_SEEN = 0.5  # share of an object below which it is not asked for
_QUALITY = 92  # of JPEG


def still_frames(
    clips: Sequence[tuple[Clip, int]], folder: str | Path, classes: Sequence[str], *, name: str = "stills"
) -> DetectionDataset:
    """Save frames of clips, even over their length, as JPEG files; all their objects are boxes.

    Args:
        clips: the clips and how many frames of each, at most. Each is a group: a split never parts its frames.
        folder: where the pictures go, `SET_CLIP_FRAME.jpg`, SET being the name of the clip's folder.
        classes: names of the clips' `class_id`.
        name: of the data set.

    Returns:
        Pictures and the boxes in them, without objects that are hidden by more than half.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images: list[tuple[Any, ...]] = []
    boxes: list[pd.DataFrame] = []
    for number, (clip, index, rgb) in enumerate(_chosen(clips)):
        file = f"{clip.path.parent.name}_{clip.name}_{index:04d}.jpg"
        _save(rgb, folder / file)
        images.append((number, file, rgb.shape[1], rgb.shape[0], f"{clip.path.parent.name}/{clip.name}"))
        seen = clip.annotations.query("frame == @index and visibility >= @LEAST_SEEN")
        boxes.append(seen[["class_id", *XYWH]].assign(image_id=number))
    return DetectionDataset.from_frames(
        pd.DataFrame(images, columns=COLUMNS), pd.concat(boxes, ignore_index=True), classes, root=folder, name=name
    )


def _chosen(clips: Sequence[tuple[Clip, int]]) -> Iterator[tuple[Clip, int, Any]]:
    for clip, count in clips:
        last = int(clip.annotations["frame"].max())
        picks = set(np.linspace(0, last, min(count, last + 1)).round().astype(int).tolist())
        yield from ((clip, index, frame.rgb) for index, frame in enumerate(clip.video) if index in picks)


def _save(rgb: Any, path: Path) -> None:
    from PIL import Image as pictures

    pictures.fromarray(rgb).save(path, "JPEG", quality=_QUALITY)
