"""Attempts of a training job whose run meets errors of the server's own."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from local_sagemaker.jobs import training
from local_sagemaker.jobs.jobs import JobError, Verdict
from local_sagemaker.store import Store


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> training.TrainingJobs:
    monkeypatch.setattr(training, "_PAUSE", 0)
    return training.TrainingJobs(SimpleNamespace(store=Store(tmp_path)))


def work(jobs: training.TrainingJobs, monkeypatch, results: list, retries: int) -> tuple[Verdict, dict]:
    """The verdict on a job whose attempts end so, and its record."""
    queue = iter(results)

    class Run:
        def __init__(self, *arguments: object) -> None:
            pass

        def run(self) -> Verdict:
            result = next(queue)
            if isinstance(result, Exception):
                raise result
            return result

    monkeypatch.setattr(training, "TrainingRun", Run)
    record = {"TrainingJobName": "j", "TrainingJobStatus": "InProgress"}
    record |= {"RetryStrategy": {"MaximumRetryAttempts": retries}} if retries else {}
    jobs.store.put(training.KIND, "j", record)
    try:
        return jobs.work(record, threading.Event()), jobs.store.get(training.KIND, "j")
    finally:
        assert next(queue, None) is None


DISK = OSError(28, "No space left on device")


def test_the_servers_own_errors_are_retried(jobs, monkeypatch) -> None:
    results = [DISK, JobError("InternalServerError: x"), Verdict("Completed")]
    verdict, record = work(jobs, monkeypatch, results, retries=2)
    assert verdict.status == "Completed"
    assert [entry["Status"] for entry in record["SecondaryStatusTransitions"]] == ["Starting", "Starting"]
    assert "No space left" in record["SecondaryStatusTransitions"][0]["StatusMessage"]


def test_not_more_often_than_asked(jobs, monkeypatch) -> None:
    with pytest.raises(OSError, match="No space"):
        work(jobs, monkeypatch, [DISK, DISK], retries=1)
    with pytest.raises(OSError, match="No space"):
        work(jobs, monkeypatch, [DISK], retries=0)


def test_the_jobs_own_errors_are_not(jobs, monkeypatch) -> None:
    with pytest.raises(JobError, match="ClientError"):
        work(jobs, monkeypatch, [JobError("ClientError: no data")], retries=5)
