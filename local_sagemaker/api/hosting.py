"""Models and endpoint configurations: Create, Describe, List, Delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, new_record
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.model_registry import ModelRegistry
from local_sagemaker.api.variants import check_variants
from local_sagemaker.aws.objects import ObjectError, split_uri
from local_sagemaker.errors import not_emulated, validation
from local_sagemaker.hosting import model_data
from local_sagemaker.hosting.endpoints import KIND as ENDPOINT
from local_sagemaker.store import Record

MODEL, CONFIG = "Model", "EndpointConfig"
_WORDS = {MODEL: "model", CONFIG: "endpoint configuration", ENDPOINT: "endpoint"}
_ARN_KINDS = {MODEL: "model", CONFIG: "endpoint-config", ENDPOINT: "endpoint"}

_CONTAINER = {
    "ContainerHostname": ANY,
    "Image": ANY,
    "ModelPackageName": ANY,
    "Mode": {"SingleModel"},
    "ModelDataUrl": ANY,
    "ModelDataSource": {
        "S3DataSource": {"S3Uri": ANY, "S3DataType": ANY, "CompressionType": ANY, "ModelAccessConfig": ANY}
    },
    "Environment": ANY,
}
EMULATED: Mapping[str, Emulated] = {
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
            "InitialInstanceCount": ANY,
            "InstanceType": ANY,
            "InitialVariantWeight": ANY,
            "ServerlessConfig": ANY,
            "VolumeSizeInGB": ANY,
            "ModelDataDownloadTimeoutInSeconds": ANY,
            "ContainerStartupHealthCheckTimeoutInSeconds": ANY,
        },
        "AsyncInferenceConfig": {
            "ClientConfig": ANY,
            "OutputConfig": {"S3OutputPath": ANY, "S3FailurePath": ANY},
        },
        "ExecutionRoleArn": ANY,
        "Tags": ANY,
    },
}


def find(context: Context, kind: str, name: str) -> Record:
    """The record of a model, an endpoint configuration or an endpoint. Raises AwsError when there is none."""
    record = context.store.get(kind, name)
    if record is None:
        raise validation(f'Could not find {_WORDS[kind]} "{context.arn(_ARN_KINDS[kind], name)}".')
    return record


def create(context: Context, kind: str, request: Request, **members: Any) -> dict[str, Any]:
    """Store the record of a Create request and answer with its ARN. Raises AwsError when the name is taken."""
    name = request[f"{kind}Name"]
    arn = context.arn(_ARN_KINDS[kind], name)
    if not context.store.add(kind, name, new_record(request, arn, **{f"{kind}Arn": arn}, **members)):
        raise validation(f'Cannot create already existing {_WORDS[kind]} "{arn}".')
    return {f"{kind}Arn": arn}


def definition_of(model: Record) -> dict[str, Any]:
    """The definition of a model's container, from its model package if it has one."""
    found: dict[str, Any] = model.get("_definition") or model.get("PrimaryContainer") or model["Containers"][0]
    return found


class Hosting:
    """The operations on models and endpoint configurations. Both may be deleted while an endpoint uses them."""

    emulated = EMULATED

    def __init__(self, context: Context, registry: ModelRegistry) -> None:
        self._context, self._store, self._registry = context, context.store, registry

    def operations(self) -> dict[str, Operation]:
        operations: dict[str, Operation] = {
            "CreateModel": self.create_model,
            "CreateEndpointConfig": self.create_config,
        }
        for kind in (MODEL, CONFIG):
            operations |= {
                f"Describe{kind}": lambda request, kind=kind: find(self._context, kind, request[f"{kind}Name"]),  # type: ignore[misc]
                f"Delete{kind}": lambda request, kind=kind: self._delete(kind, request),  # type: ignore[misc]
                f"List{kind}s": lambda request, kind=kind: self._list(kind, request),  # type: ignore[misc]
            }
        return operations

    def create_model(self, request: Request) -> dict[str, Any]:
        containers = [request["PrimaryContainer"]] if "PrimaryContainer" in request else []
        containers += request.get("Containers", [])
        if not containers:
            raise validation("A model needs a PrimaryContainer.")
        if len(containers) > 1:
            raise not_emulated("A model of several Containers")
        definition = self._registry.definition(containers[0])
        self._context.image(definition.get("Image"), "Image")
        if "ExecutionRoleArn" not in request:
            raise validation("ExecutionRoleArn is required.")
        self._context.check_role(request["ExecutionRoleArn"])
        model_data.check(self._context.objects, definition)
        packaged = {"_definition": definition} if definition is not containers[0] else {}
        return create(self._context, MODEL, request, **packaged)

    def create_config(self, request: Request) -> dict[str, Any]:
        check_variants(request)
        for variant in request["ProductionVariants"]:
            find(self._context, MODEL, variant["ModelName"])
        if "ExecutionRoleArn" in request:
            self._context.check_role(request["ExecutionRoleArn"])
        if "AsyncInferenceConfig" in request:
            _check_async(request["AsyncInferenceConfig"]["OutputConfig"])
        return create(self._context, CONFIG, request)

    def _delete(self, kind: str, request: Request) -> dict[str, Any]:
        name = request[f"{kind}Name"]
        find(self._context, kind, name)
        self._store.delete(kind, name)
        return {}

    def _list(self, kind: str, request: Request) -> dict[str, Any]:
        members = (f"{kind}Name", f"{kind}Arn", "CreationTime")
        return listing.page(self._store.all(kind), request, answer=f"{kind}s", members=members)


def _check_async(output: Mapping[str, str]) -> None:
    if "S3OutputPath" not in output:
        raise validation("AsyncInferenceConfig.OutputConfig.S3OutputPath is required.")
    for member, uri in output.items():
        try:
            split_uri(uri)
        except ObjectError as error:
            raise validation(f"AsyncInferenceConfig.OutputConfig.{member}: {error}.") from error
