"""Checks of the model: its parts against each other, against the checkpoint, sizes and thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab_utils.tfod.finding import Context, Finding
from lab_utils.tfod.textproto import Message, Name

_RESNETS = ("resnet50", "resnet101", "resnet152")
# model_builder.py of TFOD 2.8, under TensorFlow 2
EXTRACTORS = {
    "ssd": {
        "ssd_mobilenet_v1_keras",
        "ssd_mobilenet_v1_fpn_keras",
        "ssd_mobilenet_v2_keras",
        "ssd_mobilenet_v2_fpn_keras",
        *(f"ssd_{name}_v1_fpn_keras" for name in _RESNETS),
        *(f"ssd_efficientnet-b{i}_bifpn_keras" for i in range(8)),
    },
    "faster_rcnn": {
        "faster_rcnn_inception_resnet_v2_keras",
        *(f"faster_rcnn_{name}{fpn}_keras" for name in _RESNETS for fpn in ("", "_fpn")),
    },
}
_EFFICIENTDET = (512, 640, 768, 896, 1024, 1280, 1280, 1536)  # sides of D0 to D7, arXiv 1911.09070
_BACKBONES = ("mobilenet_v1", "mobilenet_v2", "inception_resnet_v2", *_RESNETS)
_TYPES = ("classification", "detection", "full")
_RESIZERS = ("fixed_shape_resizer", "keep_aspect_ratio_resizer")


def check(context: Context) -> Iterator[Finding]:
    """Everything about the model."""
    if not context.kind:
        yield context.finding("error", "model", "no kind of model", f"one of {', '.join(EXTRACTORS)}")
    if context.kind not in EXTRACTORS:  # CenterNet and others are built of other parts
        return
    model = f"model.{context.kind}"
    if context.number(f"{model}.num_classes", 0) < 1:
        yield context.finding("error", f"{model}.num_classes", "a model without classes", "the number of classes")
    yield from _extractor(context, f"{model}.feature_extractor")
    yield from _checkpoint(context, f"{model}.feature_extractor.type")
    yield from _size(context, f"{model}.image_resizer")
    for stage in ("post_processing", "second_stage_post_processing"):
        if context.config.find(f"{model}.{stage}"):
            yield from _scores(context, f"{model}.{stage}")
    yield from _evaluation(context)


def _extractor(context: Context, path: str) -> Iterator[Finding]:
    name = context.text(f"{path}.type")
    if name not in EXTRACTORS[context.kind] | context.extractors:
        other = [kind for kind, names in EXTRACTORS.items() if name in names]
        keras = f"{name}_keras" in EXTRACTORS[context.kind]
        problem = f"no feature extractor of {context.kind} in TensorFlow 2: TFOD stops"
        problem += ", it is one of TensorFlow 1" * keras
        fix = (
            f"{name}_keras" if keras else f"model {{ {other[0]} {{ ... }} }}" if other else _nearest(context.kind, name)
        )
        yield context.finding("error", f"{path}.type", problem, fix)
    is_bifpn = "_bifpn_" in name
    for part, fits in (("bifpn", is_bifpn), ("fpn", not is_bifpn and "_fpn_" in name)):
        if context.config.find(f"{path}.{part}") and not fits:
            yield context.finding("error", f"{path}.{part}", f"{name} has no such pyramid: TFOD stops", "take it away")
    if not is_bifpn and context.kind == "ssd":
        yield from _left_over(context, path, name)


def _left_over(context: Context, path: str, name: str) -> Iterator[Finding]:
    """What a configuration of EfficientDet leaves behind when its backbone alone is replaced."""
    activation = f"{path}.conv_hyperparams.activation"
    if context.config.get(activation) == "SWISH":
        yield context.finding("warning", activation, f"EfficientDet's; {name} was made with another", "RELU_6")
    coder = "model.ssd.box_coder.faster_rcnn_box_coder"
    scales = [
        context.number(f"{coder}.{side}_scale", d) for side, d in (("y", 10), ("x", 10), ("height", 5), ("width", 5))
    ]
    if scales == [1, 1, 1, 1]:
        problem = f"EfficientDet's scales; {name}'s detection checkpoints have others"
        fix = "y_scale: 10 x_scale: 10 height_scale: 5 width_scale: 5"
        yield context.finding("warning", f"{coder}.y_scale", problem, fix)


def _nearest(kind: str, name: str) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, EXTRACTORS[kind], n=1, cutoff=0)
    return found[0] if found else f"one of {', '.join(sorted(EXTRACTORS[kind]))}"


def _checkpoint(context: Context, path: str) -> Iterator[Finding]:
    """Kind and version of the checkpoint, and its model, as the zoo's names tell it."""
    checkpoint = context.text("train_config.fine_tune_checkpoint")
    if not checkpoint:
        return
    if str(context.config.get("train_config.fine_tune_checkpoint_version", "V1")) not in ("V2", "2"):
        problem = "TensorFlow 2 reads V2 alone, and V1 is the default: TFOD stops"
        yield context.finding("error", "train_config.fine_tune_checkpoint_version", problem, "V2", "V1")
    type_path = "train_config.fine_tune_checkpoint_type"
    old = context.config.get("train_config.from_detection_checkpoint") is True
    kind = context.config.get(type_path) or ("detection" if old else "classification")
    if kind not in _TYPES:
        yield context.finding("error", type_path, "no such type: TFOD stops", f"one of {', '.join(_TYPES)}")
    theirs, ours = _model_of(checkpoint), _model_of(context.text(path))
    if theirs[0] and kind == "classification":
        problem = "the checkpoint is a detector's: as a classifier's it does not match, and TFOD stops"
        yield context.finding("error", type_path, problem, '"detection"', kind)
    if theirs[1] and not theirs[0] and kind in ("detection", "full"):
        problem = "the checkpoint is a classifier's: as a detector's it does not match, and TFOD stops"
        yield context.finding("error", type_path, problem, '"classification"', kind)
    if any(a and b and a != b for a, b in zip(theirs, ours, strict=True)):
        problem = f"the model is {_told(ours)}, the checkpoint of {_told(theirs)}: TFOD stops"
        fix = "a checkpoint of this very model"
        yield context.finding("error", "train_config.fine_tune_checkpoint", problem, fix)


def _model_of(name: str) -> tuple[str, str, str]:
    """Kind of detector, backbone, pyramid or none, as a path of the zoo or an extractor's name tells; "": unknown."""
    text = name.lower().replace("resnet_v1_", "resnet")
    if found := re.search(r"efficientdet_d(\d)|efficientnet-b(\d)_bifpn", text):
        return "ssd", f"efficientnet-b{found[1] or found[2]}", "a pyramid"
    kind = next((k for k in ("faster_rcnn", "mask_rcnn", "centernet", "ssd") if f"{k}_" in text), "")
    backbone = next((b for b in _BACKBONES if b in text), "")
    if found := re.search(r"efficientnet[-_]b(\d)", text):
        backbone = f"efficientnet-b{found[1]}"
    return kind, backbone, ("a pyramid" if "fpn" in text else "no pyramid") if kind and backbone else ""


def _told(model: tuple[str, str, str]) -> str:
    kind, backbone, pyramid = model
    return " ".join(filter(None, (kind, backbone, pyramid and f"with {pyramid}")))


def _size(context: Context, path: str) -> Iterator[Finding]:
    kind = next((name for name in _RESIZERS if context.config.find(f"{path}.{name}")), "")
    low, high = ("height", "width") if kind == _RESIZERS[0] else ("min_dimension", "max_dimension")
    default = (300, 300) if kind == _RESIZERS[0] else (600, 1024)
    if not kind:
        if not context.config.find(path):
            yield context.finding(
                "error", path, "no size of the input", "fixed_shape_resizer { height: 640 width: 640 }"
            )
        return
    sides = {
        f"{path}.{kind}.{n}": int(context.number(f"{path}.{kind}.{n}", d))
        for n, d in zip((low, high), default, strict=True)
    }
    for side_path, side in sides.items():
        if side < 32:
            yield context.finding("error", side_path, "smaller than the model's coarsest cell", "320 or more", side)
        elif context.kind == "ssd" and side % 32:
            fix = str(max(round(side / 32), 1) * 32)
            yield context.finding("warning", side_path, "no multiple of 32: the borders are padded", fix, side)
    (low_path, least), (_, most) = sides.items()
    if kind == _RESIZERS[1]:
        yield from _aspect_ratio(context, f"{path}.{kind}", least, most)
    yield from _efficientdet_size(context, low_path, max(least, most))
    yield from _cropped_size(context, (least, most))


def _aspect_ratio(context: Context, path: str, least: int, most: int) -> Iterator[Finding]:
    if least > most:
        yield context.finding("error", f"{path}.min_dimension", f"above max_dimension, {most}", str(most), least)
    batch = context.number("train_config.batch_size", 32)
    if context.config.get(f"{path}.pad_to_max_dimension") is not True and batch > 1:
        problem = f"images of several sizes do not fit into one batch of {batch}: TFOD stops"
        yield context.finding("error", f"{path}.pad_to_max_dimension", problem, "true", "false")


def _efficientdet_size(context: Context, path: str, side: int) -> Iterator[Finding]:
    found = re.fullmatch(r"ssd_efficientnet-b(\d)_bifpn_keras", context.text("model.ssd.feature_extractor.type"))
    if found and side != _EFFICIENTDET[int(found[1])]:
        wanted = _EFFICIENTDET[int(found[1])]
        yield context.finding("warning", path, f"EfficientDet D{found[1]} is made for {wanted}", str(wanted), side)


def _cropped_size(context: Context, sides: tuple[int, int]) -> Iterator[Finding]:
    """An augmentation that makes squares, against the size they are then resized to."""
    train = context.config.get("train_config")
    for option in train.all("data_augmentation_options") if isinstance(train, Message) else []:
        name = "random_scale_crop_and_pad_to_square"
        found = option.value.find(f"{name}.output_size") if isinstance(option.value, Message) else None
        if found and found.value not in sides:
            path = f"train_config.data_augmentation_options.{name}.output_size"
            problem = f"is then resized to {sides[1]}: what it cropped is seen at another scale than in evaluation"
            yield Finding("warning", path, str(found.value), problem, str(sides[1]), found.line)


def _scores(context: Context, path: str) -> Iterator[Finding]:
    nms = f"{path}.batch_non_max_suppression"
    score, overlap = context.number(f"{nms}.score_threshold", 0.0), context.number(f"{nms}.iou_threshold", 0.6)
    if not 0 <= score < 1:
        yield context.finding("error", f"{nms}.score_threshold", "no score is above it", "1e-8", score)
    elif score > 0.05:
        problem = "detections below it are missing from the precision-recall curve: AP comes out too low"
        yield context.finding("warning", f"{nms}.score_threshold", problem, "1e-8, and choose a threshold when serving")
    if not 0 < overlap <= 1:
        yield context.finding("error", f"{nms}.iou_threshold", "no overlap", "0.5", overlap)
    each, total = (context.number(f"{nms}.max_{n}", 100) for n in ("detections_per_class", "total_detections"))
    if total < each:
        problem = f"below max_detections_per_class, {each:g}, which is then of no use"
        yield context.finding("warning", f"{nms}.max_total_detections", problem, f"{each:g} or more")
    converter = context.config.get(f"{path}.score_converter", Name("IDENTITY"))
    if converter == "IDENTITY":
        fix = "SOFTMAX" if context.kind == "faster_rcnn" else "SIGMOID"
        yield context.finding("warning", f"{path}.score_converter", "scores are no probabilities", fix, "IDENTITY")


def _evaluation(context: Context) -> Iterator[Finding]:
    threshold = context.number("eval_config.min_score_threshold", 0.5)
    if not 0 <= threshold < 1:
        yield context.finding("error", "eval_config.min_score_threshold", "no detection is drawn", "0.5")
