"""Hyperparameter tuning in the embedded SageMaker: a whole tuning job of a trivial program, in a new workspace."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3

import local_sagemaker
from bench.table import Row

JOBS, PARALLEL = 20, 2
REGISTRY = f"""
[images.bench]
python = "{sys.version_info.major}.{sys.version_info.minor}"
train = ["train.py"]
uris = ['bench$']
"""
TRAIN = """
import json, os, pathlib
given = json.loads(pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "input/config/hyperparameters.json").read_text())
print(f"loss={(float(given['x']) - 0.3) ** 2:.9f};")
"""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        (root / "images.toml").write_text(REGISTRY)
        (root / "train.py").write_text(TRAIN)
        with patch.dict(os.environ, {"LABS_IMAGES_DIR": str(root / "environments")}):
            try:
                connection = local_sagemaker.start(root / "workspace", root / "images.toml")
                return _rows(connection)
            finally:
                local_sagemaker.stop(root / "workspace")


def _rows(connection: local_sagemaker.Connection) -> list[Row]:
    client = boto3.Session(
        connection.access_key_id, connection.secret_access_key, region_name=connection.region
    ).client("sagemaker", endpoint_url=connection.endpoint_url)
    _tune(client, connection, "warm-up", "Random", 1, 1)  # builds the image
    return [
        Row(
            f"embedded: {strategy} tuning, {JOBS} jobs, {PARALLEL} at a time",
            [_tune(client, connection, f"{strategy}-{number}", strategy, JOBS, PARALLEL) for number in range(3)],
            "s",
            "<= 30 s",
        )
        for strategy in ("Random", "Bayesian")
    ]


def _tune(
    client: Any, connection: local_sagemaker.Connection, name: str, strategy: str, jobs: int, at_once: int
) -> float:
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
    client.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, HyperParameterTuningJobConfig=config, TrainingJobDefinition=definition
    )
    while True:
        job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if job["HyperParameterTuningJobStatus"] != "InProgress":
            break
        time.sleep(0.05)
    assert job["TrainingJobStatusCounters"]["Completed"] == jobs, job
    return time.perf_counter() - started
