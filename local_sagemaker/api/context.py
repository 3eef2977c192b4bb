"""What the operations work on, and what they share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_sagemaker.aws.objects import Objects
from local_sagemaker.aws.services import AwsServices
from local_sagemaker.errors import validation
from local_sagemaker.images import Image, ImageError, Registry
from local_sagemaker.store import Record, Store
from local_sagemaker.workspace import ACCOUNT_ID, Connection, Workspace

Request = dict[str, Any]
Operation = Callable[[Request], dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """The server's parts."""

    workspace: Workspace
    connection: Connection
    services: AwsServices
    objects: Objects
    registry: Registry
    store: Store

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a SageMaker resource; ``kind`` as ARNs spell it, such as "training-job"."""
        return f"arn:aws:sagemaker:{self.connection.region}:{ACCOUNT_ID}:{kind}/{name}"

    def image(self, uri: str | None, member: str) -> Image:
        """The image for a URI. Raises ValidationException for one that no entry of the registry answers to."""
        if not uri:
            raise validation(f"{member} must name an image.")
        try:
            image = self.registry.resolve(uri)
        except ImageError as error:
            raise validation(str(error)) from error
        if image is None:
            known = ", ".join(sorted(self.registry.images())) or "none"
            raise validation(f"Cannot find the image {uri} of {member}. Images known to this server: {known}.")
        return image

    def check_role(self, arn: str) -> None:
        """Raise ValidationException unless SageMaker can assume the role."""
        if not self.services.has_role(arn):
            raise validation(
                f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            )


def new_record(request: Request, arn: str, **members: Any) -> Record:
    """A record out of a Create request."""
    now = now_seconds()
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    kept = {name: value for name, value in request.items() if name != "Tags" and value is not None}
    return {**kept, "CreationTime": now, "LastModifiedTime": now, "_arn": arn, "_tags": tags, **members}


def now_seconds() -> float:
    """Epoch seconds, to the millisecond as AWS gives them."""
    return round(time.time(), 3)
