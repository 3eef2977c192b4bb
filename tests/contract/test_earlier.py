"""Finding what an earlier lab trained, among all that the account's jobs have in common with it."""

from typing import Any

import pytest

from contract import tuning
from contract.cloud import Cloud, unique
from lab_utils import channels, latest_training
from lab_utils.session import LabSession


@pytest.fixture(scope="module")
def data(lab: LabSession, cloud: Cloud) -> str:
    """Name of a prepared data set; another one's name starts like it."""
    name = unique("data")
    for each in (name, f"{name}-more"):
        cloud.put(f"{lab.prefix}/data/{each}/annotation/training.manifest")
    return name


@pytest.fixture
def job(lab: LabSession) -> str:
    return unique("detector")


def inputs(lab: LabSession, data: str, end: str = "") -> list[dict[str, Any]]:
    source = {"S3DataType": "S3Prefix", "S3Uri": channels.channels(lab, data)["annotation"] + end}
    return [{"ChannelName": "annotation", "DataSource": {"S3DataSource": source}}]


def train(cloud: Cloud, lab: LabSession, job: str, data: str, **changes: Any) -> str:
    """The name of a training job that has ended."""
    changes = {"InputDataConfig": inputs(lab, data), **changes}
    return cloud.run(TrainingJobName=f"{lab.named(job)}-{unique()}", **changes)["TrainingJobName"]


def test_none_before_the_first_training(lab: LabSession, job: str, data: str) -> None:
    assert latest_training(lab, job, data) is None


def test_the_newest_of_several(lab: LabSession, cloud: Cloud, job: str, data: str) -> None:
    train(cloud, lab, job, data)
    newest = train(cloud, lab, job, data)
    found = latest_training(lab, job, data)
    assert found is not None
    assert found.name == newest
    assert found.model_data.endswith(f"{newest}/output/model.tar.gz")


def test_a_slash_at_the_end_of_the_channel_does_not_matter(lab: LabSession, cloud: Cloud, job: str, data: str) -> None:
    name = train(cloud, lab, job, data, InputDataConfig=inputs(lab, data, "/"))
    found = latest_training(lab, job, data)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("other", ["data", "job", "prefix", "failed", "no channels"])
def test_jobs_that_are_another(lab: LabSession, cloud: Cloud, job: str, data: str, other: str) -> None:
    match other:
        case "data":
            train(cloud, lab, job, f"{data}-more")
        case "job":
            train(cloud, lab, f"{job}2", data)
        case "prefix":
            cloud.run(TrainingJobName=f"x-{lab.named(job)}-1", InputDataConfig=inputs(lab, data))
        case "failed":
            train(cloud, lab, job, data, HyperParameters={"failure": "out of track", "exit": "1"})
        case "no channels":
            train(cloud, lab, job, data, InputDataConfig=None)
    assert latest_training(lab, job, data) is None


def test_trials_of_a_tuning_job_are_not_taken(lab: LabSession, cloud: Cloud, job: str, data: str) -> None:
    trained = train(cloud, lab, job, data)
    made = tuning.request(cloud, ResourceLimits=tuning.limits(1, 1))
    made["HyperParameterTuningJobName"] = f"{lab.named(job)}-{unique()}"
    made["TrainingJobDefinition"]["InputDataConfig"] = inputs(lab, data)
    _, trials = tuning.run(cloud, made)
    assert [t["TrainingJobStatus"] for t in trials] == ["Completed"]
    assert trials[0]["TrainingJobName"].startswith(f"{lab.named(job)}-")
    found = latest_training(lab, job, data)
    assert found is not None
    assert found.name == trained
