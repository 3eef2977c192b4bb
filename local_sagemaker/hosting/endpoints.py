"""The endpoints of this server: started, revived on demand after a restart, invoked."""

from __future__ import annotations

import threading
import time

import urllib3
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.errors import AwsError
from local_sagemaker.hosting.container import ContainerFailure, ServingContainer
from local_sagemaker.store import Record
from local_sagemaker.workspace import ACCOUNT_ID

KIND = "Endpoint"
MAX_PAYLOAD = 6 * 1024 * 1024
_INVOKE_TIMEOUT = 60.0
_RETRY_PERIOD = 0.05
_MAX_TRIES = 2
_PASSED_ON = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id")
_REFUSED = ("Target-Model", "Target-Container-Hostname", "Inference-Component", "Session-Id", "Enable-Explanations")


class Endpoints:
    """Running containers by endpoint name."""

    def __init__(self, context: Context) -> None:
        self._context, self._store = context, context.store
        self._lock = threading.Lock()
        self._containers: dict[str, ServingContainer] = {}
        self._closing = False

    def recover(self) -> None:
        """After a restart: endpoints in service are revived by their first call, half-made ones now."""
        for record in self._store.all(KIND):
            if record["EndpointStatus"] == "Creating":
                self.ensure(record["EndpointName"])
            elif record["EndpointStatus"] == "Deleting":
                self._store.delete(KIND, record["EndpointName"])

    def ensure(self, name: str) -> ServingContainer:
        """The endpoint's container, started unless it is. Raises AwsError (ValidationError) for a deleted one."""
        with self._lock:
            record = self._store.get(KIND, name)
            if self._closing or record is None or record["EndpointStatus"] == "Deleting":
                raise AwsError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
            container = self._containers.get(name)
            if container is None:
                container = ServingContainer(self._context, name, record["_variant"], record["_container"])
                self._containers[name] = container
                container.start(lambda failure: self._changed(name, failure))
        return container

    def close(self) -> None:
        """The server ends: containers stop, their endpoints stay in service for the next server."""
        with self._lock:
            self._closing = True
            for container in self._containers.values():
                container.request_stop()

    def join(self, timeout: float) -> None:
        """Nothing to wait for: the containers' processes are gone, and their records stay as they are."""

    def delete(self, name: str) -> None:
        """End the endpoint's processes; its record goes when they are gone."""
        self._store.update(KIND, name, EndpointStatus="Deleting", LastModifiedTime=now_seconds())
        threading.Thread(target=self._delete, args=(name,), name=f"delete {name}", daemon=True).start()

    def _delete(self, name: str) -> None:
        with self._lock:
            container = self._containers.pop(name, None)
        if container is not None:
            container.stop()
        self._store.delete(KIND, name)

    def _changed(self, name: str, failure: str | None) -> None:
        def changes(record: Record) -> Record | None:
            if record["EndpointStatus"] == "Deleting":
                return None
            reason = {} if failure is None else {"FailureReason": failure[:1024]}
            status = "InService" if failure is None else "Failed"
            return {"EndpointStatus": status, "LastModifiedTime": now_seconds(), **reason}

        self._store.change(KIND, name, changes)

    def invoke(self, name: str, headers: Headers, body: bytes) -> Response:
        """InvokeEndpoint: pass the body to the container and its answer back."""
        self._check(name, headers, body)
        container = self.ensure(name)
        try:
            answer = self._send(container, {name: headers[name] for name in _PASSED_ON if name in headers}, body)
        except ContainerFailure as error:
            raise self._model_error(container, 0, str(error)) from error
        except urllib3.exceptions.HTTPError as error:
            timed_out = isinstance(error, urllib3.exceptions.TimeoutError)
            text = "the container did not answer in 60 seconds" if timed_out else f"the connection broke: {error}"
            raise self._model_error(container, 0, text) from error
        if answer.status >= 300:
            raise self._model_error(container, answer.status, answer.data.decode("utf-8", "replace"))
        return self._response(container, answer)

    @staticmethod
    def _send(container: ServingContainer, headers: dict[str, str], body: bytes) -> urllib3.BaseHTTPResponse:
        """The program's answer.

        Sent again while the program is being restarted, and when a connection breaks under a program that lives on:
        it had closed it as idle just when it was chosen for this request.
        """
        until = time.monotonic() + _INVOKE_TIMEOUT
        tries = 0
        while True:
            program = container.program(until - time.monotonic())
            try:
                return program.pool.request("POST", "/invocations", body=body, headers=headers, timeout=_INVOKE_TIMEOUT)
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProtocolError) as error:
                time.sleep(_RETRY_PERIOD)
                broken = isinstance(error, urllib3.exceptions.ProtocolError)
                tries += broken
                if time.monotonic() > until or (broken and (tries > _MAX_TRIES or not program.alive)):
                    raise

    def _check(self, name: str, headers: Headers, body: bytes) -> None:
        record = self._store.get(KIND, name)
        if record is None:
            raise AwsError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        if record["EndpointStatus"] != "InService":
            raise AwsError(
                "ValidationError", f"Endpoint {name} is in status {record['EndpointStatus']}, not InService."
            )
        if len(body) > MAX_PAYLOAD:
            raise AwsError(
                "ValidationError",
                f"1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MAX_PAYLOAD}",
            )
        for feature in _REFUSED:
            if f"X-Amzn-SageMaker-{feature}" in headers:
                raise AwsError("ValidationError", f"{feature.replace('-', '')} is not emulated by the local SageMaker.")
        variant = record["_variant"]["VariantName"]
        if headers.get("X-Amzn-SageMaker-Target-Variant", variant) != variant:
            raise AwsError("ValidationError", f"Endpoint {name} has no production variant of that name.")

    @staticmethod
    def _response(container: ServingContainer, answer: urllib3.BaseHTTPResponse) -> Response:
        response = Response(answer.data, 200, content_type=answer.headers.get("Content-Type"))
        response.headers["x-Amzn-Invoked-Production-Variant"] = container.variant
        if custom := answer.headers.get("X-Amzn-SageMaker-Custom-Attributes"):
            response.headers["X-Amzn-SageMaker-Custom-Attributes"] = custom
        return response

    @staticmethod
    def _model_error(container: ServingContainer, status: int, message: str) -> AwsError:
        side = "client" if 400 <= status < 500 else "server"
        text = (
            f'Received {side} error ({status}) from {container.variant} with message "{message}". '
            f"The log group {container.log.group} may tell more."
        )
        return AwsError(
            "ModelError",
            text,
            424,
            OriginalStatusCode=status,
            OriginalMessage=message,
            LogStreamArn=container.log.arn,
        )
