"""The snapshot of /opt/ml and the hyperparameters' way to a command line."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from sagemaker_contract import Environment, UserError
from sagemaker_contract.hyperparameters import to_argv
from unit.containers.made import configure


def test_without_files_it_is_a_lone_host(tmp_path: Path) -> None:
    environment = Environment.load(str(tmp_path), {})
    assert (environment.hosts, environment.current_host, environment.host_rank) == (("algo-1",), "algo-1", 0)
    assert environment.channels == {}
    assert environment.num_gpus is None


def test_base_comes_from_the_argument_then_the_variable_then_the_contract(tmp_path: Path) -> None:
    variables = {"SAGEMAKER_BASE_DIR": "/elsewhere"}
    assert Environment.load(str(tmp_path), variables).base == tmp_path
    assert Environment.load(None, variables).base == Path("/elsewhere")
    assert Environment.load(None, {}).model_dir == Path("/opt/ml/model")


def test_the_folders_of_the_contract(base: Path) -> None:
    environment = Environment.load(str(base), {})
    assert environment.checkpoint_dir == base / "checkpoints"
    assert environment.output_data_dir == base / "output/data"
    assert environment.failure_file == base / "output/failure"
    assert environment.message_file == base / "output/message"


def test_hosts_are_ranked_by_name(base: Path) -> None:
    configure(base, resourceconfig={"current_host": "algo-2", "hosts": ["algo-2", "algo-1"]})
    environment = Environment.load(str(base), {})
    assert (environment.hosts, environment.host_rank) == (("algo-1", "algo-2"), 1)


def test_channels_come_from_the_configuration_and_a_variable_may_move_one(base: Path) -> None:
    configure(base, inputdataconfig={"training": {}, "validation": {}})
    environment = Environment.load(str(base), {"SM_CHANNEL_VALIDATION": "/mnt/v"})
    assert environment.channels == {"training": base / "input/data/training", "validation": Path("/mnt/v")}


def test_channels_are_the_folders_without_a_configuration(base: Path) -> None:
    (base / "input/data/training").mkdir(parents=True)
    assert set(Environment.load(str(base), {}).channels) == {"training"}


def test_a_broken_file_is_named(base: Path) -> None:
    (base / "input/config/hyperparameters.json").write_text("{")
    with pytest.raises(UserError, match=r"hyperparameters\.json: not JSON"):
        Environment.load(str(base), {})
    configure(base, hyperparameters=[1])
    with pytest.raises(UserError, match="expected a JSON object, found list"):
        Environment.load(str(base), {})


def test_the_snapshot_is_read_only(base: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        Environment.load(str(base), {}).base = Path("/x")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.1", "0.1"),
        ('"giou"', "giou"),
        ('["a", "b"]', '["a", "b"]'),
        ("giou", "giou"),
        ("true", "true"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("-3", "-3"),
    ],
)
def test_hyperparameters_become_arguments(value: str, text: str) -> None:
    assert to_argv({"num_iter": value}) == [f"--num-iter={text}"]


def test_sagemakers_own_hyperparameters_are_left_out() -> None:
    own = {"sagemaker_program": '"train.py"', "_tuning_objective_metric": "validation:AP50"}
    assert to_argv({**own, "lr": "1"}) == ["--lr=1"]
