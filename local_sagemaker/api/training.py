"""Training jobs: Create, Describe, List, Stop, Delete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, new_record
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.aws.objects import ObjectError, split_uri
from local_sagemaker.errors import AwsError, in_use, not_emulated, validation
from local_sagemaker.jobs.training import KIND, TrainingJobs, transition
from local_sagemaker.store import Record

_DAY = 24 * 60 * 60
_MAX_RUNTIME = 28 * _DAY
_SUMMARY = (
    "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
    "TrainingJobStatus", "SecondaryStatus",
)  # fmt: skip

_S3_DATA_SOURCE = {
    "S3DataType": {"S3Prefix"},
    "S3Uri": ANY,
    "S3DataDistributionType": {"FullyReplicated"},
}
_CHANNEL = {
    "ChannelName": ANY,
    "DataSource": {"S3DataSource": _S3_DATA_SOURCE},
    "ContentType": ANY,
    "CompressionType": {"None"},
    "RecordWrapperType": {"None"},
    "InputMode": {"File"},
}
EMULATED: Mapping[str, Emulated] = {
    "CreateTrainingJob": {
        "TrainingJobName": ANY,
        "HyperParameters": ANY,
        "AlgorithmSpecification": {
            "TrainingImage": ANY,
            "TrainingInputMode": {"File"},
            "MetricDefinitions": ANY,
            "EnableSageMakerMetricsTimeSeries": ANY,
            "ContainerEntrypoint": ANY,
            "ContainerArguments": ANY,
        },
        "RoleArn": ANY,
        "InputDataConfig": _CHANNEL,
        "OutputDataConfig": {"S3OutputPath": ANY, "CompressionType": {"GZIP"}},
        "ResourceConfig": {"InstanceType": ANY, "InstanceCount": {1}, "VolumeSizeInGB": ANY},
        "StoppingCondition": {"MaxRuntimeInSeconds": ANY, "MaxWaitTimeInSeconds": ANY},
        "Tags": ANY,
        "EnableManagedSpotTraining": ANY,
        "CheckpointConfig": ANY,
        "Environment": ANY,
        "ProfilerConfig": {"DisableProfiler": {True}},
        "DebugHookConfig": {},
    },
    "ListTrainingJobs": {
        "NextToken": ANY, "MaxResults": ANY, "CreationTimeAfter": ANY, "CreationTimeBefore": ANY,
        "LastModifiedTimeAfter": ANY, "LastModifiedTimeBefore": ANY, "NameContains": ANY,
        "StatusEquals": ANY, "SortBy": ANY, "SortOrder": ANY,
    },
}  # fmt: skip


class Training:
    """The operations on training jobs."""

    emulated = EMULATED

    def __init__(self, context: Context, jobs: TrainingJobs) -> None:
        self._context, self._store, self._jobs = context, context.store, jobs

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "ListTrainingJobs": self.list_,
            "StopTrainingJob": self.stop,
            "DeleteTrainingJob": self.delete,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name = request["TrainingJobName"]
        arn = self._context.arn("training-job", name)
        self._check(request)
        record = new_record(
            request,
            arn,
            TrainingJobArn=arn,
            TrainingJobStatus="InProgress",
            ModelArtifacts={"S3ModelArtifacts": _artifact(request)},
            **transition({}, "Starting", "Starting the training job"),
        )
        record.setdefault("StoppingCondition", {}).setdefault("MaxRuntimeInSeconds", _DAY)
        if not self._store.add(KIND, name, record):
            raise in_use(
                "Training job names must be unique within an AWS account and region, and a training job "
                f"with this name already exists ({arn})"
            )
        self._jobs.start(name)
        return {"TrainingJobArn": arn}

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

    def delete(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if record["TrainingJobStatus"] in ("InProgress", "Stopping"):
            raise in_use(f"The training job is in status {_status(record)} and cannot be deleted.")
        self._store.delete(KIND, record["TrainingJobName"])
        return {}

    def _find(self, request: Request) -> Record:
        record = self._store.get(KIND, request["TrainingJobName"])
        if record is None:
            raise validation("Requested resource not found.")
        return record

    def _check(self, request: Request) -> None:
        """The service's rules beyond the model's shapes."""
        for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
            if request.get(member) is None:
                raise validation(f"{member} is required.")
        specification = request["AlgorithmSpecification"]
        self._context.image(specification.get("TrainingImage"), "AlgorithmSpecification.TrainingImage")
        self._context.check_role(request["RoleArn"])
        _check_resources(request["ResourceConfig"])
        _check_metrics(specification.get("MetricDefinitions", []))
        _check_stopping(request)
        _check_channels(request.get("InputDataConfig", []))
        _check_uri(request["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
        checkpoints = request.get("CheckpointConfig")
        if checkpoints:
            _check_uri(checkpoints["S3Uri"], "CheckpointConfig.S3Uri")
            if not _inside_opt_ml(checkpoints.get("LocalPath", "/opt/ml/checkpoints")):
                raise not_emulated("CheckpointConfig.LocalPath outside /opt/ml")


def _status(record: Record) -> str:
    return str(record["TrainingJobStatus"])


def _artifact(request: Request) -> str:
    path = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    return f"{path}/{request['TrainingJobName']}/output/model.tar.gz"


def _inside_opt_ml(path: str) -> bool:
    return re.match(r"/opt/ml/[^/]", path) is not None and ".." not in path.split("/")


def _check_uri(uri: str, member: str) -> None:
    try:
        split_uri(uri)
    except ObjectError as error:
        raise validation(f"{member}: {error}") from error


def _check_resources(resources: dict[str, Any]) -> None:
    if not resources.get("InstanceType"):
        raise validation("ResourceConfig.InstanceType is required.")
    if resources.get("InstanceCount") is None:
        raise validation("ResourceConfig.InstanceCount is required.")
    if resources.get("VolumeSizeInGB", 0) < 1:
        raise validation("ResourceConfig.VolumeSizeInGB must be at least 1.")


def _check_metrics(definitions: list[dict[str, str]]) -> None:
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            raise validation(f"Metric {definition['Name']}: invalid regular expression: {error}.") from error


def _check_stopping(request: Request) -> None:
    condition = request["StoppingCondition"]
    runtime, wait = condition.get("MaxRuntimeInSeconds", _DAY), condition.get("MaxWaitTimeInSeconds")
    if runtime > _MAX_RUNTIME:
        raise AwsError("ResourceLimitExceeded", f"MaxRuntimeInSeconds may be at most {_MAX_RUNTIME}.")
    if request.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            raise validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds when managed spot training is on."
            )
    elif wait is not None:
        raise validation("MaxWaitTimeInSeconds is only for jobs with EnableManagedSpotTraining.")


def _check_channels(channels: list[dict[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise validation("Channel names must be unique within InputDataConfig.")
    for channel in channels:
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise validation(f"Channel {channel['ChannelName']} has no S3DataSource.")
        if channel["ChannelName"].strip(".") == "":
            raise validation(f"Channel name {channel['ChannelName']!r} is not a folder name.")
        _check_uri(source["S3Uri"], f"Channel {channel['ChannelName']}")
