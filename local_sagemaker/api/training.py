"""Training jobs: Create, Describe, List, Update, Stop, Delete."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api import training_rules as rules
from local_sagemaker.api.context import Context, Operation, Request, new_record, now_seconds
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.training_rules import DAY
from local_sagemaker.api.trial_components import TrialComponents
from local_sagemaker.errors import in_use, validation
from local_sagemaker.images import Image
from local_sagemaker.jobs.artifacts import model_uri
from local_sagemaker.jobs.training import KIND, TrainingJobs, transition
from local_sagemaker.store import Record

_SUMMARY = (
    "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
    "TrainingJobStatus", "SecondaryStatus",
)  # fmt: skip

_S3_DATA_SOURCE = {
    "S3DataType": {"S3Prefix", "ManifestFile", "AugmentedManifestFile"},
    "S3Uri": ANY,
    "S3DataDistributionType": ANY,
    "AttributeNames": ANY,
}
_CHANNEL = {
    "ChannelName": ANY,
    "DataSource": {"S3DataSource": _S3_DATA_SOURCE},
    "ContentType": ANY,
    "CompressionType": ANY,
    "RecordWrapperType": ANY,
    "InputMode": ANY,
    "ShuffleConfig": ANY,
}
EMULATED: Mapping[str, Emulated] = {
    "CreateTrainingJob": {
        "TrainingJobName": ANY,
        "HyperParameters": ANY,
        "AlgorithmSpecification": {
            "TrainingImage": ANY,
            "TrainingInputMode": ANY,
            "MetricDefinitions": ANY,
            "EnableSageMakerMetricsTimeSeries": ANY,
            "ContainerEntrypoint": ANY,
            "ContainerArguments": ANY,
        },
        "RoleArn": ANY,
        "InputDataConfig": _CHANNEL,
        "OutputDataConfig": {"S3OutputPath": ANY, "CompressionType": ANY},
        "ResourceConfig": {"InstanceType": ANY, "InstanceCount": ANY, "VolumeSizeInGB": ANY},
        "StoppingCondition": {"MaxRuntimeInSeconds": ANY, "MaxWaitTimeInSeconds": ANY},
        "Tags": ANY,
        "EnableManagedSpotTraining": ANY,
        "CheckpointConfig": ANY,
        "TensorBoardOutputConfig": ANY,
        "Environment": ANY,
        "RetryStrategy": ANY,
        "ExperimentConfig": ANY,
        "ProfilerConfig": {"DisableProfiler": {True}},
        "DebugHookConfig": {},
    },
    "UpdateTrainingJob": {"TrainingJobName": ANY, "ProfilerConfig": {"DisableProfiler": {True}}},
    "ListTrainingJobs": {
        "NextToken": ANY, "MaxResults": ANY, "CreationTimeAfter": ANY, "CreationTimeBefore": ANY,
        "LastModifiedTimeAfter": ANY, "LastModifiedTimeBefore": ANY, "NameContains": ANY,
        "StatusEquals": ANY, "SortBy": ANY, "SortOrder": ANY,
    },
}  # fmt: skip


class Training:
    """The operations on training jobs."""

    emulated = EMULATED

    def __init__(self, context: Context, jobs: TrainingJobs, components: TrialComponents) -> None:
        self._context, self._store, self._jobs, self._components = context, context.store, jobs, components

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "ListTrainingJobs": self.list_,
            "StopTrainingJob": self.stop,
            "UpdateTrainingJob": self.update,
            "DeleteTrainingJob": self.delete,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name = request["TrainingJobName"]
        arn = self._context.arn("training-job", name)
        image = self.check(request)
        record = new_record(
            _with_defaults(request, image.metrics),
            arn,
            TrainingJobArn=arn,
            TrainingJobStatus="InProgress",
            ModelArtifacts={"S3ModelArtifacts": model_uri(request)},
            **transition({}, "Starting", "Preparing the instances for training"),
        )
        if not self._store.add(KIND, name, record):
            raise in_use(
                "Training job names must be unique within an AWS account and region, and a training job "
                f"with this name already exists ({arn})"
            )
        self._components.track(KIND, record)
        self._jobs.start(name)
        return {"TrainingJobArn": arn}

    def check(self, request: Request) -> Image:
        """The image of the training job to be. Raises AwsError unless it can be created so."""
        rules.check_members(request)
        uri = request["AlgorithmSpecification"].get("TrainingImage")
        image = self._context.image(uri, "AlgorithmSpecification.TrainingImage")
        self._context.check_role(request["RoleArn"])
        rules.check(request)
        self._components.check(request.get("ExperimentConfig", {}))
        return image

    def describe(self, request: Request) -> Record:
        return self._find(request)

    def list_(self, request: Request) -> dict[str, Any]:
        records = self._store.all(KIND)
        status = "TrainingJobStatus"
        return listing.page(records, request, answer="TrainingJobSummaries", members=_SUMMARY, status=status)

    def stop(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if record["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            raise validation(f"The request was rejected because the training job is in status {_status(record)}.")
        self._jobs.stop(record["TrainingJobName"])
        return {}

    def update(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if record["TrainingJobStatus"] != "InProgress":
            raise validation(f"The training job is in status {_status(record)} and cannot be updated.")
        members = {name: value for name, value in request.items() if name != "TrainingJobName"}
        self._store.update(KIND, request["TrainingJobName"], LastModifiedTime=now_seconds(), **members)
        return {"TrainingJobArn": record["TrainingJobArn"]}

    def delete(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if record["TrainingJobStatus"] in ("InProgress", "Stopping"):
            raise in_use(f"The training job is in status {_status(record)} and cannot be deleted.")
        self._store.delete(KIND, record["TrainingJobName"])
        shutil.rmtree(self._context.workspace.jobs / record["TrainingJobName"], ignore_errors=True)
        return {}

    def _find(self, request: Request) -> Record:
        record = self._store.get(KIND, request["TrainingJobName"])
        if record is None:
            raise validation("Requested resource not found.")
        return record


def _status(record: Record) -> str:
    return str(record["TrainingJobStatus"])


def _with_defaults(request: Request, own: Mapping[str, str]) -> Request:
    """The request with the values that AWS gives to members that are not there, as Describe shows them.

    ``own`` are the metrics that the algorithm defines itself.
    """
    specification = request["AlgorithmSpecification"]
    metrics = [*specification.get("MetricDefinitions", []), *({"Name": n, "Regex": r} for n, r in own.items())]
    condition = {"MaxRuntimeInSeconds": DAY, **request["StoppingCondition"]}
    plain = {"CompressionType": "None", "RecordWrapperType": "None"}
    channels = [{**plain, **channel} for channel in request.get("InputDataConfig", [])]
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **request,
        "AlgorithmSpecification": {**specification, **({"MetricDefinitions": metrics} if metrics else {})},
        "StoppingCondition": condition,
        "OutputDataConfig": {"CompressionType": "GZIP", **request["OutputDataConfig"]},
        **({"InputDataConfig": channels} if channels else {}),
    }
