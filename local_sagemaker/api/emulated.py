"""What of each request is emulated. Everything else is refused by name, never silently ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.errors import not_emulated

ANY = "any value"
Emulated = Any
"""ANY, the set of values that are emulated, or a dict of the members of a structure (or of a list's items)."""

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
_CONTAINER = {
    "ContainerHostname": ANY,
    "Image": ANY,
    "Mode": {"SingleModel"},
    "ModelDataUrl": ANY,
    "Environment": ANY,
}
EMULATED: dict[str, Emulated] = {
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
    "CreateModel": {
        "ModelName": ANY,
        "PrimaryContainer": _CONTAINER,
        "Containers": _CONTAINER,
        "ExecutionRoleArn": ANY,
        "Tags": ANY,
    },
    "CreateEndpointConfig": {
        "EndpointConfigName": ANY,
        "ProductionVariants": {
            "VariantName": ANY,
            "ModelName": ANY,
            "InitialInstanceCount": {1},
            "InstanceType": ANY,
            "InitialVariantWeight": ANY,
            "VolumeSizeInGB": ANY,
            "ModelDataDownloadTimeoutInSeconds": ANY,
            "ContainerStartupHealthCheckTimeoutInSeconds": ANY,
        },
        "ExecutionRoleArn": ANY,
        "Tags": ANY,
    },
    "CreateEndpoint": {"EndpointName": ANY, "EndpointConfigName": ANY, "Tags": ANY},
    "ListTrainingJobs": {
        "NextToken": ANY, "MaxResults": ANY, "CreationTimeAfter": ANY, "CreationTimeBefore": ANY,
        "LastModifiedTimeAfter": ANY, "LastModifiedTimeBefore": ANY, "NameContains": ANY,
        "StatusEquals": ANY, "SortBy": ANY, "SortOrder": ANY,
    },
}  # fmt: skip


def refuse_rest(operation: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationException for the first member of ``request`` that is not emulated."""
    _refuse(EMULATED.get(operation, ANY), request, "")


def _refuse(emulated: Emulated, value: Any, path: str) -> None:
    if emulated == ANY or value is None:
        return
    if isinstance(value, list):
        for item in value:
            _refuse(emulated, item, path)
    elif isinstance(emulated, set):
        if value not in emulated:
            raise not_emulated(f"{path} {value} (only {', '.join(map(str, emulated))})")
    else:
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            if name in emulated:
                _refuse(emulated[name], item, inner)
            elif _asks(item):
                raise not_emulated(inner)


def _asks(value: Any) -> bool:
    """Whether a member asks for anything: an empty or false one does not."""
    if isinstance(value, dict):
        return any(map(_asks, value.values()))
    return any(map(_asks, value)) if isinstance(value, list) else bool(value)
