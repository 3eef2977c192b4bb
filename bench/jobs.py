"""Training jobs: from the request to the program's first line; lists of many."""

import json
import time
from pathlib import Path

import local_sagemaker
from bench.emulator import client, new_workspace
from bench.table import Row, seconds
from local_sagemaker import Connection

STARTED, FINISHED, LISTED = 7, 1000, 30


def run() -> list[Row]:
    with new_workspace() as (workspace, registry):
        connection = local_sagemaker.start(workspace, registry)
        _job(connection, "warm-up")  # builds the image
        samples = [_job(connection, f"job-{number}") for number in range(STARTED)]
        rows = [Row("embedded: CreateTrainingJob to the first line", samples, "s", "<= 1 s")]
        local_sagemaker.stop(workspace)
        _multiply(workspace)
        started = seconds(lambda: local_sagemaker.start(workspace, registry))
        rows.append(Row(f"embedded: start() with {FINISHED:,} finished jobs", [started], "s"))
        return [*rows, *_lists(local_sagemaker.start(workspace, registry))]


def _job(connection: Connection, name: str) -> float:
    """Seconds from CreateTrainingJob to the program's first line."""
    sagemaker, logs = client(connection, "sagemaker"), client(connection, "logs")
    asked = time.time()
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "bench", "TrainingInputMode": "File"},
        RoleArn=connection.role_arn,
        OutputDataConfig={"S3OutputPath": f"s3://{connection.bucket}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    group = "/aws/sagemaker/TrainingJobs"
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"][0]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return next(float(e["message"]) for e in events["events"] if e["message"][0].isdigit()) - asked


def _multiply(workspace: Path) -> None:
    """Give the workspace many finished jobs: copies of a real one's record under other names."""
    folder = workspace / "records" / "TrainingJob"
    text = (folder / "job-0.json").read_text()
    for number in range(FINISHED - STARTED - 1):
        record = json.loads(text.replace("job-0", f"copy-{number}"))
        record["CreationTime"] -= number
        (folder / f"copy-{number}.json").write_text(json.dumps(record))


def _lists(connection: Connection) -> list[Row]:
    sagemaker = client(connection, "sagemaker")
    assert sum(len(page["TrainingJobSummaries"]) for page in sagemaker.get_paginator("list_training_jobs").paginate())

    def samples(**arguments: object) -> list[float]:
        return [1000 * seconds(lambda: sagemaker.list_training_jobs(**arguments)) for _ in range(LISTED)]

    sorts = {"SortBy": "Name", "SortOrder": "Ascending", "NameContains": "copy"}
    return [
        Row(f"embedded: ListTrainingJobs, 10 of {FINISHED:,}", samples(), "ms", "<= 50 ms"),
        Row(f"embedded: ListTrainingJobs, 100 of {FINISHED:,}", samples(MaxResults=100, **sorts), "ms", "<= 50 ms"),
    ]
