"""Transform jobs: Create, Describe, List, Stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, new_record
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.hosting import MODEL, definition_of, find
from local_sagemaker.api.trial_components import TrialComponents
from local_sagemaker.aws.objects import ObjectError, split_uri
from local_sagemaker.errors import AwsError, in_use, validation
from local_sagemaker.jobs.transform.jobs import KIND, TransformJobs
from local_sagemaker.jobs.transform.processing import DataProcessing
from local_sagemaker.store import Record

_MAX_PAYLOAD = 100  # MB, of one request and of all that are under way
_MAX_INSTANCES = 4
_SUMMARY = (
    "TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime", "LastModifiedTime",
    "TransformJobStatus", "FailureReason",
)  # fmt: skip
EMULATED: Mapping[str, Emulated] = {
    "CreateTransformJob": {
        "TransformJobName": ANY,
        "ModelName": ANY,
        "MaxConcurrentTransforms": ANY,
        "ModelClientConfig": ANY,
        "MaxPayloadInMB": ANY,
        "BatchStrategy": ANY,
        "Environment": ANY,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": {"S3Prefix", "ManifestFile"}, "S3Uri": ANY}},
            "ContentType": ANY,
            "CompressionType": ANY,
            "SplitType": {"None", "Line", "RecordIO"},
        },
        "TransformOutput": {"S3OutputPath": ANY, "Accept": ANY, "AssembleWith": ANY},
        "TransformResources": {"InstanceType": ANY, "InstanceCount": ANY},
        "DataProcessing": ANY,
        "ExperimentConfig": ANY,
        "Tags": ANY,
    },
}


class Transform:
    """The operations on transform jobs. One container stands for all instances of a job."""

    emulated = EMULATED

    def __init__(self, context: Context, jobs: TransformJobs, components: TrialComponents) -> None:
        self._context, self._store, self._jobs, self._components = context, context.store, jobs, components

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTransformJob": self.create,
            "DescribeTransformJob": self.describe,
            "ListTransformJobs": self.list_,
            "StopTransformJob": self.stop,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name = request["TransformJobName"]
        arn = self._context.arn("transform-job", name)
        _check(request)
        self._components.check(request.get("ExperimentConfig", {}))
        model = find(self._context, MODEL, request["ModelName"])
        record = new_record(
            _with_defaults(request),
            arn,
            TransformJobArn=arn,
            TransformJobStatus="InProgress",
            _definition=definition_of(model),
            _role=model["ExecutionRoleArn"],
        )
        if not self._store.add(KIND, name, record):
            raise in_use(
                "Job name must be unique within an AWS account and region, and a job with this name already "
                f"exists ({arn})"
            )
        self._components.track(KIND, record)
        self._jobs.start(name)
        return {"TransformJobArn": arn}

    def describe(self, request: Request) -> Record:
        return self._find(request)

    def list_(self, request: Request) -> dict[str, Any]:
        records = self._store.all(KIND)
        status = "TransformJobStatus"
        return listing.page(records, request, answer="TransformJobSummaries", members=_SUMMARY, status=status)

    def stop(self, request: Request) -> dict[str, Any]:
        record = self._find(request)
        status = record["TransformJobStatus"]
        if status not in ("InProgress", "Stopping"):
            raise validation(f"The request was rejected because the transform job is in status {status}.")
        self._jobs.stop(record["TransformJobName"])
        return {}

    def _find(self, request: Request) -> Record:
        record = self._store.get(KIND, request["TransformJobName"])
        if record is None:
            raise validation(f"Could not find requested job with name: {request['TransformJobName']}")
        return record


def _with_defaults(request: Request) -> Request:
    """The request with the values that AWS shows for what it leaves out."""
    source = {"CompressionType": "None", "SplitType": "None", **request["TransformInput"]}
    output = {"AssembleWith": "None", **request["TransformOutput"]}
    return {**request, "TransformInput": source, "TransformOutput": output}


def _check(request: Request) -> None:
    """The service's rules beyond the model's shapes. Raises AwsError."""
    payload, concurrent = request.get("MaxPayloadInMB", 0), request.get("MaxConcurrentTransforms", 0)
    if max(1, concurrent) * payload > _MAX_PAYLOAD:
        raise validation(
            f"MaxPayloadInMB, and MaxConcurrentTransforms * MaxPayloadInMB, must not be greater than {_MAX_PAYLOAD} MB."
        )
    resources = request["TransformResources"]
    if resources["InstanceCount"] > _MAX_INSTANCES:
        raise AwsError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{resources['InstanceType']} for transform job usage' is "
            f"{_MAX_INSTANCES} Instances, with current utilization of 0 Instances and a request delta of "
            f"{resources['InstanceCount']} Instances. The local SageMaker emulates no more.",
        )
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    uris = {
        "TransformInput.DataSource.S3DataSource.S3Uri": source["S3Uri"],
        "TransformOutput.S3OutputPath": request["TransformOutput"]["S3OutputPath"],
    }
    for member, uri in uris.items():
        try:
            split_uri(uri)
        except ObjectError as error:
            raise validation(f"{member}: {error}.") from error
    try:
        DataProcessing(request)
    except ValueError as error:
        raise validation(f"{error}.") from error
