"""Models, endpoint configurations and endpoints: Create, Describe, List, Delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, new_record
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.errors import not_emulated, validation
from local_sagemaker.hosting.endpoints import KIND as ENDPOINT
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.store import Record

MODEL, CONFIG = "Model", "EndpointConfig"
_WORDS = {MODEL: "model", CONFIG: "endpoint configuration", ENDPOINT: "endpoint"}
_ARN_KINDS = {MODEL: "model", CONFIG: "endpoint-config", ENDPOINT: "endpoint"}

_CONTAINER = {
    "ContainerHostname": ANY,
    "Image": ANY,
    "Mode": {"SingleModel"},
    "ModelDataUrl": ANY,
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
}


class Hosting:
    """The operations on models, endpoint configurations and endpoints."""

    emulated = EMULATED

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context, self._store, self._endpoints = context, context.store, endpoints

    def operations(self) -> dict[str, Operation]:
        operations: dict[str, Operation] = {
            "CreateModel": self.create_model,
            "CreateEndpointConfig": self.create_config,
            "CreateEndpoint": self.create_endpoint,
            "DeleteModel": lambda request: self._delete(MODEL, request),
            "DeleteEndpointConfig": lambda request: self._delete(CONFIG, request),
            "DeleteEndpoint": self.delete_endpoint,
            "ListModels": lambda request: self._list(MODEL, "Models", request),
            "ListEndpointConfigs": lambda request: self._list(CONFIG, "EndpointConfigs", request),
            "ListEndpoints": lambda request: self._list(ENDPOINT, "Endpoints", request),
        }
        for kind in _WORDS:
            operations[f"Describe{kind}"] = lambda request, kind=kind: self._find(kind, request[f"{kind}Name"])  # type: ignore[misc]
        return operations

    def create_model(self, request: Request) -> dict[str, Any]:
        containers = [request["PrimaryContainer"]] if "PrimaryContainer" in request else []
        containers += request.get("Containers", [])
        if not containers:
            raise validation("A model needs a PrimaryContainer.")
        if len(containers) > 1:
            raise not_emulated("A model of several Containers")
        self._context.image(containers[0].get("Image"), "Image")
        if "ExecutionRoleArn" not in request:
            raise validation("ExecutionRoleArn is required.")
        self._context.check_role(request["ExecutionRoleArn"])
        return self._create(MODEL, request)

    def create_config(self, request: Request) -> dict[str, Any]:
        variants = request["ProductionVariants"]
        if len(variants) != 1:
            raise not_emulated(f"An endpoint configuration with {len(variants)} ProductionVariants")
        if not variants[0].get("InstanceType") or not variants[0].get("ModelName"):
            raise validation("A production variant needs ModelName and InstanceType.")
        self._find(MODEL, variants[0]["ModelName"])
        return self._create(CONFIG, request)

    def create_endpoint(self, request: Request) -> dict[str, Any]:
        name = request["EndpointName"]
        config = self._find(CONFIG, request["EndpointConfigName"])
        variant = config["ProductionVariants"][0]
        model = self._find(MODEL, variant["ModelName"])
        container = model.get("PrimaryContainer") or model["Containers"][0]
        answer = self._create(
            ENDPOINT,
            request,
            EndpointStatus="Creating",
            ProductionVariants=[_variant_summary(variant, container)],
            _variant=variant,
            _container=container,
        )
        self._endpoints.ensure(name)
        return answer

    def delete_endpoint(self, request: Request) -> dict[str, Any]:
        record = self._find(ENDPOINT, request["EndpointName"])
        if record["EndpointStatus"] != "Deleting":
            self._endpoints.delete(request["EndpointName"])
        return {}

    def _create(self, kind: str, request: Request, **members: Any) -> dict[str, Any]:
        name = request[f"{kind}Name"]
        arn = self._context.arn(_ARN_KINDS[kind], name)
        if not self._store.add(kind, name, new_record(request, arn, **{f"{kind}Arn": arn}, **members)):
            raise validation(f'Cannot create already existing {_WORDS[kind]} "{arn}".')
        return {f"{kind}Arn": arn}

    def _delete(self, kind: str, request: Request) -> dict[str, Any]:
        name = request[f"{kind}Name"]
        self._find(kind, name)
        self._store.delete(kind, name)
        return {}

    def _find(self, kind: str, name: str) -> Record:
        record = self._store.get(kind, name)
        if record is None:
            raise validation(f'Could not find {_WORDS[kind]} "{self._context.arn(_ARN_KINDS[kind], name)}".')
        return record

    def _list(self, kind: str, answer: str, request: Request) -> dict[str, Any]:
        members: tuple[str, ...] = (f"{kind}Name", f"{kind}Arn", "CreationTime")
        if kind == ENDPOINT:
            members += ("LastModifiedTime", "EndpointStatus")
        status = "EndpointStatus" if kind == ENDPOINT else None
        return listing.page(self._store.all(kind), request, answer=answer, members=members, status=status)


def _variant_summary(variant: dict[str, Any], container: dict[str, Any]) -> dict[str, Any]:
    weight = variant.get("InitialVariantWeight", 1.0)
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": container["Image"], "ResolvedImage": container["Image"]}],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": 1,
        "DesiredInstanceCount": 1,
    }
