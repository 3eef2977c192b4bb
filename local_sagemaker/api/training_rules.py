"""The service's rules for a training job's request, beyond the shapes of its members."""

from __future__ import annotations

import re
from typing import Any

from local_sagemaker.api.context import Request
from local_sagemaker.aws.objects import ObjectError, split_uri
from local_sagemaker.errors import AwsError, not_emulated, validation
from local_sagemaker.jobs.cluster import MAX_HOSTS
from local_sagemaker.jobs.inputs.channels import Channel

DAY = 24 * 60 * 60
_MAX_RUNTIME = 28 * DAY


def check_members(request: Request) -> None:
    """Raise ValidationException when a member is missing that every training job needs here."""
    for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if request.get(member) is None:
            raise validation(f"{member} is required.")


def check(request: Request) -> None:
    """Raise AwsError for the first rule that the request breaks."""
    specification = request["AlgorithmSpecification"]
    _check_resources(request["ResourceConfig"])
    _check_metrics(specification.get("MetricDefinitions", []))
    _check_stopping(request)
    _check_channels(request.get("InputDataConfig", []), specification["TrainingInputMode"])
    _check_uri(request["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
    for member, uri in {"CheckpointConfig": "S3Uri", "TensorBoardOutputConfig": "S3OutputPath"}.items():
        if config := request.get(member):
            _check_uri(config[uri], f"{member}.{uri}")
            if not _inside_opt_ml(config.get("LocalPath", "/opt/ml/default")):
                raise not_emulated(f"{member}.LocalPath outside /opt/ml")


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
    count = resources.get("InstanceCount")
    if count is None:
        raise validation("ResourceConfig.InstanceCount is required.")
    if count < 1:
        raise validation("ResourceConfig.InstanceCount must be at least 1.")
    if count > MAX_HOSTS:
        raise AwsError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{resources['InstanceType']} for training job usage' is {MAX_HOSTS} "
            f"Instances, with a request delta of {count} Instances. One machine emulates no more.",
        )
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
    runtime, wait = condition.get("MaxRuntimeInSeconds", DAY), condition.get("MaxWaitTimeInSeconds")
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


def _check_channels(members: list[dict[str, Any]], default_mode: str) -> None:
    names = [member["ChannelName"] for member in members]
    if len(set(names)) < len(names):
        raise validation("Channel names must be unique within InputDataConfig.")
    for member in members:
        name, source = member["ChannelName"], member["DataSource"].get("S3DataSource")
        if source is None:
            raise validation(f"Channel {name} has no S3DataSource.")
        if name.strip(".") == "":
            raise validation(f"Channel name {name!r} is not a folder name.")
        _check_uri(source["S3Uri"], f"Channel {name}")
        _check_channel(Channel.of(member, default_mode), names)


def _check_channel(channel: Channel, names: list[str]) -> None:
    """What goes together in one channel."""
    augmented, piped = channel.data_type == "AugmentedManifestFile", channel.mode == "Pipe"
    where = f"Channel {channel.name}:"
    if augmented and not piped:
        raise validation(f"{where} AugmentedManifestFile is only for the input mode Pipe, not {channel.mode}.")
    if augmented and not channel.attributes:
        raise validation(f"{where} AugmentedManifestFile needs AttributeNames.")
    if channel.attributes and not augmented:
        raise validation(f"{where} AttributeNames are only for AugmentedManifestFile, not {channel.data_type}.")
    if channel.wrapped and not piped:
        raise validation(f"{where} RecordWrapperType RecordIO is only for the input mode Pipe, not {channel.mode}.")
    if channel.gzipped and not piped:
        raise validation(f"{where} CompressionType Gzip is only for the input mode Pipe, not {channel.mode}.")
    if channel.gzipped and augmented:
        raise not_emulated(f"{where} CompressionType Gzip of an AugmentedManifestFile")
    clash = next((other for other in names if re.fullmatch(re.escape(channel.name) + r"_\d+", other)), None)
    if piped and clash:
        raise validation(f"{where} its pipes {channel.name}_<epoch> clash with channel {clash}.")
