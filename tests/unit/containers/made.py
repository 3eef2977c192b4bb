"""Made-up manifests, pictures and jobs for the tests of the images' programs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lab_utils.tracking import write_annotations, write_video
from lab_utils.tracking.clips import COLUMNS

Box = tuple[int, float, float, float, float]  # class id, left, top, width, height


def manifest_line(name: str, boxes: Sequence[Box], size: tuple[int, int], classes: Sequence[str]) -> dict[str, Any]:
    """One line of an augmented manifest."""
    keys = ("class_id", "left", "top", "width", "height")
    return {
        "source-ref": f"s3://bucket/prefix/training/{name}",
        "signals": {
            "image_size": [{"width": size[0], "height": size[1], "depth": 3}],
            "annotations": [dict(zip(keys, box, strict=True)) for box in boxes],
        },
        "signals-metadata": {
            "class-map": {str(i): name for i, name in enumerate(classes)},
            "type": "groundtruth/object-detection",
        },
    }


def configure(base: Path, **files: Any) -> None:
    """Write input/config/<name>.json."""
    for name, content in files.items():
        (base / f"input/config/{name}.json").write_text(json.dumps(content))


def write_squares(base: Path, split: str, count: int, seed: int = 0) -> None:
    """A channel of `count` dark pictures 96x64: a bright square or a bright bar on each but the first."""
    rng = np.random.default_rng(seed)
    folder, annotation = base / "input/data" / split, base / "input/data/annotation"
    folder.mkdir(parents=True)
    annotation.mkdir(exist_ok=True)
    lines = []
    for number in range(count):
        pixels = rng.integers(0, 40, (64, 96, 3), dtype=np.uint8)
        boxes = []
        if number:
            class_id = number % 2
            width, height = ((16, 16), (32, 10))[class_id]
            left, top = int(rng.integers(0, 96 - width)), int(rng.integers(0, 64 - height))
            pixels[top : top + height, left : left + width] = 230
            boxes = [(class_id, left, top, width, height)]
        Image.fromarray(pixels).save(folder / f"{number}.png")
        lines.append(json.dumps(manifest_line(f"{number}.png", boxes, (96, 64), ["square", "bar"])))
    (annotation / f"{split}.manifest").write_text("\n".join(lines))


def write_clips(folder: Path, count: int, seed: int = 0, frames: int = 24) -> None:
    """Clips 160x120 of a bright box with a dark bar that drifts over noise and is gone in frames 10 to 13."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        background = rng.integers(0, 90, (120, 160, 3), np.uint8)
        place, step, colour = rng.uniform(20, 60, 2), rng.uniform(-1, 2, 2), rng.integers(120, 255, 3)
        pictures, rows = [], []
        for frame in range(frames):
            left, top = (int(value) for value in np.clip(place + frame * step, 0, (142, 96)))
            picture = background.copy()
            if frame not in range(10, 14):
                picture[top : top + 24, left : left + 18] = colour
                picture[top + 4 : top + 10, left + 4 : left + 14] = 255 - colour
                rows.append((frame, 1, 0, left, top, 18, 24, 1.0))
            pictures.append(picture)
        write_video(folder / f"{number}.mp4", pictures)
        write_annotations(folder / f"{number}.csv", pd.DataFrame(rows, columns=COLUMNS))
