"""A model's data in S3: whether it is there, and how it comes to the container's /opt/ml/model.

Rules: SageMaker API reference, ContainerDefinition and S3ModelDataSource.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.aws.objects import ObjectError, Objects, split_uri
from local_sagemaker.errors import validation
from local_sagemaker.jobs.archive import unpack

_FORMS = {("S3Prefix", "None"), ("S3Object", "None"), ("S3Object", "Gzip")}


def location(container: Mapping[str, Any]) -> str | None:
    """The URI of a container definition's model data; None when it has none."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return source["S3Uri"] if source else container.get("ModelDataUrl")


def check(objects: Objects, container: Mapping[str, Any]) -> None:
    """Raise AwsError (ValidationException) unless the definition is sound and its data is in S3."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source and "ModelDataUrl" in container:
        raise validation("A container definition may have ModelDataUrl or ModelDataSource, not both.")
    if source:
        form = source["S3DataType"], source["CompressionType"]
        if form not in _FORMS:
            raise validation(f"CompressionType {form[1]} is not supported for S3DataType {form[0]} of model data.")
        if form[0] == "S3Prefix" and not source["S3Uri"].endswith("/"):
            raise validation(f"The S3Uri {source['S3Uri']} of S3DataType S3Prefix must end with a forward slash.")
    if uri := location(container):
        try:
            _require(objects, uri, prefix=bool(source) and source["S3DataType"] == "S3Prefix")
        except ObjectError as error:
            raise validation(f"Could not find model data at {uri}: {error}.") from error


def fetch(objects: Objects, container: Mapping[str, Any], folder: Path) -> None:
    """Place the model data in ``folder``. Raises ObjectError, ArchiveError or OSError."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    uri = location(container)
    if uri is None:
        return
    if source is None or source["CompressionType"] == "Gzip":
        unpack(objects.get(uri).path, folder, uri)
        return
    _require(objects, uri, prefix=source["S3DataType"] == "S3Prefix")
    objects.download(uri, folder)


def _require(objects: Objects, uri: str, *, prefix: bool) -> None:
    if not prefix:
        objects.get(uri)
    elif not any(stored.key != split_uri(uri)[1] for stored in objects.find(uri)):
        raise ObjectError(f"there is no object under {uri}")
