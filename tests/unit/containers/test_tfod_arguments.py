"""The TFOD training program's arguments, families and log lines: what needs no TensorFlow."""

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from detection import metric_lines
from detection.anchors import Anchors
from pipeline import arguments, families, metric_names, names
from sagemaker_contract import Environment, UserError

JOB = Environment(base=Path("/base"), channels={"training": Path("/t"), "annotation": Path("/a")})
METRICS = Path(metric_names.__file__).parents[1] / "metrics.json"
ANCHORS = Anchors([[8.0, 12.0]] * 3, [[1.0, 2.0]] * 3, 0.7)


def parse(*argv: str, **hyperparameters: str) -> argparse.Namespace:
    return arguments.parse(replace(JOB, hyperparameters=hyperparameters), argv)


def test_defaults_train_the_small_family_on_the_jobs_channels() -> None:
    parsed = parse()
    assert (parsed.model, parsed.num_steps, parsed.batch_size, parsed.lr) == (names.SMALL, None, None, None)
    assert (parsed.training_channel, parsed.annotation_channel) == (Path("/t"), Path("/a"))
    assert (parsed.model_dir, parsed.work_dir) == (Path("/base/model"), None)
    assert (parsed.quantize, parsed.inference_type) == (True, "QUANTIZED_UINT8")


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("num_steps", "100", "num_steps", 100),
        ("num_train_steps", "2000", "num_steps", 2000),
        ("quantize", "False", "quantize", False),
        ("image_size", "300", "image_size", 300),
        ("image_size", "512x320", "image_size", (512, 320)),
        ("inference_type", "FLOAT", "inference_type", "FLOAT"),
        ("sample_1_of_n_eval_examples", "3", "sample_1_of_n_eval_examples", 3),
        ("model_dir", "/opt/training", "work_dir", Path("/opt/training")),
        ("override", "train_config { batch_size: 3 }", "override", "train_config { batch_size: 3 }"),
        ("learning_rate", "0.01", "lr", 0.01),
        ("classes", '["a b", "c"]', "classes", ["a b", "c"]),
    ],
)
def test_hyperparameters_of_the_earlier_courses_and_typed_values(
    name: str, value: str, attribute: str, expected: Any
) -> None:
    assert getattr(parse(**{name: value}), attribute) == expected


def test_the_channels_may_have_their_old_names() -> None:
    old = {"train": Path("/t"), "val": Path("/v"), "checkpoint": Path("/c")}
    parsed = arguments.parse(replace(JOB, channels=old))
    assert [parsed.training_channel, parsed.validation_channel, parsed.model_channel] == list(old.values())


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--model=ssd_1"], "efficientdet_d1"),
        (["--model=efficientdet_d0", "--pipeline-config=x"], "--model and --pipeline-config exclude each other"),
        (["--window=0.5", "--pipeline-config=x"], "--window and --pipeline-config exclude each other"),
        (["--num-steps=0"], "0 is not above 0"),
        (["--batch-size=-1"], "-1 is not above 0"),
        (["--lr=inf"], "inf is not above 0"),
        (["--warm-up=0.95"], "not within 0 to 0.9"),
        (["--image-size=32"], "ssd_mobilenet_v2_fpn_small takes sides of 64 pixels or more"),
        (
            ["--model=efficientdet_d0", "--image-size=512x300"],
            "efficientdet_d0 takes sides of 256 pixels or more, in steps of 128",
        ),
        (["--image-size=320*320"], "neither a number of pixels nor WIDTHxHEIGHT"),
        (["--window=0.1"], "not within 0.25 to 1"),
        (["--flip=left"], "horizontal"),
        (["--colour-jitter=1"], "not within 0 to 0.9"),
        (["--quantize=yes"], "neither true nor false"),
        (["--inference-type=INT8"], "QUANTIZED_UINT8"),
        (["--sample-1-of-n-eval-examples=0"], "0 is not above 0"),
        (["--eval-period=-1"], "-1 is below 0"),
        (["--early-stop=x"], "invalid int value"),
        (["--representative=0"], "0 is not above 0"),
        (["--model-dir=s3://bucket/x"], "CheckpointConfig with this S3Uri"),
        (["--weights=https://x/y.tar.gz"], "--weights-sha256"),
        (["--classes=ball"], "JSON list of strings"),
        (["--unknown=1"], "--unknown"),
    ],
)
def test_mistakes_are_named(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        parse(*argv)


def test_only_the_small_family_trains_on_windows_unasked() -> None:
    assert parse().window == 0.5
    assert parse(model="efficientdet_d0").window == parse(pipeline_config="own.config").window == 1
    assert parse(model="efficientdet_d0", window="0.75").window == 0.75


def test_a_job_without_training_data_is_refused() -> None:
    with pytest.raises(UserError, match="no channel 'training'"):
        arguments.parse(replace(JOB, channels={}))


def test_the_published_metrics_are_those_of_the_log() -> None:
    definitions = metric_lines.definitions(metric_names.PHASES)
    assert json.loads(METRICS.read_text()) == definitions
    log = "\n".join(
        metric_lines.line(phase, 40, {name: i + 0.5 for i, name in enumerate(numbers)})
        for phase, numbers in metric_names.PHASES.items()
    )
    for definition in definitions:
        phase, name = definition["Name"].split(":")
        expected = metric_names.PHASES[phase].index(name) + 0.5
        assert [float(found) for found in re.findall(definition["Regex"], log)] == [expected], definition


@pytest.mark.parametrize("name", families.ALL)
def test_every_family_is_text_without_a_gap(name: str) -> None:
    text = families.text(name, 7, (512, 320), ANCHORS if name == names.SMALL else None)
    assert "$" not in text
    assert text.count("{") == text.count("}")
    assert "num_classes: 7" in text
    assert re.search(r"(height|min_dimension): 320 (width|max_dimension): 512", text)


def test_the_rate_follows_the_batch_size() -> None:
    zoo = families.ALL["ssd_resnet50_fpn_640"]
    assert (zoo.lr(64), zoo.lr(8)) == (0.04, 0.005)


def test_fitted_anchors_turn_height_by_width_into_width_by_height() -> None:
    assert "base_sizes: [8.0, 12.0] aspect_ratios: [1.0, 0.5] height_stride: 8" in families.anchors(ANCHORS)
