"""S3 URIs and container paths in requests."""

from __future__ import annotations

import re

from local_sagemaker.aws.objects import ObjectError, split_uri
from local_sagemaker.errors import not_emulated, validation


def check_s3_uri(uri: str, member: str) -> None:
    """Raise ValidationException, naming the request's member, unless ``uri`` is s3://bucket/key."""
    try:
        split_uri(uri)
    except ObjectError as error:
        raise validation(f"{member}: {error}") from error


def check_container_path(path: str, member: str) -> None:
    """Raise ValidationException unless ``path`` is below /opt/ml, the only folder that is a container's own here."""
    if re.match(r"/opt/ml/[^/]", path) is None or ".." in path.split("/"):
        raise not_emulated(f"{member} {path!r}, which is not below /opt/ml,")
