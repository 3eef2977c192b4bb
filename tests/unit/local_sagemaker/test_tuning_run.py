"""A tuning job's life with training jobs that end when the test says so."""

import threading
import time
from pathlib import Path

import pytest

from local_sagemaker.errors import AwsError
from local_sagemaker.jobs.jobs import JobError
from local_sagemaker.jobs.tuning.run import TuningRun
from local_sagemaker.store import Store


class Training:
    """Training jobs that run until they are stopped, or end at once with ``loss``."""

    def __init__(self, store: Store, loss: float | None = None, *, refuse_after: int = 99) -> None:
        self.store, self.loss, self.left = store, loss, refuse_after
        self.observers: dict = {}
        self.full_disk = 0

    def call(self, operation: str, request: dict) -> dict:
        assert operation == "CreateTrainingJob"
        if self.left == 0:
            raise AwsError("ResourceLimitExceeded", "no more")
        self.left -= 1
        name = request["TrainingJobName"]
        self.store.add("TrainingJob", name, {"TrainingJobName": name, "TrainingJobStatus": "InProgress"})
        if self.loss is not None:
            self.observers[name]([("loss", self.loss, 0.0), ("other", 9.0, 0.0)])
            self._end(name, "Completed")
        return {}

    def stop(self, name: str) -> None:
        if self.full_disk > 0:
            self.full_disk -= 1
            raise OSError("No space left on device")
        self._end(name, "Stopped")

    def _end(self, name: str, status: str) -> None:
        metrics = [] if self.loss is None else [{"MetricName": "loss", "Value": self.loss}]
        self.store.update(
            "TrainingJob", name, TrainingJobStatus=status, FinalMetricDataList=metrics, TrainingEndTime=time.time()
        )


class Jobs:
    """What a run needs of its owner."""

    def __init__(self, store: Store, training: Training) -> None:
        self.store, self.training, self.operations = store, training, training

    def adopt(self, name: str, child: dict) -> None:
        self.store.change("HyperParameterTuningJob", name, lambda job: {"_children": [*job["_children"], child]})

    def mark(self, job: dict, child: str) -> None:
        self.store.update("TrainingJob", child, TuningJobArn="arn")


def job(store: Store, *, age: float = 0.0, **limits: int) -> dict:
    ranges = [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]
    return store.put(
        "HyperParameterTuningJob",
        "t",
        {
            "HyperParameterTuningJobName": "t",
            "CreationTime": time.time() - age,
            "_children": [],
            "_tags": {},
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"},
                "ParameterRanges": {"ContinuousParameterRanges": ranges},
                "ResourceLimits": {"MaxParallelTrainingJobs": 3, **limits},
            },
            "TrainingJobDefinition": {"AlgorithmSpecification": {}},
        },
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def statuses(store: Store) -> list[str]:
    return [record["TrainingJobStatus"] for record in store.all("TrainingJob")]


def test_it_ends_with_its_time_and_so_do_its_training_jobs(store: Store) -> None:
    training = Training(store)
    record = job(store, age=119.7, MaxRuntimeInSeconds=120)
    verdict = TuningRun(Jobs(store, training), record, threading.Event()).run()
    assert verdict.status == "Completed"
    assert statuses(store) == ["Stopped"] * 3
    assert training.observers == {}


def test_it_stops_its_training_jobs_when_stopped(store: Store) -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    verdict = TuningRun(Jobs(store, Training(store)), job(store, MaxNumberOfTrainingJobs=9), stop).run()
    assert verdict.status == "Stopped"
    assert statuses(store) == ["Stopped"] * 3


def test_it_runs_as_many_training_jobs_as_were_asked_for(store: Store) -> None:
    record = job(store, MaxNumberOfTrainingJobs=7)
    verdict = TuningRun(Jobs(store, Training(store, 0.5)), record, threading.Event()).run()
    assert verdict.status == "Completed"
    assert statuses(store) == ["Completed"] * 7


def test_a_training_job_that_cannot_be_created_fails_it(store: Store) -> None:
    training = Training(store, refuse_after=2)
    with pytest.raises(JobError, match=r"ClientError: Training job t-003-.* could not be created: no more"):
        TuningRun(Jobs(store, training), job(store, MaxNumberOfTrainingJobs=5), threading.Event()).run()
    assert statuses(store) == ["Stopped"] * 2
    assert training.observers == {}


def test_no_training_job_stays_behind_when_the_disk_is_full(store: Store) -> None:
    training, stop = Training(store), threading.Event()
    training.full_disk = 5
    threading.Timer(0.1, stop.set).start()
    verdict = TuningRun(Jobs(store, training), job(store, MaxNumberOfTrainingJobs=9), stop).run()
    assert verdict.status == "Stopped"
    assert statuses(store) == ["Stopped"] * 3
