"""The operator's view: labs status, labs logs, against the running server."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contract import tuning
from contract.cloud import Cloud, unique, until
from contract.transforms import Transforms
from lab_utils.cli import main

Labs = Callable[..., tuple[int, str, str]]


@pytest.fixture
def labs(cloud: Cloud, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Labs:
    """Runs `labs ...` on the suite's workspace: exit code, output, errors."""
    monkeypatch.setenv("LABS_WORKSPACE", str(workspace))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return (code, *capsys.readouterr())

    return run


def row(text: str, name: str) -> list[str]:
    """The words of a table's row."""
    (line,) = (line for line in text.splitlines() if f" {name} " in line)
    return line.split()


def test_status_of_jobs_and_endpoints(cloud: Cloud, labs: Labs) -> None:
    done, failed = cloud.run()["TrainingJobName"], cloud.run({"exit": 3})["TrainingJobName"]
    endpoint = cloud.deploy()
    cloud.wait_endpoint(endpoint)
    transformed = Transforms(cloud).run({"a.txt": b"a"})["TransformJobName"]
    code, text, _ = labs("status", "--all")
    assert code == 0
    assert row(text, done)[:3] == ["training", done, "Completed"]
    assert row(text, failed)[2] == "Failed"
    assert "AlgorithmError" in " ".join(row(text, failed))
    assert row(text, transformed)[:3] == ["transform", transformed, "Completed"]
    assert row(text, endpoint)[:3] == ["endpoint", endpoint, "InService"]
    cloud.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_status_puts_what_runs_first(cloud: Cloud, labs: Labs) -> None:
    name = cloud.start({"sleep": 60})
    cloud.wait_for_line(name, "sleeping")
    cloud.run()
    _, text, _ = labs("status")
    table = text.split("\n\n")[1].splitlines()
    states = [line.split()[2] for line in table[1:] if line.startswith("training")]
    assert states[0] == "InProgress"
    assert "InProgress" not in states[states.index("Completed") :]
    cloud.sagemaker.stop_training_job(TrainingJobName=name)


@pytest.mark.http
def test_status_as_json(cloud: Cloud, labs: Labs, workspace: Path) -> None:
    name = cloud.run()["TrainingJobName"]
    _, text, _ = labs("status", "--json")
    about = json.loads(text)
    assert about["running"]
    assert about["endpoint_url"] == cloud.connection.endpoint_url
    (job,) = (job for job in about["jobs"] if job["name"] == name)
    assert (job["kind"], job["status"], job["active"]) == ("training", "Completed", False)
    assert 0 < job["took"] <= job["age"]


def test_logs_of_a_job(cloud: Cloud, labs: Labs) -> None:
    name = cloud.run({"lines": 2})["TrainingJobName"]
    code, text, _ = labs("logs", name)
    assert code == 0
    assert text.splitlines()[0] == "first line"
    assert "step 1 loss=0.500000; val_loss=1.0;" in text


def test_logs_of_several_hosts(cloud: Cloud, labs: Labs) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    name = cloud.run(ResourceConfig=resources)["TrainingJobName"]
    _, text, _ = labs("logs", name)
    assert {line.partition(": ")[0] for line in text.splitlines()} == {"algo-1", "algo-2"}


def test_logs_of_an_endpoint(cloud: Cloud, labs: Labs) -> None:
    name = cloud.deploy()
    cloud.wait_endpoint(name)
    cloud.invoke(name)
    until(lambda: "served" in labs("logs", name)[1])
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_a_tuning_job_lists_its_jobs(cloud: Cloud, labs: Labs) -> None:
    job, children = tuning.run(cloud, tuning.request(cloud, static={"kind": "good"}, ResourceLimits=tuning.limits(2)))
    text = labs("logs", job["HyperParameterTuningJobName"])[1]
    assert {line.split()[1] for line in text.splitlines()[1:]} == {child["TrainingJobName"] for child in children}


def test_unknown_names(cloud: Cloud, labs: Labs) -> None:
    name = cloud.run(TrainingJobName=unique("signals-to-find"))["TrainingJobName"]
    code, _, text = labs("logs", name.replace("signals", "signal"))
    assert code == 2
    assert f"did you mean {name}" in text
    assert text.count("\n") == 1
    assert labs("logs", name, "--kind", "endpoint")[0] == 2


def test_one_name_for_two_kinds(cloud: Cloud, labs: Labs) -> None:
    name = cloud.run()["TrainingJobName"]
    request = Transforms(cloud).request({"a.txt": b"a"})
    cloud.sagemaker.create_transform_job(**{**request, "TransformJobName": name})
    Transforms(cloud).wait(name)
    code, _, text = labs("logs", name)
    assert (code, "several are called" in text) == (2, True)
    assert "first line" in labs("logs", name, "--kind", "training")[1]


@pytest.mark.http
def test_following_ends_with_the_job(cloud: Cloud, labs: Labs) -> None:
    name = cloud.start({"sleep": 1})
    code, text, _ = labs("logs", name, "--follow")
    assert code == 0
    assert text.splitlines() == ["first line", "sleeping"]
    assert cloud.describe(name)["TrainingJobStatus"] == "Completed"


@pytest.mark.http
def test_following_ends_with_ctrl_c(cloud: Cloud, labs: Labs) -> None:
    name = cloud.start({"sleep": 60})
    command = [sys.executable, "-um", "lab_utils.cli", "logs", "-f", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        until(lambda: "sleeping" in process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "labs: interrupted\n")
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
