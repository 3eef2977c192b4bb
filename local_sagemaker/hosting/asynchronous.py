"""InvokeEndpointAsync: calls that wait in a queue, which survives the server, and whose answers go to S3."""

from __future__ import annotations

import base64
import json
import logging
import re
import shutil
import threading
import uuid
from collections import Counter, defaultdict, deque
from pathlib import Path
from typing import Any

import urllib3
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.aws.objects import ObjectError, split_uri
from local_sagemaker.errors import AwsError
from local_sagemaker.hosting.endpoints import KIND as ENDPOINT
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.failures import call_failed, refused
from local_sagemaker.hosting.program import Body, ContainerFailure, send
from local_sagemaker.store import Record

KIND = "AsyncInvocation"
_PREFIX = "X-Amzn-SageMaker-"
_PASSED_ON = {
    "Content-Type": f"{_PREFIX}Content-Type", "Accept": f"{_PREFIX}Accept",
    f"{_PREFIX}Custom-Attributes": f"{_PREFIX}Custom-Attributes",
    f"{_PREFIX}Inference-Id": f"{_PREFIX}Inference-Id",
}  # fmt: skip
_REFUSED = {"S3OutputPathExtension": "S3OutputPathExtension", "Filename": "Filename"}
_MAX_BODY = 128_000
_TTL, _TIMEOUT = 6 * 60 * 60, 15 * 60  # seconds, unless the call says otherwise
_CONCURRENCY = 4  # calls at a time, unless the configuration says otherwise

log = logging.getLogger(__name__)


class AsyncInvocations:
    """The queues of the endpoints that have an AsyncInferenceConfig."""

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context, self._store, self._endpoints = context, context.store, endpoints
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[Record]] = defaultdict(deque)
        self._active: Counter[str] = Counter()
        self._closing = False

    def recover(self) -> None:
        """After a restart: the calls that had not been answered wait again."""
        for path in self._context.workspace.endpoints.glob(".*.tmp"):
            path.unlink()
        for call in sorted(self._store.all(KIND), key=lambda call: call["created"]):
            self._waiting[call["endpoint"]].append(call)
        for name in list(self._waiting):
            self._pump(name)

    def close(self) -> None:
        self._closing = True

    def join(self, timeout: float) -> None:
        """Nothing to wait for: what is not answered is on disk."""

    def accept(self, record: Record, headers: Headers, body: bytes) -> Response:
        """Take a call into the queue of an endpoint; the answer to InvokeEndpointAsync. Raises AwsError."""
        name = record["EndpointName"]
        if not record["AsyncInferenceConfig"]:
            raise AwsError(
                "ValidationError", f"Endpoint {name} has no AsyncInferenceConfig: it takes InvokeEndpoint only."
            )
        call = _call(record, headers, body)
        self._store.put(KIND, call["id"], call)
        with self._lock:
            self._waiting[name].append(call)
        self._pump(name)
        response = Response(json.dumps({"InferenceId": call["inference"]}), 202, content_type="application/json")
        response.headers[f"{_PREFIX}OutputLocation"] = call["output"]
        if call["failure"]:
            response.headers[f"{_PREFIX}FailureLocation"] = call["failure"]
        return response

    def _pump(self, name: str) -> None:
        """Start calls of an endpoint, as many as it takes at a time."""
        record = self._store.get(ENDPOINT, name)
        with self._lock:
            waiting = self._waiting[name]
            while waiting and not self._closing and self._active[name] < _concurrency(record):
                self._active[name] += 1
                call = waiting.popleft()
                threading.Thread(target=self._run, args=(call,), name=f"call of {name}", daemon=True).start()

    def _run(self, call: Record) -> None:
        path = self._context.workspace.endpoints / f".{call['id']}.tmp"
        try:
            self._process(call, path)
        except Exception:
            log.exception("asynchronous call of %s", call["endpoint"])
        path.unlink(missing_ok=True)
        if not self._closing:
            self._store.delete(KIND, call["id"])
        with self._lock:
            self._active[call["endpoint"]] -= 1
        self._pump(call["endpoint"])

    def _process(self, call: Record, path: Path) -> None:
        """Send one call and store its answer, or why there is none."""
        try:
            if now_seconds() > call["created"] + call["ttl"]:
                raise AwsError("ValidationError", f"The request expired after {call['ttl']} seconds in the queue.")
            self._send(call, path)
            uri = call["output"]
        except (AwsError, ObjectError) as error:
            path.write_text(getattr(error, "message", str(error)), encoding="utf-8")
            uri = call["failure"]
        if uri and not self._closing:
            self._context.objects.upload(uri, path)

    def _send(self, call: Record, path: Path) -> None:
        """Write the container's answer to ``path``. Raises AwsError or ObjectError."""
        body: Body = base64.b64decode(call["body"]) if call["input"] is None else self._input(call["input"])
        deployment, variant = self._endpoints.take(call["endpoint"], None)
        with deployment.call(variant):
            try:
                answer = send(variant.container, call["headers"], body, call["timeout"], whole=False)
                if answer.status >= 300:
                    raise refused(variant, answer)
                with path.open("wb") as stream:
                    shutil.copyfileobj(answer, stream)
            except (ContainerFailure, urllib3.exceptions.HTTPError) as error:
                raise call_failed(variant, error, call["timeout"]) from error

    def _input(self, uri: str) -> Path:
        return self._context.objects.get(uri).path


def _concurrency(record: Record | None) -> int:
    if record is None:
        return 1  # what waits for an endpoint that is gone fails
    client = (record["AsyncInferenceConfig"] or {}).get("ClientConfig", {})
    return int(client.get("MaxConcurrentInvocationsPerInstance", _CONCURRENCY))


def _call(record: Record, headers: Headers, body: bytes) -> Record:
    """The record of a call. Raises AwsError (ValidationError)."""
    for header, member in _REFUSED.items():
        if f"{_PREFIX}{header}" in headers:
            raise AwsError("ValidationError", f"{member} is not emulated by the local SageMaker.")
    uri = headers.get(f"{_PREFIX}InputLocation")
    _check_input(uri, body)
    identity = str(uuid.uuid4())
    output = record["AsyncInferenceConfig"]["OutputConfig"]
    failures = output.get("S3FailurePath")
    return {
        "id": identity,
        "endpoint": record["EndpointName"],
        "created": now_seconds(),
        "inference": headers.get(f"{_PREFIX}Inference-Id", identity),
        "input": uri,
        "body": "" if uri else base64.b64encode(body).decode(),
        "headers": {name: headers[given] for name, given in _PASSED_ON.items() if given in headers},
        "output": f"{output['S3OutputPath'].rstrip('/')}/{identity}.out",
        "failure": f"{failures.rstrip('/')}/{identity}-error.out" if failures else None,
        "ttl": _seconds(headers, "RequestTTLSeconds", (60, 21600), _TTL),
        "timeout": _seconds(headers, "InvocationTimeoutSeconds", (1, 3600), _TIMEOUT),
    }


def _check_input(uri: str | None, body: bytes) -> None:
    if (uri is None) == (not body):
        raise AwsError("ValidationError", "A request needs either InputLocation or a Body.")
    if len(body) > _MAX_BODY:
        raise AwsError("ValidationError", f"The Body must have at most {_MAX_BODY} bytes; use InputLocation for more.")
    if uri is not None:
        try:
            split_uri(uri)
        except ObjectError as error:
            raise AwsError("ValidationError", f"InputLocation: {error}.") from error


def _seconds(headers: Headers, member: str, bounds: tuple[int, int], default: int) -> int:
    value: Any = headers.get(f"{_PREFIX}{member}", str(default))
    if not re.fullmatch(r"\d{1,9}", value) or not bounds[0] <= int(value) <= bounds[1]:
        raise AwsError("ValidationError", f"{member} must be a number from {bounds[0]} to {bounds[1]}, not {value}.")
    return int(value)
