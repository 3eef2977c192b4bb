"""The rules of production variants, and what an endpoint's record says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.context import Request
from local_sagemaker.errors import AwsError, not_emulated, validation

MAX_INSTANCES = 4
_MEMORY_STEP = 1024  # MB


def check_variants(request: Request) -> None:
    """Raise AwsError (ValidationException) unless a CreateEndpointConfig's variants are sound."""
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise validation("The VariantName of a production variant must be unique within the endpoint configuration.")
    for variant in variants:
        _check_variant(variant)
    if sum(map(weight, variants)) <= 0:
        raise validation("At least one production variant needs an InitialVariantWeight above 0.")
    serverless = any("ServerlessConfig" in variant for variant in variants)
    if len(variants) > 1 and (serverless or "AsyncInferenceConfig" in request):
        what = "ServerlessConfig" if serverless else "AsyncInferenceConfig"
        raise validation(f"An endpoint configuration with {what} may have one production variant only.")
    if serverless and "AsyncInferenceConfig" in request:
        raise validation("An endpoint configuration may have ServerlessConfig or AsyncInferenceConfig, not both.")


def _check_variant(variant: Mapping[str, Any]) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise not_emulated(f"Production variant {name} without ModelName (inference components)")
    if "ServerlessConfig" in variant:
        for member in ("InstanceType", "InitialInstanceCount", "VolumeSizeInGB"):
            if member in variant:
                raise validation(f"Production variant {name} may have ServerlessConfig or {member}, not both.")
        _check_serverless(variant["ServerlessConfig"])
        return
    for member in ("InstanceType", "InitialInstanceCount"):
        if member not in variant:
            raise validation(f"Production variant {name} needs {member}, or a ServerlessConfig.")


def _check_serverless(config: Mapping[str, int]) -> None:
    memory = config["MemorySizeInMB"]
    if memory % _MEMORY_STEP:
        allowed = ", ".join(str(size) for size in range(_MEMORY_STEP, 6 * _MEMORY_STEP + 1, _MEMORY_STEP))
        raise validation(f"MemorySizeInMB must be one of {allowed}, not {memory}.")
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise validation("ProvisionedConcurrency must not be greater than MaxConcurrency.")


def check_capacity(instance_type: str | None, count: int) -> None:
    """Raise AwsError (ResourceLimitExceeded) when there are more instances than are emulated."""
    if count > MAX_INSTANCES:
        raise AwsError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{instance_type} for endpoint usage' is {MAX_INSTANCES} Instances, with "
            f"current utilization of 0 Instances and a request delta of {count} Instances. "
            "The local SageMaker emulates no more.",
        )


def weight(variant: Mapping[str, Any]) -> float:
    return float(variant.get("InitialVariantWeight", 1.0))


def summary(variant: Mapping[str, Any], definition: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A ProductionVariantSummary. ``now`` in epoch seconds."""
    image = definition["Image"]
    about: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now}],
        "CurrentWeight": weight(variant),
        "DesiredWeight": weight(variant),
    }
    if serverless := variant.get("ServerlessConfig"):
        instances = {"CurrentInstanceCount": 0, "DesiredInstanceCount": 0}
        return {**about, **instances, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    count = variant["InitialInstanceCount"]
    return {**about, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
