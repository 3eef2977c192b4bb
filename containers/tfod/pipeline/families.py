"""The families' pipeline.configs as text: the Object Detection API's own models with the zoo's settings."""

from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from detection.anchors import Anchors

from .names import SMALL, STRIDES

FOLDER = Path(__file__).parent / "models"
NORMAL = "random_normal_initializer { stddev: 0.01 }"
PYRAMID = (
    "multiscale_anchor_generator { min_level: 3 max_level: 7 anchor_scale: 4 aspect_ratios: [1, 2, 0.5]"
    " scales_per_octave: 2 }"
)
MOBILENET = {
    "extractor": "ssd_mobilenet_v2_fpn_keras",
    "multiplier": "1.0",
    "depthwise": "true",
    "first": "3",
    "last": "7",
    "channels": "128",
    "depth": "128",
    "layers": "4",
    "decay": "4e-5",
    "momentum": "0.997",
    "body_initializer": NORMAL,
    "head_initializer": NORMAL,
    "anchors": PYRAMID,
}
RESNET = {
    **MOBILENET,
    "extractor": "ssd_resnet50_v1_fpn_keras",
    "depthwise": "false",
    "channels": "256",
    "depth": "256",
    "decay": "4e-4",
    "body_initializer": "truncated_normal_initializer { stddev: 0.03 }",
}
CPU = {  # a third of the channels, three levels, norms that settle in a few hundred steps
    **MOBILENET,
    "multiplier": "0.35",
    "last": "5",
    "channels": "64",
    "depth": "64",
    "layers": "1",
    "momentum": "0.9",
    "body_initializer": "variance_scaling_initializer { factor: 2.0 mode: FAN_IN }",
    "head_initializer": "truncated_normal_initializer { stddev: 0.03 }",
}


@dataclass(frozen=True)
class Family:
    """A template in models/ and its values; `side` in pixels of the input, `rate` at the zoo's `batch`."""

    template: str
    side: int
    values: dict[str, str] = field(default_factory=dict)
    rate: float = 0.08
    batch: int = 128

    def lr(self, batch_size: int) -> float:
        """The zoo's learning rate for another batch size, in proportion (arXiv 1706.02677)."""
        return self.rate * batch_size / self.batch


def _efficientdet(number: int, side: int, filters: int, layers: int) -> Family:
    values = {"extractor": f"ssd_efficientnet-b{number}_bifpn_keras", "channels": str(filters), "layers": str(layers)}
    return Family("efficientdet", side, values)


def _faster_rcnn(depth: int) -> Family:
    return Family("faster_rcnn", 640, {"extractor": f"faster_rcnn_resnet{depth}_keras"}, rate=0.04, batch=64)


ALL = {
    SMALL: Family("ssd_fpn", 320, CPU, rate=0.002, batch=8),
    "ssd_mobilenet_v2_fpnlite_320": Family("ssd_fpn", 320, MOBILENET),
    "ssd_mobilenet_v2_fpnlite_640": Family("ssd_fpn", 640, MOBILENET),
    "ssd_resnet50_fpn_640": Family("ssd_fpn", 640, RESNET, rate=0.04, batch=64),
    "efficientdet_d0": _efficientdet(0, 512, 64, 3),
    "efficientdet_d1": _efficientdet(1, 640, 88, 4),
    "faster_rcnn_resnet50_640": _faster_rcnn(50),
    "faster_rcnn_resnet101_640": _faster_rcnn(101),
}


def text(name: str, classes: int, size: tuple[int, int], fitted: Anchors | None = None) -> str:
    """The family's pipeline.config without paths, for pictures resized to `size` = (width, height) in pixels.

    Args: `fitted` are anchors in resized pixels, one list for each of STRIDES; the small family needs them.
    """
    family = ALL[name]
    values = {**family.values, "classes": str(classes), "width": str(size[0]), "height": str(size[1])}
    if fitted:
        values["anchors"] = anchors(fitted)
    return f"model {{\n{_filled(family.template, values)}}}\n" + _filled("train", {"optimizer": _optimizer(name)})


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


def _optimizer(name: str) -> str:
    rate = "learning_rate { cosine_decay_learning_rate { } }"
    if name == SMALL:
        return f"adam_optimizer {{ epsilon: 1e-7 {rate} }}"
    return f"momentum_optimizer {{ momentum_optimizer_value: 0.9 {rate} }}"


def _filled(template: str, values: dict[str, str]) -> str:
    return Template((FOLDER / f"{template}.pbtxt").read_text(encoding="utf-8")).substitute(values)
