"""A data set shaped like COCO's val2017, for machines without a network: the layout, and what is awkward about it.

`val2017/*.jpg` and `annotations/instances_val2017.json`: 80 categories with COCO's ids and gaps, fractional boxes,
crowd regions, images without objects, grayscale files, many sizes, few classes with many boxes. The objects are drawn
signs (`glyphs`), one for each category; what COCO shows in photographs, this does not. There are no segmentations, but
each object's true area. The pictures are this project's own and under its licence, MIT-0; COCO's images belong to
their photographers.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter
from tqdm.auto import tqdm

from lab_utils import atomic
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import ConfigError
from lab_utils.formats import coco
from lab_utils.formats.coco_classes import NAMES

from .generate import only_one, refuse_in_worker
from .glyphs import draw, outline

VERSION = 1
IMAGES, ANNOTATIONS = "val2017", "annotations/instances_val2017.json"
_LICENCE = {"id": 1, "name": "MIT-0", "url": "https://spdx.org/licenses/MIT-0.html"}
_SHAPES = ((640, 480), (480, 640), (640, 427), (427, 640), (500, 375), (612, 612))
_EMPTY, _GRAY, _CROWD = 0.03, 0.04, 0.06  # shares of images without objects, without colour, with a crowd region
_ATTEMPTS = 12


def generate(
    root: str | Path, *, images: int = 800, longest: int = 640, seed: int = 0, processes: int = 2, progress: bool = True
) -> DetectionDataset:
    """Render `images` pictures below `root`, or read them if they are there.

    The same arguments give the same pictures, and each picture is the same whatever their number. The annotations are
    written last, so that an interrupted run is never taken for a data set.

    Args:
        root: folder of the data set.
        longest: the longest side of a picture in pixels.

    Raises:
        ConfigError: an argument is out of range, or `root` holds annotations that were not generated.
    """
    for name, value, low in (("images", images, 1), ("longest", longest, 96)):
        if value < low:
            raise ConfigError(f"{name}={value}; expected at least {low}")
    refuse_in_worker(processes)
    root = Path(root)
    (root / IMAGES).mkdir(parents=True, exist_ok=True)
    made_from = {"version": VERSION, "images": images, "longest": longest, "seed": seed}
    with only_one(root):
        if not _is_complete(root, made_from):
            (root / ANNOTATIONS).unlink(missing_ok=True)
            _clear(root / IMAGES)
            _write(root, list(_render_all(root / IMAGES, images, longest, seed, processes, progress)), made_from)
    return coco.read(root / ANNOTATIONS)


def picture(index: int, longest: int = 640, seed: int = 0) -> tuple[Image.Image, list[dict[str, Any]]]:
    """Picture number `index`, RGB or L, and its annotations without ids."""
    rng = np.random.default_rng((seed, index))
    width, height = _SHAPES[rng.integers(len(_SHAPES))]
    scale = longest / 640
    canvas = backdrop(rng, (round(width * scale), round(height * scale)))
    kind = rng.random()
    found: list[dict[str, Any]] = []
    if kind >= _EMPTY:
        if kind < _EMPTY + _CROWD:
            found.append(_crowd(rng, canvas))
        for _ in range(1 + rng.poisson(5)):
            found += _object(rng, canvas, found)
    return (canvas.convert("L") if rng.random() < _GRAY else canvas), found


def backdrop(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Soft patches of muted colour, with grain."""
    patches = rng.integers(70, 190, (5, 6, 1)) + rng.integers(-28, 29, (5, 6, 3))
    soft = Image.fromarray(patches.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = rng.normal(0, 5, (size[1], size[0], 1))
    noisy = np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(noisy).filter(ImageFilter.GaussianBlur(0.6))


def _object(rng: np.random.Generator, canvas: Image.Image, others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw one sign where it covers none of the others; nothing where there is no room."""
    class_id = min(int(rng.exponential(26)), 79) if rng.random() < 0.75 else int(rng.integers(80))
    side = min(canvas.size) * float(np.exp(rng.uniform(np.log(0.07), np.log(0.55))))
    for _ in range(_ATTEMPTS):
        points = _placed(rng, canvas.size, class_id, side)
        box = _box(points)
        if not any(_touch(box, other["bbox"]) for other in others):
            draw(canvas, points, class_id)
            return [_annotation(class_id, box, _area(points))]
    return []


def _crowd(rng: np.random.Generator, canvas: Image.Image) -> dict[str, Any]:
    """Draw a dozen small signs of one category side by side, annotated as one region."""
    class_id = int(rng.integers(80))
    width, height = canvas.size
    size = np.array([width, height]) * rng.uniform(0.3, 0.5, 2)
    corner = rng.uniform(2, [width, height] - size - 2)
    signs = []
    for place in rng.uniform(0.15, 0.85, (14, 2)):
        points = outline(class_id) * min(size) * 0.13 + corner + place * size
        draw(canvas, points, class_id)
        signs.append(points)
    box = _box(np.concatenate(signs))
    return _annotation(class_id, box, min(sum(map(_area, signs)), box[2] * box[3]), crowd=1)


def _placed(rng: np.random.Generator, size: tuple[int, int], class_id: int, side: float) -> np.ndarray:
    """The outline, turned a little and stretched, at a place within the picture."""
    angle, stretch = rng.uniform(-0.3, 0.3), np.exp(rng.uniform(-0.25, 0.25))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (outline(class_id) * [stretch, 1 / stretch]) @ turn.T * (side / 2)
    low, high = points.min(axis=0), points.max(axis=0)
    return points - low + rng.uniform(2, np.maximum(np.array(size) - (high - low) - 2, 2.01))


def _box(points: np.ndarray) -> list[float]:
    low, high = points.min(axis=0), points.max(axis=0)
    return [round(float(value), 2) for value in (*low, *(high - low))]


def _area(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _touch(a: list[float], b: list[float]) -> bool:
    return all(a[i] < b[i] + b[i + 2] and b[i] < a[i] + a[i + 2] for i in (0, 1))


def _annotation(class_id: int, box: list[float], area: float, crowd: int = 0) -> dict[str, Any]:
    return {"category_id": list(NAMES)[class_id], "bbox": box, "area": round(area, 2), "iscrowd": crowd}


def _render_all(
    folder: Path, images: int, longest: int, seed: int, processes: int, progress: bool
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    render = partial(_render, folder=folder, longest=longest, seed=seed)
    bar = tqdm(total=images, desc="rendering", unit="image", disable=not progress)
    if processes == 1 or images < 200:
        for index in range(images):
            yield render(index)
            bar.update()
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for result in pool.map(render, range(images), chunksize=20):
                yield result
                bar.update()
    bar.close()


def _render(index: int, folder: Path, longest: int, seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    image, found = picture(index, longest, seed)
    name = f"{index + 1:012d}.jpg"
    image.save(folder / name, quality=88)
    return {"id": index + 1, "file_name": name, "width": image.width, "height": image.height, "license": 1}, found


def _write(root: Path, rendered: list[tuple[dict[str, Any], list[dict[str, Any]]]], made_from: dict[str, int]) -> None:
    found = [{"image_id": image["id"], **annotation} for image, part in rendered for annotation in part]
    content = {
        "info": {"description": "generated pictures in the shape of COCO's val2017", "made_from": made_from},
        "licenses": [_LICENCE],
        "images": [image for image, _ in rendered],
        "annotations": [{"id": i, **annotation} for i, annotation in enumerate(found, start=1)],
        "categories": [{"id": id_, "name": name} for id_, name in NAMES.items()],
    }
    atomic.write_json(root / ANNOTATIONS, content, indent=None)


def _is_complete(root: Path, made_from: dict[str, int]) -> bool:
    file = root / ANNOTATIONS
    if not file.exists():
        return False
    info = coco.info(file)
    if "made_from" not in info:
        raise ConfigError(f"{file}: a data set that was not generated; choose another folder")
    names = (root / IMAGES / f"{i + 1:012d}.jpg" for i in range(made_from["images"]))
    return info["made_from"] == made_from and all(name.is_file() for name in names)


def _clear(folder: Path) -> None:
    """Remove the pictures that an earlier call rendered."""
    for file in folder.glob("[0-9]" * 12 + ".jpg"):
        file.unlink()
