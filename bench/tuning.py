"""Hyperparameter tuning in the embedded SageMaker: a whole tuning job of a trivial program, in a new workspace."""

import time
from typing import Any

from bench.emulator import client, running
from bench.table import Row
from local_sagemaker import Connection

JOBS, PARALLEL = 20, 2


def run() -> list[Row]:
    with running() as connection:
        return _rows(connection)


def _rows(connection: Connection) -> list[Row]:
    sagemaker = client(connection, "sagemaker")
    _tune(sagemaker, connection, "warm-up", "Random", 1, 1)  # builds the image
    return [
        Row(
            f"embedded: {strategy} tuning, {JOBS} jobs, {PARALLEL} at a time",
            [_tune(sagemaker, connection, f"{strategy}-{number}", strategy, JOBS, PARALLEL) for number in range(3)],
            "s",
            "<= 30 s",
        )
        for strategy in ("Random", "Bayesian")
    ]


def _tune(sagemaker: Any, connection: Connection, name: str, strategy: str, jobs: int, at_once: int) -> float:
    """Seconds from CreateHyperParameterTuningJob to Completed."""
    config = {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": at_once},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
    }
    definition = {
        "AlgorithmSpecification": {
            "TrainingImage": "bench",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
        },
        "RoleArn": connection.role_arn,
        "OutputDataConfig": {"S3OutputPath": f"s3://{connection.bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    started = time.perf_counter()
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, HyperParameterTuningJobConfig=config, TrainingJobDefinition=definition
    )
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] != "InProgress":
            break
        time.sleep(0.05)
    assert job["TrainingJobStatusCounters"]["Completed"] == jobs, job
    return time.perf_counter() - started
