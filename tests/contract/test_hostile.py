"""Hostile names, keys, paths and programs stay where they belong; two workspaces do not meet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract.cloud import Cloud, archive, error_of, unique
from contract.processors import Processors, s3_input
from contract.test_lifecycle import processes_of
from contract.transforms import Transforms
from lab_utils.cli import main

CLIMBING = ["..", "../up", "a/../b", "a/b", "/etc", ".", "a\0b", "a\nb", "%2e%2e", ""]
NAMES: list[tuple[str, str]] = [
    ("describe_training_job", "TrainingJobName"),
    ("delete_training_job", "TrainingJobName"),
    ("describe_transform_job", "TransformJobName"),
    ("describe_processing_job", "ProcessingJobName"),
    ("describe_endpoint", "EndpointName"),
    ("delete_endpoint", "EndpointName"),
    ("describe_model", "ModelName"),
    ("describe_hyper_parameter_tuning_job", "HyperParameterTuningJobName"),
]


@pytest.fixture(scope="module")
def unchecked(cloud: Cloud) -> BaseClient:
    """A client that checks no lengths."""
    from boto3 import Session
    from botocore.config import Config

    settings = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return Session(region_name=cloud.connection.region).client("sagemaker", config=settings)


@pytest.mark.parametrize(("operation", "member"), NAMES)
def test_names(unchecked: BaseClient, operation: str, member: str) -> None:
    for name in CLIMBING:
        code, status, _ = error_of(getattr(unchecked, operation), **{member: name})
        assert (code, status) in (("ValidationException", 400), ("ResourceNotFound", 400)), name


@pytest.mark.parametrize("name", ["..", "%2e%2e", "../../jobs", "a%2f..%2fb", "."])
def test_invoked_names(cloud: Cloud, name: str) -> None:
    code, status, _ = error_of(cloud.runtime.invoke_endpoint, EndpointName=name, Body=b"x")
    assert (code, status) in (("ValidationError", 400), ("ValidationException", 400))


def test_names_that_create_would_take_for_paths(cloud: Cloud, unchecked: BaseClient, workspace: Path) -> None:
    for name in CLIMBING:
        code, _, _ = error_of(unchecked.create_training_job, **cloud.job_request(TrainingJobName=name))
        assert code == "ValidationException"
    assert not (workspace.parent / "up").exists()


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "../up", "a b", "-x"])
def test_channel_names(cloud: Cloud, unchecked: BaseClient, name: str) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{cloud.bucket}/x"}}
    request = cloud.job_request(InputDataConfig=[{"ChannelName": name, "DataSource": source}])
    if name == "-x":  # a right name, if an odd one
        unchecked.create_training_job(**request)
        return
    assert error_of(unchecked.create_training_job, **request)[0] == "ValidationException"


@pytest.mark.parametrize("path", ["/", "/etc", "/opt/ml/../../etc", "/opt/ml", "/opt/ml/..", "opt/ml/x", "/opt/mlx/y"])
def test_container_paths(cloud: Cloud, path: str) -> None:
    """Where a checkpoint, an input and an output of a container may be."""
    checkpoints = {"S3Uri": f"s3://{cloud.bucket}/c", "LocalPath": path}
    assert error_of(cloud.sagemaker.create_training_job, **cloud.job_request(CheckpointConfig=checkpoints))[1] == 400
    processors = Processors(cloud)
    wrong_input = processors.request("", [s3_input(f"s3://{cloud.bucket}/x", path)])
    assert error_of(cloud.sagemaker.create_processing_job, **wrong_input)[1] == 400
    output = {"Outputs": [processors.output(unique(), path)]}
    wrong_output = processors.request("", ProcessingOutputConfig=output)
    assert error_of(cloud.sagemaker.create_processing_job, **wrong_output)[1] == 400


def test_no_shell_reads_an_entry_point(cloud: Cloud, workspace: Path) -> None:
    """Entry point and arguments are a program's argv: nothing of them is expanded."""
    made = workspace / "made-by-a-shell"
    specification = {
        "TrainingImage": "tiny",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/echo", f"$(touch {made})"],
        "ContainerArguments": [f"; touch {made}", "`id`", "a b"],
    }
    job = cloud.run(AlgorithmSpecification=specification)
    assert job["TrainingJobStatus"] == "Completed"
    assert f"$(touch {made}) ; touch {made} `id` a b" in cloud.log(job["TrainingJobName"])
    assert not made.exists()


@pytest.mark.parametrize("key", ["../../fled", "a/../../../fled", "..", "/etc/passwd", "a\\..\\b", "x" * 1024])
def test_object_keys_are_names_only(cloud: Cloud, workspace: Path, key: str) -> None:
    cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=b"hostile key")
    assert cloud.get(f"s3://{cloud.bucket}/{key}") == b"hostile key"
    assert not list(workspace.parent.rglob("fled"))
    cloud.s3.delete_object(Bucket=cloud.bucket, Key=key)


@pytest.mark.parametrize("key", ["evil/../../../../leaves.txt", "evil/a/../../../leaves.txt"])
def test_keys_stay_inside_every_kind_of_job(cloud: Cloud, workspace: Path, key: str) -> None:
    cloud.put(key, b"x")
    prefix = f"s3://{cloud.bucket}/evil/"
    processors = Processors(cloud)
    job = processors.run(processors.request("", [s3_input(prefix)]))
    assert job["ProcessingJobStatus"] == "Failed"
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": prefix}}}
    Transforms(cloud).run({}, source=source)
    assert not list(workspace.rglob("leaves.txt"))
    cloud.s3.delete_object(Bucket=cloud.bucket, Key=key)


def test_a_hostile_model_does_not_escape_a_transform(cloud: Cloud, workspace: Path) -> None:
    transforms, name = Transforms(cloud), unique("hostile")
    data = cloud.put(f"{name}/model.tar.gz", archive({"../../../climbed.txt": b"x", "/tmp/climbed.txt": b"x"}))
    container = {"Image": "tiny", "ModelDataUrl": data}
    cloud.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=cloud.connection.role_arn)
    job = transforms.run({"a.txt": b"a"}, name)
    assert job["TransformJobStatus"] == "Failed"
    assert not list(workspace.rglob("climbed.txt"))
    assert not Path("/tmp/climbed.txt").exists()


@pytest.mark.http
def test_two_workspaces_do_not_meet(
    cloud: Cloud, workspace: Path, fresh_workspace: Path, images: Path, connect: Callable[..., BaseClient],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Records, logs, keys and processes: what ends in one goes on in the other."""
    other = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    name, theirs = cloud.start({"sleep": 60}), other.start({"sleep": 60})
    cloud.wait_for_line(name, "sleeping")
    other.wait_for_line(theirs, "sleeping")
    assert other.sagemaker.list_training_jobs(NameContains=name, MaxResults=100)["TrainingJobSummaries"] == []
    foreign = connect(cloud.connection, "sagemaker", key_id=other.connection.access_key_id)
    assert error_of(foreign.list_models)[1] == 403
    monkeypatch.setenv("LABS_WORKSPACE", str(fresh_workspace))
    main(["status"])
    shown: Any = capsys.readouterr().out
    assert theirs in shown
    assert f" {name} " not in shown
    assert main(["logs", name]) == 2
    assert main(["down"]) == 0
    assert processes_of(fresh_workspace) == []
    assert psutil.Process(cloud.connection.pid).is_running()
    assert cloud.describe(name)["TrainingJobStatus"] == "InProgress"
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
