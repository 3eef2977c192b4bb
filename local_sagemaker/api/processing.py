"""Processing jobs: Create, Describe, List, Stop, Delete."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, new_record
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.trial_components import TrialComponents
from local_sagemaker.api.uris import check_container_path, check_s3_uri
from local_sagemaker.errors import AwsError, in_use, validation
from local_sagemaker.jobs.cluster import MAX_HOSTS
from local_sagemaker.jobs.processing.jobs import KIND, ProcessingJobs
from local_sagemaker.jobs.processing.run import job_folder
from local_sagemaker.store import Record

_DAY = 24 * 60 * 60  # seconds that a job may run which does not say how long
_SUMMARY = (
    "ProcessingJobName", "ProcessingJobArn", "CreationTime", "ProcessingEndTime", "LastModifiedTime",
    "ProcessingJobStatus", "FailureReason", "ExitMessage",
)  # fmt: skip
_INPUT = {
    "S3Uri": ANY,
    "LocalPath": ANY,
    "S3DataType": ANY,
    "S3InputMode": {"File"},
    "S3DataDistributionType": ANY,
    "S3CompressionType": ANY,
}
EMULATED: Mapping[str, Emulated] = {
    "CreateProcessingJob": {
        "ProcessingJobName": ANY,
        "ProcessingInputs": {"InputName": ANY, "S3Input": _INPUT},
        "ProcessingOutputConfig": {
            "Outputs": {"OutputName": ANY, "S3Output": {"S3Uri": ANY, "LocalPath": ANY, "S3UploadMode": ANY}},
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": ANY, "InstanceType": ANY, "VolumeSizeInGB": ANY},
        },
        "StoppingCondition": ANY,
        "AppSpecification": ANY,
        "Environment": ANY,
        "NetworkConfig": {},
        "RoleArn": ANY,
        "Tags": ANY,
        "ExperimentConfig": ANY,
    },
}


class Processing:
    """The operations on processing jobs."""

    emulated = EMULATED

    def __init__(self, context: Context, jobs: ProcessingJobs, components: TrialComponents) -> None:
        self._context, self._store, self._jobs, self._components = context, context.store, jobs, components

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": self._find,
            "ListProcessingJobs": self.list_,
            "StopProcessingJob": self.stop,
            "DeleteProcessingJob": self.delete,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name = request["ProcessingJobName"]
        arn = self._context.arn("processing-job", name)
        self._check(request)
        record = new_record(request, arn, ProcessingJobArn=arn, ProcessingJobStatus="InProgress")
        record.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": _DAY})
        if not self._store.add(KIND, name, record):
            raise in_use(
                "Processing job names must be unique within an AWS account and region, and a processing job "
                f"with this name already exists ({arn})"
            )
        self._components.track(KIND, record)
        self._jobs.start(name)
        return {"ProcessingJobArn": arn}

    def list_(self, request: Request) -> dict[str, Any]:
        records, status = self._store.all(KIND), "ProcessingJobStatus"
        return listing.page(records, request, answer="ProcessingJobSummaries", members=_SUMMARY, status=status)

    def stop(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if not self._jobs.running(record):
            raise validation(f"The request was rejected because the processing job is in status {_status(record)}.")
        self._jobs.stop(record["ProcessingJobName"])
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        if self._jobs.running(record):
            raise in_use(f"The processing job is in status {_status(record)} and cannot be deleted.")
        self._store.delete(KIND, record["ProcessingJobName"])
        shutil.rmtree(job_folder(self._context, record["ProcessingJobName"]), ignore_errors=True)
        return {}

    def _find(self, request: Request) -> Record:
        record = self._store.get(KIND, request["ProcessingJobName"])
        if record is None:
            raise validation(f"Could not find requested job with name: {request['ProcessingJobName']}")
        return record

    def _check(self, request: Request) -> None:
        """The service's rules beyond the model's shapes."""
        self._context.image(request["AppSpecification"]["ImageUri"], "AppSpecification.ImageUri")
        self._context.check_role(request["RoleArn"])
        _check_resources(request["ProcessingResources"]["ClusterConfig"])
        inputs = request.get("ProcessingInputs", [])
        outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        _check_names([member["InputName"] for member in inputs], "InputName")
        _check_names([member["OutputName"] for member in outputs], "OutputName")
        for member in inputs:
            _check_input(member)
        for member in outputs:
            _check_place(member, "S3Output", f"Output {member['OutputName']}")
        self._components.check(request.get("ExperimentConfig", {}))


def _status(record: Record) -> str:
    return str(record["ProcessingJobStatus"])


def _check_names(names: list[str], member: str) -> None:
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise validation(f"{member} must be unique within a processing job: {doubled} is there twice.")


def _check_input(member: Request) -> None:
    where = f"Input {member['InputName']}"
    _check_place(member, "S3Input", where)
    if member["S3Input"].get("S3CompressionType") == "Gzip":
        raise validation(f"{where}: S3CompressionType Gzip is only for the S3InputMode Pipe, not File.")


def _check_place(member: Request, kind: str, where: str) -> None:
    """An input or output must be in S3 and in the container."""
    if kind not in member:
        raise validation(f"{where}: {kind} is required.")
    check_s3_uri(member[kind]["S3Uri"], where)
    if not member[kind].get("LocalPath"):
        raise validation(f"{where}: LocalPath is required.")
    check_container_path(member[kind]["LocalPath"], f"{where}: LocalPath")


def _check_resources(resources: Request) -> None:
    for member in ("InstanceType", "InstanceCount"):
        if resources.get(member) is None:
            raise validation(f"ProcessingResources.ClusterConfig.{member} is required.")
    count, instance_type = resources["InstanceCount"], resources["InstanceType"]
    if count > MAX_HOSTS:
        raise AwsError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{instance_type} for processing job usage' is {MAX_HOSTS} Instances, "
            f"with a request delta of {count} Instances. One machine emulates no more.",
        )
