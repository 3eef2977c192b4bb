"""A tuning job whose server is killed, or stopped."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from botocore.client import BaseClient

import local_sagemaker
from contract import tuning
from contract.cloud import Cloud, until

Connect = Callable[..., BaseClient]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("end", [kill, None], ids=["killed", "stopped"])
def test_it_has_failed_with_its_training_jobs(fresh_workspace: Path, images: Path, connect: Connect, end) -> None:
    before = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    made = tuning.request(before, static={"epochs": 2, "pause": 600}, ResourceLimits=tuning.limits(4, 2))
    made["TrainingJobDefinition"]["RetryStrategy"] = {"MaximumRetryAttempts": 3}
    name = tuning.start(before, made)
    until(lambda: all(map(logged, tuning.children(before, name))) and len(tuning.children(before, name)) == 2)
    if end is not None:
        end(before.connection.pid)
    else:
        local_sagemaker.stop(fresh_workspace)

    after = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    job = tuning.wait(after, name)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker was stopped")
    children = tuning.children(after, name)
    assert [child["TrainingJobStatus"] for child in children] == ["Failed", "Failed"]
    assert job["TrainingJobStatusCounters"]["RetryableError"] == 2
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 2}
    again = tuning.run(after, {**tuning.request(after), "HyperParameterTuningJobName": "again"})[0]
    assert again["HyperParameterTuningJobStatus"] == "Completed"


def logged(child: dict) -> bool:
    return "TrainingStartTime" in child
