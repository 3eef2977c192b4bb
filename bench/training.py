"""A training job on channels that are in S3 already."""

from collections.abc import Mapping
from typing import Any

import lab_utils
from lab_utils.jobs import TrainingRun
from lab_utils.session import LabSession


def train(
    lab: LabSession, image: str, channels: Mapping[str, str], name: str, hyperparameters: Mapping[str, str]
) -> TrainingRun:
    """Run a job of this name to its end. Raises TrainingFailedError."""
    lab.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=lab.role,
        HyperParameters=dict(hyperparameters),
        InputDataConfig=[_channel(channel, uri) for channel, uri in channels.items() if channel != "test"],
        OutputDataConfig={"S3OutputPath": lab.uri("models")},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    return lab_utils.watch(lab, name, live=False)


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
