"""The families' pipeline.configs as text: the Object Detection API's own models with the zoo's settings."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from detection.anchors import Anchors

from .names import STRIDES

FOLDER = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Family:
    """A template in models/ and its values; `rate` at the zoo's `batch`.

    `side` is the input's in pixels by default; others are `least` or more, in steps of `multiple`.
    """

    template: str
    side: int
    least: int
    multiple: int
    rate: float
    batch: int
    optimizer: str
    values: dict[str, str]

    def lr(self, batch_size: int) -> float:
        """The zoo's learning rate for another batch size, in proportion (arXiv 1706.02677)."""
        return self.rate * batch_size / self.batch


def _read() -> dict[str, Family]:
    entries = tomllib.loads((FOLDER / "families.toml").read_text(encoding="utf-8"))
    return {name: Family(**_entry(entries, name)) for name in entries}


def _entry(entries: dict[str, Any], name: str) -> dict[str, Any]:
    own = dict(entries[name])
    first = _entry(entries, own.pop("like")) if "like" in own else {}
    return {**first, **own, "values": {**first.get("values", {}), **own.get("values", {})}}


ALL = _read()


def text(name: str, classes: int, size: tuple[int, int], fitted: Anchors | None = None) -> str:
    """The family's pipeline.config without paths, for pictures resized to `size` = (width, height) in pixels.

    Args: `fitted` are anchors in resized pixels, one list for each of STRIDES; the small family needs them.
    """
    family = ALL[name]
    values = {**family.values, "classes": str(classes), "width": str(size[0]), "height": str(size[1])}
    if fitted:
        values["anchors"] = anchors(fitted)
    return f"model {{\n{_filled(family.template, values)}}}\n" + _filled("train", {"optimizer": family.optimizer})


def anchors(fitted: Anchors) -> str:
    """Anchors fitted to the boxes; the API's aspect ratio is width / height."""
    grids = zip(STRIDES, fitted.sizes, fitted.ratios, strict=True)
    return f"flexible_grid_anchor_generator {{ {' '.join(_grid(*grid) for grid in grids)} }}"


def _grid(stride: int, sizes: list[float], ratios: list[float]) -> str:
    offset = stride // 2
    return (
        f"anchor_grid {{ base_sizes: {sizes} aspect_ratios: {[round(1 / ratio, 4) for ratio in ratios]}"
        f" height_stride: {stride} width_stride: {stride} height_offset: {offset} width_offset: {offset} }}"
    )


def _filled(template: str, values: dict[str, str]) -> str:
    return Template((FOLDER / f"{template}.pbtxt").read_text(encoding="utf-8")).substitute(values)
