"""What a training job may use and how often it is tried: retries, limits, time, and what Describe says of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract.cloud import Cloud, until
from contract.test_lifecycle import kill, processes_of
from local_sagemaker import ServerError

Connect = Callable[..., BaseClient]


def program(text: str) -> dict:
    """An AlgorithmSpecification that runs this Python text, at most 256 characters."""
    return {"TrainingImage": "tiny", "TrainingInputMode": "File", "ContainerEntrypoint": ["python", "-c", text]}


def statuses(job: dict) -> list[str]:
    return [entry["Status"] for entry in job["SecondaryStatusTransitions"]]


def test_a_job_with_retries_runs_again_after_a_crash(fresh_workspace: Path, images: Path, connect: Connect) -> None:
    """A second crash is one too many."""
    before = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    retry = {"MaximumRetryAttempts": 1}
    once = before.start({"sleep": 600})
    again = before.start({"sleep": 600}, RetryStrategy=retry)
    for name in (once, again):
        before.wait_for_line(name, "sleeping")
    kill(before.connection.pid)

    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert after.wait(once)["FailureReason"].startswith("InternalServerError: ")
    until(lambda: statuses(after.describe(again)).count("Training") == 2)
    job = after.describe(again)
    assert statuses(job) == ["Starting", "Downloading", "Training"] * 2
    assert job["SecondaryStatusTransitions"][3]["StatusMessage"].startswith("Retrying the training job: Internal")
    assert job["RetryStrategy"] == retry
    after.wait_for_line(again, "sleeping")
    assert len([p for p in processes_of(fresh_workspace) if p.pid != after.connection.pid]) == 1
    kill(after.connection.pid)

    last = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert last.wait(again)["FailureReason"].startswith("InternalServerError: ")
    assert processes_of(fresh_workspace) == [psutil.Process(last.connection.pid)]


def test_an_algorithms_error_is_not_retried(cloud: Cloud) -> None:
    job = cloud.run({"exit": 1}, RetryStrategy={"MaximumRetryAttempts": 3})
    assert job["FailureReason"].startswith("AlgorithmError")
    assert statuses(job).count("Starting") == 1


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory, images: Path, connect: Connect) -> Iterator[Cloud]:
    """A server whose jobs may use 150 MB and one CPU."""
    workspace = tmp_path_factory.mktemp("limited")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_SAGEMAKER_JOB_MEMORY", "150MB")
        patch.setenv("LOCAL_SAGEMAKER_JOB_CPUS", "1")
        yield Cloud(local_sagemaker.start(workspace, images), connect)
    local_sagemaker.stop(workspace)


def test_a_job_that_takes_too_much_memory_is_killed(limited: Cloud) -> None:
    job = limited.run(AlgorithmSpecification=program("import time; x = b'x' * 300_000_000; time.sleep(60)"))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: Please use an instance type with more memory: the container used more than "
        "LOCAL_SAGEMAKER_JOB_MEMORY allows (150MB), exit code: 137"
    )


def test_children_count(limited: Cloud) -> None:
    text = "import os, time; os.fork(); x = os.urandom(90_000_000); time.sleep(60)"
    assert limited.run(AlgorithmSpecification=program(text))["FailureReason"].endswith("exit code: 137")


def test_a_job_gets_so_many_cpus(limited: Cloud) -> None:
    text = "import os; print(len(os.sched_getaffinity(0)), os.environ['SM_NUM_CPUS'])"
    job = limited.run(AlgorithmSpecification=program(text))
    assert job["TrainingJobStatus"] == "Completed"
    assert limited.log(job["TrainingJobName"])[-1] == "1 1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("MEMORY", "plenty"), ("MEMORY", "0"), ("CPUS", "0"), ("CPUS", "1.5")],
)
def test_a_limit_that_is_none(
    fresh_workspace: Path, images: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LOCAL_SAGEMAKER_JOB_{name}", value)
    with pytest.raises(ServerError, match=f"LOCAL_SAGEMAKER_JOB_{name}={value}: a .* is expected"):
        local_sagemaker.start(fresh_workspace, images)


def test_output_without_compression(cloud: Cloud) -> None:
    """Files as they are; links that lead out of the folder are left out."""
    text = (
        "import os; m = '/opt/ml/model/'; os.mkdir(m + 'a'); open(m + 'a/w.bin', 'wb').write(b'w'); "
        "os.symlink('a/w.bin', m + 'link'); os.symlink('/etc/hostname', m + 'out'); "
        "open('/opt/ml/output/data/d.txt', 'w').write('d')"
    )
    output = {"S3OutputPath": f"s3://{cloud.bucket}/plain/", "CompressionType": "NONE"}
    job = cloud.run(AlgorithmSpecification=program(text), OutputDataConfig=output)
    root = f"s3://{cloud.bucket}/plain/{job['TrainingJobName']}/output"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"{root}/model/"
    listed = cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=f"plain/{job['TrainingJobName']}/")["Contents"]
    keys = [item["Key"].partition("/output/")[2] for item in listed]
    assert keys == ["data/d.txt", "model/a/w.bin", "model/link"]
    assert cloud.get(f"{root}/model/link") == b"w"


def test_describe_shows_defaults(cloud: Cloud) -> None:
    job = cloud.run(StoppingCondition={})
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert job["OutputDataConfig"]["CompressionType"] == "GZIP"
    assert not job["EnableManagedSpotTraining"]
    assert not job["EnableNetworkIsolation"]
    messages = [entry["StatusMessage"] for entry in job["SecondaryStatusTransitions"]]
    assert messages[0] == "Preparing the instances for training"
    assert messages[-1] == "Training job completed"


def test_billable_time_is_the_trainings(cloud: Cloud) -> None:
    job = cloud.run(AlgorithmSpecification=program("import time; time.sleep(2)"))
    trained = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] == round(trained) >= 2


@pytest.mark.parametrize(("wait", "status"), [(1, "MaxWaitTimeExceeded"), (60, "MaxRuntimeExceeded")])
def test_spot_jobs_end_when_either_time_is_over(cloud: Cloud, wait: int, status: str) -> None:
    cloud.run()  # so that the image is there
    condition = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": wait}
    job = cloud.run({"sleep": 60}, EnableManagedSpotTraining=True, StoppingCondition=condition)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", status)
    assert "weights.txt" in cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_update(cloud: Cloud) -> None:
    name = cloud.start({"sleep": 60})
    answer = cloud.sagemaker.update_training_job(TrainingJobName=name, ProfilerConfig={"DisableProfiler": True})
    assert answer["TrainingJobArn"].endswith(f"training-job/{name}")
    assert cloud.describe(name)["ProfilerConfig"] == {"DisableProfiler": True}
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    cloud.wait(name)


def test_a_deleted_jobs_files_go_and_its_name_is_free(cloud: Cloud, workspace: Path) -> None:
    name = cloud.run()["TrainingJobName"]
    assert (workspace / "jobs" / name / "log.txt").exists()
    cloud.sagemaker.delete_training_job(TrainingJobName=name)
    assert not (workspace / "jobs" / name).exists()
    assert cloud.run(TrainingJobName=name)["TrainingJobStatus"] == "Completed"
