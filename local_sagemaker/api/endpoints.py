"""Endpoints: Create, Describe, List, Update, UpdateWeightsAndCapacities, Delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request, now_seconds
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.hosting import CONFIG, MODEL, create, definition_of, find
from local_sagemaker.api.variants import check_capacity, summary
from local_sagemaker.errors import AwsError, validation
from local_sagemaker.hosting.endpoints import KIND, Endpoints
from local_sagemaker.store import Record

_SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
_KEPT = {
    "DesiredInstanceCount": ("CurrentInstanceCount", "DesiredInstanceCount"),
    "DesiredWeight": ("CurrentWeight", "DesiredWeight"),
}
EMULATED: Mapping[str, Emulated] = {
    "CreateEndpoint": {"EndpointName": ANY, "EndpointConfigName": ANY, "Tags": ANY},
    "UpdateEndpoint": {
        "EndpointName": ANY,
        "EndpointConfigName": ANY,
        "RetainAllVariantProperties": ANY,
        "ExcludeRetainedVariantProperties": {"VariantPropertyType": {"DesiredInstanceCount", "DesiredWeight"}},
    },
    "UpdateEndpointWeightsAndCapacities": {
        "EndpointName": ANY,
        "DesiredWeightsAndCapacities": {"VariantName": ANY, "DesiredWeight": ANY, "DesiredInstanceCount": ANY},
    },
}


class EndpointOperations:
    """The operations on endpoints."""

    emulated = EMULATED

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context, self._store, self._endpoints = context, context.store, endpoints

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateEndpoint": self.create,
            "DescribeEndpoint": self.describe,
            "ListEndpoints": self.list_,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.update_weights,
            "DeleteEndpoint": self.delete,
        }

    def create(self, request: Request) -> dict[str, Any]:
        plan = self._plan(request["EndpointConfigName"], number=0)
        answer = create(self._context, KIND, request, EndpointStatus="Creating", **plan)
        self._endpoints.start(request["EndpointName"])
        return answer

    def describe(self, request: Request) -> Record:
        record = find(self._context, KIND, request["EndpointName"])
        return {name: value for name, value in record.items() if value is not None}

    def list_(self, request: Request) -> dict[str, Any]:
        records = self._store.all(KIND)
        return listing.page(records, request, answer="Endpoints", members=_SUMMARY, status="EndpointStatus")

    def update(self, request: Request) -> dict[str, Any]:
        name = request["EndpointName"]
        record = find(self._context, KIND, name)
        find(self._context, CONFIG, record["EndpointConfigName"])  # AWS wants the present configuration too
        plan = self._plan(request["EndpointConfigName"], number=record["_number"] + 1)
        if request.get("RetainAllVariantProperties"):
            excluded = {p["VariantPropertyType"] for p in request.get("ExcludeRetainedVariantProperties", [])}
            plan["ProductionVariants"] = _retained(record, plan, excluded)
        pending = {
            "EndpointConfigName": plan["EndpointConfigName"],
            "ProductionVariants": plan["ProductionVariants"],
            "StartTime": now_seconds(),
        }
        return self._begin(name, plan, PendingDeploymentSummary=pending)

    def update_weights(self, request: Request) -> dict[str, Any]:
        name = request["EndpointName"]
        record = find(self._context, KIND, name)
        changes = {change["VariantName"]: change for change in request["DesiredWeightsAndCapacities"]}
        present = {variant["VariantName"] for variant in record["ProductionVariants"]}
        if unknown := sorted(changes.keys() - present):
            raise validation(f"Endpoint {name} has no production variant {unknown[0]}.")
        settings = [planned["variant"] for planned in record["_variants"]]
        wanted = [
            _wanted(variant, changes.get(variant["VariantName"], {}), setting)
            for variant, setting in zip(record["ProductionVariants"], settings, strict=True)
        ]
        if sum(variant["DesiredWeight"] for variant in wanted) <= 0:
            raise validation("At least one production variant needs a DesiredWeight above 0.")
        reached = [
            {
                **variant,
                "CurrentWeight": variant["DesiredWeight"],
                "CurrentInstanceCount": variant["DesiredInstanceCount"],
            }
            for variant in wanted
        ]
        return self._begin(name, {"ProductionVariants": reached}, ProductionVariants=wanted)

    def delete(self, request: Request) -> dict[str, Any]:
        name = request["EndpointName"]
        record = find(self._context, KIND, name)
        if record["EndpointStatus"] not in ("InService", "Failed"):
            raise _in_progress(record)
        self._endpoints.delete(name)
        return {}

    def _plan(self, config_name: str, number: int) -> dict[str, Any]:
        """The members of an endpoint's record that follow from a configuration. Raises AwsError."""
        config = find(self._context, CONFIG, config_name)
        variants, now = [], now_seconds()
        for variant in config["ProductionVariants"]:
            model = find(self._context, MODEL, variant["ModelName"])
            check_capacity(variant.get("InstanceType"), variant.get("InitialInstanceCount", 0))
            definition = definition_of(model)
            variants.append({"variant": variant, "definition": definition})
        return {
            "EndpointConfigName": config_name,
            "ProductionVariants": [summary(p["variant"], p["definition"], now) for p in variants],
            "AsyncInferenceConfig": config.get("AsyncInferenceConfig"),
            "_variants": variants,
            "_number": number,
        }

    def _begin(self, name: str, pending: dict[str, Any], **members: Any) -> dict[str, Any]:
        """Set an update going. Raises AwsError for an endpoint that is not in service."""

        def changes(record: Record) -> Record:
            if record["EndpointStatus"] == "Failed":
                raise validation(f'Cannot update failed endpoint "{record["EndpointArn"]}": it can only be deleted.')
            if record["EndpointStatus"] != "InService":
                raise _in_progress(record)
            news = {"FailureReason": None, "LastModifiedTime": now_seconds(), **members}
            return {"EndpointStatus": "Updating", "_pending": pending, **news}

        record = self._store.change(KIND, name, changes) or find(self._context, KIND, name)
        self._endpoints.update(name)
        return {"EndpointArn": record["EndpointArn"]}


def _in_progress(record: Record) -> AwsError:
    return validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')


def _wanted(variant: dict[str, Any], change: Mapping[str, Any], setting: Mapping[str, Any]) -> dict[str, Any]:
    """A variant's summary with the change that is asked for. ``setting`` is the variant in the configuration."""
    wanted = {name: change[name] for name in ("DesiredWeight", "DesiredInstanceCount") if name in change}
    if "DesiredInstanceCount" in wanted:
        if "ServerlessConfig" in setting:
            raise validation(f"Production variant {variant['VariantName']} is serverless and has no instance count.")
        if wanted["DesiredInstanceCount"] < 1:
            raise validation("DesiredInstanceCount must be at least 1.")
        check_capacity(setting["InstanceType"], wanted["DesiredInstanceCount"])
    return {**variant, **wanted}


def _retained(record: Record, plan: Record, excluded: set[str]) -> list[dict[str, Any]]:
    """The new variants with the weights and instance counts that those of the same name have now."""
    present = {variant["VariantName"]: variant for variant in record["ProductionVariants"]}
    kept = [name for kind, names in _KEPT.items() if kind not in excluded for name in names]
    return [
        {**variant, **{name: present.get(variant["VariantName"], variant)[name] for name in kept}}
        for variant in plan["ProductionVariants"]
    ]
