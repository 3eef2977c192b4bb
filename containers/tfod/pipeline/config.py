"""The job's pipeline.config: a family's or the user's own, then the arguments, then --override, then the paths."""

import argparse
import math
from pathlib import Path
from typing import Any

from detection.anchors import Anchors, class_balance, fit
from detection.augment import resized
from detection.datasets import Data
from google.protobuf import text_format
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig
from sagemaker_contract import UserError

from . import families
from .channels import Channels
from .names import SMALL, STRIDES

Size = tuple[int, int]


def build(
    arguments: argparse.Namespace, channels: Channels, earlier: TrainEvalPipelineConfig | None
) -> tuple[TrainEvalPipelineConfig, Anchors | None]:
    """The configuration, and the anchors that were fitted to the boxes if they were.

    Args: `earlier` is the configuration that the first weights belong to; the small family keeps its anchors.
    Raises UserError.
    """
    data, fitted = channels.data, None
    if arguments.pipeline_config:
        config = _own(arguments)
    else:
        size = input_size(arguments, data)
        if arguments.model == SMALL:
            fitted = _fitted(arguments, data, size)
        config = parse(families.text(arguments.model, len(data.classes), size, fitted), arguments.model)
        if fitted and earlier and earlier.model.ssd.anchor_generator.HasField("flexible_grid_anchor_generator"):
            config.model.ssd.anchor_generator.CopyFrom(earlier.model.ssd.anchor_generator)
            fitted = None
        _augment(config, arguments, data)
    _schedule(config, arguments)
    merge(config, arguments.override, "--override")
    _paths(config, channels)
    check(config, len(data.classes))
    return config, fitted


def parse(text: str, where: str) -> TrainEvalPipelineConfig:
    """A configuration from its text. Raises UserError."""
    config = TrainEvalPipelineConfig()
    merge(config, text, where)
    return config


def merge(config: TrainEvalPipelineConfig, text: str, where: str) -> None:
    """Set the fields that the text names; what it says of a repeated field is added. Raises UserError."""
    try:
        text_format.Merge(text, config)
    except text_format.ParseError as error:
        raise UserError(f"{where}: not the text of a pipeline.config ({error})") from error


def read(path: Path) -> TrainEvalPipelineConfig:
    """A configuration from a file. Raises UserError."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable ({error})") from error


def model_of(config: TrainEvalPipelineConfig) -> Any:
    """The part that is of one kind of model: `ssd` or `faster_rcnn`. Raises UserError for another."""
    kind = config.model.WhichOneof("model")
    if kind not in ("ssd", "faster_rcnn"):
        raise UserError(f"pipeline.config: a model of kind {kind}, this program trains ssd and faster_rcnn")
    return getattr(config.model, kind)


def check(config: TrainEvalPipelineConfig, classes: int) -> None:
    """Raises UserError where the configuration and the label map disagree."""
    own = model_of(config).num_classes
    if own != classes:
        raise UserError(f"pipeline.config: num_classes {own}, the label map has {classes}")


def windowed(config: TrainEvalPipelineConfig, window: float) -> TrainEvalPipelineConfig:
    """The configuration for training on windows of the pictures, of the share `window` of their sides.

    Objects keep their size in pixels, so that a network without fully connected layers learns for the whole picture
    what it sees in windows, at a fraction of the time.
    """
    made = TrainEvalPipelineConfig()
    made.CopyFrom(config)
    if window < 1:
        kind = model_of(made).image_resizer
        resizer = getattr(kind, kind.WhichOneof("image_resizer_oneof"))
        fixed = kind.HasField("fixed_shape_resizer")
        for side in ("width", "height") if fixed else ("min_dimension", "max_dimension"):
            setattr(resizer, side, _multiple(getattr(resizer, side) * window, STRIDES[-1] if fixed else 128))
    return made


def input_size(arguments: argparse.Namespace, data: Data) -> Size:
    """Width and height of the network's input in pixels."""
    side = arguments.image_size or families.ALL[arguments.model].side
    if isinstance(side, tuple):
        return side
    if arguments.model != SMALL:
        return side, side
    first = data.training[0]
    width, height = resized(first["width"], first["height"], side, side)
    return _multiple(width), _multiple(height)


def _multiple(side: float, step: int = STRIDES[-1]) -> int:
    """The nearest multiple of a pyramid's coarsest stride, at least two: MobileNet takes no less than 33 pixels."""
    return max(2 * step, round(side / step) * step)


def _own(arguments: argparse.Namespace) -> TrainEvalPipelineConfig:
    path = arguments.training_channel / arguments.pipeline_config
    config = read(path)
    if arguments.image_size:
        _resize(model_of(config).image_resizer, arguments.image_size)
    return config


def _resize(resizer: Any, size: int | Size) -> None:
    width, height = size if isinstance(size, tuple) else (size, size)
    if resizer.WhichOneof("image_resizer_oneof") == "keep_aspect_ratio_resizer":
        resizer.keep_aspect_ratio_resizer.min_dimension = min(width, height)
        resizer.keep_aspect_ratio_resizer.max_dimension = max(width, height)
    else:
        resizer.fixed_shape_resizer.width, resizer.fixed_shape_resizer.height = width, height


def _fitted(arguments: argparse.Namespace, data: Data, size: Size) -> Anchors:
    sides, class_ids = data.box_sides(lambda width, height: size)
    return fit(sides, class_balance(class_ids), len(STRIDES), arguments.anchors_per_level, arguments.seed)


def _augment(config: TrainEvalPipelineConfig, arguments: argparse.Namespace, data: Data) -> None:
    add = config.train_config.data_augmentation_options.add
    if arguments.flip in ("horizontal", "both"):
        add().random_horizontal_flip.SetInParent()
    if arguments.flip in ("vertical", "both"):
        add().random_vertical_flip.SetInParent()
    if arguments.window < 1:
        first = data.training[0]
        ratio = first["width"] / first["height"]  # a window of other proportions would be squeezed into them
        area = arguments.window**2
        crop = {"min_aspect_ratio": 0.9 * ratio, "max_aspect_ratio": 1.1 * ratio, "min_area": 0.7 * area}
        crop |= {"max_area": min(1.0, 1.4 * area), "min_object_covered": 0.9, "overlap_thresh": 0.7, "random_coef": 0.0}
        add(random_crop_image=crop)
    if arguments.colour_jitter:
        jitter = arguments.colour_jitter
        add().random_adjust_brightness.max_delta = jitter / 2
        for name in ("contrast", "saturation"):
            option = getattr(add(), f"random_adjust_{name}")
            option.min_delta, option.max_delta = 1 - jitter, 1 + jitter


def _schedule(config: TrainEvalPipelineConfig, arguments: argparse.Namespace) -> None:
    """Steps, batch size and rate; with a cosine, as in all families, its length follows the steps."""
    train = config.train_config
    train.num_steps = arguments.num_steps or train.num_steps or 400
    train.batch_size = arguments.batch_size or train.batch_size or 8
    optimizer = train.optimizer
    if optimizer.WhichOneof("optimizer") is None:
        raise UserError("pipeline.config: train_config has no optimizer")
    rate = getattr(optimizer, optimizer.WhichOneof("optimizer")).learning_rate
    if arguments.pipeline_config and not arguments.lr:
        return
    lr = arguments.lr or families.ALL[arguments.model].lr(train.batch_size)
    cosine = rate.cosine_decay_learning_rate
    cosine.learning_rate_base, cosine.total_steps = lr, train.num_steps
    cosine.warmup_steps = min(train.num_steps - 1, math.ceil(arguments.warm_up * train.num_steps))
    cosine.warmup_learning_rate = lr / 10


def _paths(config: TrainEvalPipelineConfig, channels: Channels) -> None:
    readers = [config.train_input_reader, *(config.eval_input_reader or [config.eval_input_reader.add()])]
    for reader, files in zip(readers, (channels.training, channels.validation), strict=False):
        reader.label_map_path = str(channels.labels)
        reader.tf_record_input_reader.input_path[:] = [str(file) for file in files]
    records = channels.data.training
    most = max(1, *(len(record["annotations"]) for record in records))
    config.train_config.max_number_of_boxes = config.train_input_reader.max_number_of_boxes = most
    config.train_config.unpad_groundtruth_tensors = False  # the padding's boxes have weight 0
