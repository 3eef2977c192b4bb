"""Find what an earlier lab trained."""

from collections.abc import Iterator
from typing import Any

from lab_utils import channels
from lab_utils.jobs import TrainingRun
from lab_utils.session import LabSession


def latest_training(lab: LabSession, job: str, data: str) -> TrainingRun | None:
    """The newest completed training job of a lab on a data set; None when there is none.

    Trials of a tuning job are no such jobs, though their names start alike: they are short, and of other settings.

    Args:
        lab: the session.
        job: what the lab calls its jobs: those are named `lab.named(job)-...`.
        data: name of the data set, as `prepare.prepare` returns it: the job's `annotation` channel.

    Returns:
        The job as SageMaker describes it; its log and history are empty (`watch` reads them).
    """
    annotation = channels.channels(lab, data)["annotation"]
    for description in _completed(lab, f"{lab.named(job)}-"):
        if "TuningJobArn" not in description and _inputs(description).get("annotation") == annotation:
            return TrainingRun(description["TrainingJobName"], description)
    return None


def _completed(lab: LabSession, start: str) -> Iterator[dict[str, Any]]:
    """Descriptions of the completed jobs whose names start so, newest first."""
    client = lab.client("sagemaker")
    pages = client.get_paginator("list_training_jobs").paginate(
        NameContains=start, StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for name in (summary["TrainingJobName"] for summary in page["TrainingJobSummaries"]):
            if name.startswith(start):
                yield client.describe_training_job(TrainingJobName=name)


def _inputs(description: dict[str, Any]) -> dict[str, str]:
    """Channel -> S3 prefix, without a slash at its end."""
    sources = {c["ChannelName"]: c["DataSource"].get("S3DataSource") for c in description.get("InputDataConfig", [])}
    return {channel: source["S3Uri"].rstrip("/") for channel, source in sources.items() if source}
