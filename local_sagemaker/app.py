"""The WSGI application: who may ask, which service answers."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from local_sagemaker import auth
from local_sagemaker.api.context import Context
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError, disk_full, not_emulated, render
from local_sagemaker.sagemaker import SageMaker

if TYPE_CHECKING:
    from http.client import HTTPMessage

HEALTH_PATH = "/_local_sagemaker/health"  # no bucket can be called so
_INVOCATION = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<kind>[\w-]+)")
_METRICS_PATHS = ("/BatchPutMetrics", "/BatchGetMetrics")  # of the metrics service, which signs as sagemaker
_TARGET = "SageMaker."
_MAX_BODY = 32 << 20  # bytes; an invocation may have 6 MB

log = logging.getLogger(__name__)


class Application:
    """Checks host and signature of every request, then passes it to SageMaker or to moto."""

    def __init__(self, context: Context, sagemaker: SageMaker, instance: str, port: int) -> None:
        self._context, self._sagemaker, self._instance = context, sagemaker, instance
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._credentials = context.workspace.credentials

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        service = None
        try:
            if request.environ.get("HTTP_HOST") not in self._hosts:
                raise AwsError("AccessDenied", "This server answers to its own address only.", 403)
            if request.path == HEALTH_PATH:
                return Response(json.dumps({"instance": self._instance}), content_type="application/json")
            environ = request.environ
            received = auth.Received(request.method, environ["RAW_URI"], environ["local_sagemaker.headers"])
            signature = auth.parse(received)
            service = signature.service
            self._context.services.wait()
            return self._verify(request, received, signature)
        except AwsError as error:
            return render(error, service, request.headers.get("smithy-protocol"))
        except HTTPException as error:
            return render(AwsError("BadRequest", str(error.description), error.code or 400), service)
        except ConnectionError:
            raise  # the client is gone
        except Exception as error:
            full = disk_full(error, self._context.workspace.root) if isinstance(error, OSError) else None
            if full is not None:
                return render(full, service, request.headers.get("smithy-protocol"))
            log.exception("%s %s", request.method, request.path)
            return render(AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500), service)

    def _verify(self, request: Request, received: auth.Received, signature: auth.Signature) -> Response:
        """Let the request through to its service when its signature holds."""
        digest = auth.body_digest(received, signature)
        if signature.service == "s3":
            auth.verify(received, signature, self._credentials)
            answer = self._context.services.respond_object(request, received.headers, digest)
            if answer is not None:
                return answer
            body = _read(request, None)
        else:
            body = _read(request, _MAX_BODY)
            auth.verify(replace(received, body=body), signature, self._credentials)
        if digest is not None:
            auth.check_digest(digest, hashlib.sha256(body).hexdigest())
        return self._dispatch(signature.service, request, received.headers, body)

    def _dispatch(self, service: str, request: Request, headers: HTTPMessage, body: bytes) -> Response:
        if service != "sagemaker":
            return self._context.services.respond(service, request, headers, body)
        if match := _INVOCATION.fullmatch(request.path):
            return self._invoke(match, request, body)
        if request.path in _METRICS_PATHS:
            return self._operate(self._sagemaker.metrics, request.path[1:], body)
        target = request.headers.get("X-Amz-Target", "")
        if not target.startswith(_TARGET):
            raise not_emulated(f"{request.method} {request.path}")
        return self._operate(self._sagemaker.operations, target.removeprefix(_TARGET), body)

    def _invoke(self, match: re.Match[str], request: Request, body: bytes) -> Response:
        name = unquote(match["name"])
        return self._sagemaker.invocations.answer(match["kind"], name, request.headers, body)

    def _operate(self, operations: Operations, name: str, body: bytes) -> Response:
        """One operation whose request and answer are JSON."""
        try:
            answer = operations.call(name, _parsed(body))
        except RecursionError as error:
            raise AwsError("SerializationException", "The body is nested too deeply.") from error
        return Response(json.dumps(answer), content_type="application/x-amz-json-1.1")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error


def _read(request: Request, limit: int | None) -> bytes:
    """The whole body, left in the environment for moto to read again. Raises AwsError when it is too long."""
    environ = request.environ
    try:
        body: bytes = environ["wsgi.input"].read(-1 if limit is None else limit + 1)
    except ConnectionError:
        raise
    except OSError as error:  # werkzeug's word for chunks that are none
        raise AwsError("BadRequest", f"The request's body cannot be read: {error}") from error
    if limit is not None and len(body) > limit:
        raise AwsError("RequestEntityTooLarge", f"A request's body may have {limit} bytes.", 413)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body
