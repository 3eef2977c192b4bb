"""The arguments of training a tracker and of following a target: what needs no MXNet."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import pytest
import track
from sagemaker_contract import Environment, UserError
from siamrpn import arguments
from siamrpn.names import Settings

JOB = Environment(base=Path("/base"), channels={"training": Path("/t"), "validation": Path("/v")})


def parse(*argv: str, **hyperparameters: str) -> argparse.Namespace:
    return arguments.parse(replace(JOB, hyperparameters=hyperparameters), argv)


def test_defaults_train_the_small_network_on_the_jobs_channels() -> None:
    parsed = parse(task='"tracking"')
    assert (parsed.network, parsed.width, parsed.hidden, parsed.weights) == ("small", 0.25, 64, "")
    assert (parsed.training_channel, parsed.validation_channel) == (Path("/t"), Path("/v"))
    assert parsed.model_dir == Path("/base/model")
    assert arguments.settings(parsed) == Settings(instance=255, penalty_k=0.05, lr=0.5)


def test_the_zoos_network_has_its_own_size_and_a_gentler_rate() -> None:
    parsed = parse(network="siamrpn_alexnet_v2_otb15")
    assert (parsed.width, parsed.hidden, parsed.instance_side, parsed.lr) == (1.0, 256, 287, 0.0001)
    assert arguments.settings(parsed) == Settings()


@pytest.mark.parametrize(
    ("name", "values", "wrong"),
    [
        ("width", ("0.25", "1.0"), ("0.1", "2")),
        ("hidden", ("16", "256"), ("0", "20")),
        ("iterations", ("1", "100000"), ("0", "1.5")),
        ("batch_size", ("1", "256"), ("0",)),
        ("lr", ("0.00001", "1"), ("0", "inf")),
        ("weight_decay", ("0", "1"), ("-0.1", "2")),
        ("warm_up", ("0", "0.9"), ("1",)),
        ("clip_gradients", ("0.1",), ("0",)),
        ("box_weight", ("0.1",), ("0",)),
        ("seed", ("0", "4294967295"), ("-1", "4294967296")),
        ("frames_per_track", ("2", "10000"), ("1",)),
        ("frame_range", ("1",), ("0",)),
        ("search_side", ("159", "255", "511"), ("151", "256", "519")),
        ("instance_side", ("159", "287"), ("151", "256")),
        ("shift", ("0", "128"), ("-1", "129")),
        ("scale_jitter", ("0", "0.5"), ("0.6",)),
        ("blur", ("0", "1"), ("1.1",)),
        ("colour_jitter", ("0", "1"), ("1.1",)),
        ("grey", ("0", "1"), ("1.1",)),
        ("flip", ("0", "1"), ("-1",)),
        ("negatives", ("0", "0.9"), ("1",)),
        ("penalty_k", ("0", "1"), ("2",)),
        ("window_influence", ("0", "1"), ("2",)),
        ("size_rate", ("0", "1"), ("2",)),
        ("eval_period", ("0", "10"), ("-1",)),
        ("early_stop", ("0", "3"), ("-1",)),
        ("log_period", ("1",), ("0",)),
    ],
)
def test_each_number_has_its_range(name: str, values: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    for value in values:
        assert float(getattr(parse(**{name: value}), name)) == float(value)
    for value in wrong:
        with pytest.raises(UserError, match="--" + name.replace("_", "-")):
            parse(**{name: value})


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--network=siamfc"], "siamrpn_alexnet_v2_otb15"),
        (["--weights=https://x/y.params"], "--weights-sha256"),
        (["--network=siamrpn_alexnet_v2_otb15", "--hidden=64"], "has width 1 and 256 hidden channels"),
        (["--device=tpu"], "invalid choice: 'tpu'"),
        (["--task=detection"], "tracking"),
        (["--unknown=1"], "--unknown"),
    ],
)
def test_mistakes_are_named(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        parse(*argv)


def test_what_a_job_lacks_or_has_too_much_of_is_named() -> None:
    with pytest.raises(UserError, match="no channel 'training'"):
        arguments.parse(Environment(base=Path("/base")))
    with pytest.raises(UserError, match="one host, the job has 2"):
        arguments.parse(replace(JOB, hosts=("algo-1", "algo-2")))


def test_a_processing_jobs_inputs_and_output_are_the_defaults() -> None:
    parsed = track.parse(JOB, ["--box=1,2,3.5,4"])
    assert parsed.box == [1, 2, 3.5, 4]
    assert (parsed.video, parsed.output) == (Path("/base/processing/input/video"), Path("/base/processing/output"))
    assert track.parse(JOB, ["--box=[1, 2, 3, 4]"]).box == [1, 2, 3, 4]


@pytest.mark.parametrize("box", ["1,2,3", "1,2,0,4", "1,2,3,-4", "a,b,c,d", "1,2,inf,4", "nan,2,3,4"])
def test_a_box_without_four_numbers_or_area_is_refused(box: str) -> None:
    with pytest.raises(UserError, match="--box"):
        track.parse(JOB, [f"--box={box}"])
