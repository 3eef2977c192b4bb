"""The training program's arguments: names, aliases, defaults, and what is refused before any training."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from detection.argument_types import effective
from detector import arguments, zoo
from sagemaker_contract import Environment, UserError

JOB = Environment(base=Path("/base"), channels={"training": Path("/t"), "annotation": Path("/a")})


def parse(*argv: str, **hyperparameters: str) -> argparse.Namespace:
    return arguments.parse(replace(JOB, hyperparameters=hyperparameters), argv)


def test_defaults_train_a_small_model_on_the_jobs_channels() -> None:
    parsed = parse()
    assert (parsed.model_type, parsed.backbone, parsed.weights) == ("retinanet", "small_fpn", "")
    assert (parsed.training_channel, parsed.annotation_channel) == (Path("/t"), Path("/a"))
    assert parsed.validation_channel is None
    assert parsed.model_dir == Path("/base/model")


def test_hyperparameters_are_read_as_the_sdk_sends_them_and_the_command_line_wins() -> None:
    parsed = parse("--lr=0.5", lr="0.1", model_type='"faster_rcnn"', classes='["a b", "c"]', num_iter="9")
    assert (parsed.lr, parsed.model_type, parsed.classes, parsed.num_iter) == (0.5, "faster_rcnn", ["a b", "c"], 9)


@pytest.mark.parametrize(
    ("old", "value", "name", "expected"),
    [
        ("--num-rpn", "517", "roi_batch_size", 517),
        ("--det-per-img", "300", "detections_per_image", 300),
        ("--nms-thr", "0.2", "nms_threshold", 0.2),
        ("--pred-thr", "0.1", "score_threshold", 0.1),
        ("--bbox-reg-loss-weight", "0.4", "rpn_box_loss_weight", 0.4),
        ("--bbox-rpn-pos-fraction", "0.4", "rpn_positive_fraction", 0.4),
        ("--bbox-head-pos-fraction", "0.2", "roi_positive_fraction", 0.2),
        ("--label-name", "sku", "label_attribute", "sku"),
        ("--lr-schedule", "3", "zoo_schedule", "3x"),
    ],
)
def test_names_that_mislead_have_an_honest_one(old: str, value: str, name: str, expected: Any) -> None:
    assert getattr(parse(old, value), name) == expected


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--backbone=R_101_C4", "--model-type=retinanet"], "valid: faster_rcnn small_fpn.*retinanet R_101_FPN 3x"),
        (["--backbone=R_101_FPN", "--zoo-schedule=1"], "no retinanet with backbone R_101_FPN"),
        (["--model-type=yolo"], "faster_rcnn.*retinanet"),
        (["--num-iter=0"], "0 is not above 0"),
        (["--lr=abc"], "--lr"),
        (["--lr=inf"], "inf is not above 0"),
        (["--crop=20"], "20 is not fitted, 0, or 64 or more"),
        (["--nms-threshold=1.5"], "not within 0 to 1"),
        (["--classes=a,b"], "JSON list of strings"),
        (["--unknown=1"], "--unknown"),
        (["--num-it=5"], "--num-it"),
        (["--weights=zoo"], "no weights for small_fpn"),
        (["--weights=https://x/y.pth"], "--weights-sha256"),
        (["--zoo-schedule=2"], "not 1 or 3"),
    ],
)
def test_mistakes_are_named(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(*argv)


@pytest.mark.parametrize(("key", "backbones"), zoo.BACKBONES.items())
def test_every_backbone_of_the_zoo_is_taken_and_has_weights(key: tuple[str, str], backbones: tuple[str, ...]) -> None:
    model_type, schedule = key
    for backbone in backbones:
        parsed = parse(f"--model-type={model_type}", f"--backbone={backbone}", f"--zoo-schedule={schedule}")
        assert parsed.zoo_schedule == schedule
        assert zoo.weights_url(model_type, backbone, schedule).startswith(f"{zoo.URL}/{model_type}_{backbone}")


def test_hosts_can_be_named() -> None:
    environment = effective(JOB, parse('--hosts=["b", "a"]', "--current-host=b"))
    assert (environment.hosts, environment.host_rank) == (("a", "b"), 1)
    assert effective(JOB, parse()) == JOB
    with pytest.raises(UserError, match="c is not among the hosts algo-1"):
        effective(JOB, parse("--current-host=c"))


def test_sizes_and_rate_follow_the_backbone_unless_given() -> None:
    small, zoos = parse(), parse("--model-type=faster_rcnn", "--backbone=R_101_FPN", "--lr=0.5")
    assert (small.lr, small.longest_side, small.crop) == (0.003, 640, "fitted")
    assert (zoos.lr, zoos.longest_side, zoos.crop) == (0.5, 1333, 0)
