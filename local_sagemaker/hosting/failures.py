"""ModelError: what InvokeEndpoint answers when the container fails."""

from __future__ import annotations

import urllib3

from local_sagemaker.errors import AwsError
from local_sagemaker.hosting.deployment import Variant


def call_failed(variant: Variant, error: Exception, timeout: float) -> AwsError:
    """For a call that the container did not answer (urllib3's HTTPError, ContainerFailure)."""
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return _model_error(variant, 0, f"the container did not answer in {timeout:.0f} seconds")
    broken = isinstance(error, urllib3.exceptions.HTTPError)
    return _model_error(variant, 0, f"the connection broke: {error}" if broken else str(error))


def refused(variant: Variant, answer: urllib3.BaseHTTPResponse) -> AwsError:
    """For an answer of a status other than success."""
    return _model_error(variant, answer.status, answer.data.decode("utf-8", "replace"))


def _model_error(variant: Variant, status: int, message: str) -> AwsError:
    side = "client" if 400 <= status < 500 else "server"
    log = variant.container.log
    text = (
        f'Received {side} error ({status}) from {variant.name} with message "{message}". '
        f"The log group {log.group} may tell more."
    )
    return AwsError("ModelError", text, 424, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=log.arn)
