"""SageMaker Runtime: InvokeEndpoint, InvokeEndpointWithResponseStream, InvokeEndpointAsync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import urllib3
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from local_sagemaker.api.context import Context
from local_sagemaker.errors import AwsError
from local_sagemaker.hosting import eventstream
from local_sagemaker.hosting.asynchronous import AsyncInvocations
from local_sagemaker.hosting.deployment import Deployment, Variant
from local_sagemaker.hosting.endpoints import KIND, Endpoints, not_found
from local_sagemaker.hosting.failures import call_failed, refused
from local_sagemaker.hosting.program import ContainerFailure, send
from local_sagemaker.store import Record

MAX_PAYLOAD = 6 * 1024 * 1024
_MAX_SERVERLESS = 4 * 1024 * 1024
_TIMEOUT = 60.0
_STREAM_TIMEOUT = 480.0
_PREFIX = "X-Amzn-SageMaker-"
_CUSTOM, _INFERENCE_ID = f"{_PREFIX}Custom-Attributes", f"{_PREFIX}Inference-Id"
_PASSED_ON = ("Content-Type", "Accept", _CUSTOM, _INFERENCE_ID)
_REFUSED = {
    "Target-Model": "TargetModel",
    "Target-Container-Hostname": "TargetContainerHostname",
    "Inference-Component": "InferenceComponentName",
    "Session-Id": "SessionId",
    "Prefix-Aware-Id": "PrefixAwareId",
    "Enable-Explanations": "EnableExplanations",
}


class Invocations:
    """The calls of endpoints."""

    def __init__(self, context: Context, endpoints: Endpoints, asynchronous: AsyncInvocations) -> None:
        self._store, self._endpoints, self._asynchronous = context.store, endpoints, asynchronous

    def answer(self, kind: str, name: str, headers: Headers, body: bytes) -> Response:
        """The answer to POST /endpoints/<name>/<kind>. Raises AwsError."""
        kinds = {
            "invocations": self.invoke,
            "invocations-response-stream": self.stream,
            "async-invocations": self.defer,
        }
        if kind not in kinds:
            raise AwsError("ValidationError", f"{kind} is not emulated by the local SageMaker.")
        return kinds[kind](self._record(name, headers), headers, body)

    def invoke(self, record: Record, headers: Headers, body: bytes) -> Response:
        """InvokeEndpoint: pass the body to a container and its answer back."""
        _check_call(record, body)
        deployment, variant = self._take(record, headers)
        with deployment.call(variant):
            answer = _send(variant, _passed_on(headers, "Accept"), body, _TIMEOUT, whole=True)
        response = Response(answer.data, 200, content_type=answer.headers.get("Content-Type"))
        return _described(response, variant, answer)

    def stream(self, record: Record, headers: Headers, body: bytes) -> Response:
        """InvokeEndpointWithResponseStream: the container's answer in parts, as they come."""
        _check_call(record, body)
        deployment, variant = self._take(record, headers)
        try:
            passed = _passed_on(headers, f"{_PREFIX}Accept")
            answer = _send(variant, passed, body, _STREAM_TIMEOUT, whole=False)
        except BaseException:
            deployment.release(variant)
            raise
        response = Response(_parts(answer), 200, content_type=eventstream.CONTENT_TYPE)
        response.call_on_close(answer.close)
        response.call_on_close(lambda: deployment.release(variant))
        if "Content-Type" in answer.headers:
            response.headers[f"{_PREFIX}Content-Type"] = answer.headers["Content-Type"]
        return _described(response, variant, answer)

    def defer(self, record: Record, headers: Headers, body: bytes) -> Response:
        """InvokeEndpointAsync: put the call into the endpoint's queue."""
        return self._asynchronous.accept(record, headers, body)

    def _record(self, name: str, headers: Headers) -> Record:
        record = self._store.get(KIND, name)
        if record is None:
            raise not_found(name)
        if record["EndpointStatus"] not in ("InService", "Updating"):
            raise AwsError(
                "ValidationError", f"Endpoint {name} is in status {record['EndpointStatus']}, not InService."
            )
        for header, member in _REFUSED.items():
            if f"{_PREFIX}{header}" in headers:
                raise AwsError("ValidationError", f"{member} is not emulated by the local SageMaker.")
        return record

    def _take(self, record: Record, headers: Headers) -> tuple[Deployment, Variant]:
        return self._endpoints.take(record["EndpointName"], headers.get(f"{_PREFIX}Target-Variant"))


def _check_call(record: Record, body: bytes) -> None:
    if record["AsyncInferenceConfig"]:
        raise AwsError(
            "ValidationError",
            f"Endpoint {record['EndpointName']} has an AsyncInferenceConfig: it takes InvokeEndpointAsync only.",
        )
    serverless = any("ServerlessConfig" in planned["variant"] for planned in record["_variants"])
    largest = _MAX_SERVERLESS if serverless else MAX_PAYLOAD
    if len(body) > largest:
        raise AwsError(
            "ValidationError",
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have "
            f"length less than or equal to {largest}",
        )


def _passed_on(headers: Headers, accept: str) -> dict[str, str]:
    names = {name: accept if name == "Accept" else name for name in _PASSED_ON}
    return {name: headers[given] for name, given in names.items() if given in headers}


def _send(
    variant: Variant, headers: dict[str, str], body: bytes, timeout: float, *, whole: bool
) -> urllib3.BaseHTTPResponse:
    """The container's good answer. Raises AwsError (ModelError) for any other."""
    try:
        answer = send(variant.container, headers, body, timeout, whole=whole)
    except (ContainerFailure, urllib3.exceptions.HTTPError) as error:
        raise call_failed(variant, error, timeout) from error
    if answer.status >= 300:
        raise refused(variant, answer)
    return answer


def _parts(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The events of an answer."""
    try:
        while chunk := answer.read1(eventstream.LARGEST):
            yield eventstream.part(chunk)
    except urllib3.exceptions.HTTPError as error:
        yield eventstream.failure(f"The container's answer broke off: {error}")


def _described(response: Response, variant: Variant, answer: Any) -> Response:
    response.headers["x-Amzn-Invoked-Production-Variant"] = variant.name
    if custom := answer.headers.get(_CUSTOM):
        response.headers[_CUSTOM] = custom
    return response
