"""The WSGI application: who may ask, which service answers."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from local_sagemaker import auth
from local_sagemaker.api.context import Context
from local_sagemaker.errors import AwsError, not_emulated, render
from local_sagemaker.sagemaker import SageMaker

HEALTH_PATH = "/_local_sagemaker/health"  # no bucket can be called so
_INVOCATION = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<kind>[\w-]+)")
_TARGET = "SageMaker."

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
            received = _receive(request)
            self._context.services.wait()
            signature = auth.parse(received)
            service = signature.service
            auth.verify(received, signature, self._credentials)
            return self._dispatch(service, request, received)
        except AwsError as error:
            return render(error, service, request.headers.get("smithy-protocol"))
        except HTTPException as error:
            return render(AwsError("BadRequest", str(error.description), error.code or 400), service)
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            return render(AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500), service)

    def _dispatch(self, service: str, request: Request, received: auth.Received) -> Response:
        if service != "sagemaker":
            return self._context.services.respond(service, request, received.headers)
        if match := _INVOCATION.fullmatch(request.path):
            return self._invoke(match, request, received.body)
        target = request.headers.get("X-Amz-Target", "")
        if not target.startswith(_TARGET):
            raise not_emulated(f"{request.method} {request.path}")
        return self._operate(target.removeprefix(_TARGET), received.body)

    def _invoke(self, match: re.Match[str], request: Request, body: bytes) -> Response:
        if match["kind"] != "invocations":
            raise AwsError("ValidationError", f"{match['kind']} is not emulated by the local SageMaker.")
        return self._sagemaker.endpoints.invoke(unquote(match["name"]), request.headers, body)

    def _operate(self, name: str, body: bytes) -> Response:
        """One operation of SageMaker's JSON 1.1 protocol."""
        try:
            request = json.loads(body or b"{}")
        except ValueError as error:
            raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
        answer = self._sagemaker.operations.call(name, request)
        return Response(json.dumps(answer), content_type="application/x-amz-json-1.1")


def _receive(request: Request) -> auth.Received:
    """Read the request whole: its digest is part of the signature."""
    environ = request.environ
    body = request.get_data(cache=True)
    environ["wsgi.input"] = io.BytesIO(body)  # moto reads it again
    environ["CONTENT_LENGTH"] = str(len(body))
    return auth.Received(request.method, environ["RAW_URI"], environ["local_sagemaker.headers"], body)
