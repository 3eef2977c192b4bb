"""The serving half of the contract: /ping, /invocations and /execution-parameters, over Flask and gunicorn."""

import json
import os
import sys
import traceback
from typing import Any, Callable, Dict, Mapping, Sequence

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication
from werkzeug.exceptions import BadRequest, HTTPException, NotAcceptable, UnsupportedMediaType

from .errors import UserError
from .program import USER_ERROR

JSON, JSON_LINES = "application/json", "application/jsonlines"
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"

# A request's body, its content type and its custom attributes to what is answered as JSON.
Predict = Callable[[bytes, str, Mapping[str, str]], Any]


def create_app(
    predict: Predict,
    content_types: Sequence[str],
    variables: Mapping[str, str] = os.environ,
    *,
    accepts: Sequence[str] = (JSON,),
) -> Flask:
    """The application around a loaded model, which answers one line of JSON under the type in `accepts` asked for.

    A bad request is answered with 400, 406, 413 or 415 and `{"error": ...}`; `predict` raises UserError
    for a body that it cannot use. Only a fault of the model's own is a 500.
    """
    app = Flask("sagemaker")
    megabytes = int(variables.get("SAGEMAKER_MAX_PAYLOAD_IN_MB") or 6)
    app.config["MAX_CONTENT_LENGTH"] = megabytes << 20
    parameters = {
        "MaxConcurrentTransforms": workers(variables),
        "BatchStrategy": "SINGLE_RECORD",
        "MaxPayloadInMB": megabytes,
    }
    app.add_url_rule("/ping", view_func=lambda: _answer({}), endpoint="ping")
    app.add_url_rule("/execution-parameters", view_func=lambda: _answer(parameters), endpoint="parameters")
    app.add_url_rule(
        "/invocations",
        view_func=lambda: _invoke(predict, content_types, accepts),
        methods=["POST"],
        endpoint="invocations",
    )
    app.register_error_handler(HTTPException, lambda error: _answer({"error": error.description}, error.code))
    app.register_error_handler(UserError, lambda error: _answer({"error": str(error)}, 400))
    app.register_error_handler(Exception, _fault)
    return app


def serve(load: Callable[[], Flask], variables: Mapping[str, str] = os.environ) -> int:
    """Answer requests until SIGTERM, then return the exit code. `load` makes the application in every worker, after
    the fork; where it raises UserError, or the environment says what cannot be, that is the code of a user's mistake.

    Listens on SAGEMAKER_BIND_TO_PORT (8080) of 127.0.0.1 if SAGEMAKER_BIND_HOST says so, else of every
    address, as a container must. MODEL_SERVER_WORKERS sets the number of processes.
    """
    try:
        _Server(load, options(variables)).run()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    return 0


def workers(variables: Mapping[str, str]) -> int:
    """Processes that predict at once."""
    return int(variables.get("MODEL_SERVER_WORKERS") or 1)


def options(variables: Mapping[str, str]) -> Dict[str, Any]:
    """gunicorn's settings."""
    host = variables.get("SAGEMAKER_BIND_HOST") or "0.0.0.0"
    port = int(variables.get("SAGEMAKER_BIND_TO_PORT") or 8080)
    return {
        "bind": f"{host}:{port}",
        "workers": workers(variables),
        "worker_class": "gthread",
        "threads": 4,  # /ping has to answer while a prediction runs
        "timeout": int(variables.get("MODEL_SERVER_TIMEOUT") or 60),
        "graceful_timeout": 25,  # SageMaker kills 30 s after SIGTERM
    }


class _Server(BaseApplication):
    def __init__(self, load: Callable[[], Flask], settings: Dict[str, Any]) -> None:
        self._load, self._settings = load, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)
        if "control_socket_disable" in self.cfg.settings:
            self.cfg.set("control_socket_disable", True)

    def load(self) -> Flask:
        return self._load()


def _invoke(predict: Predict, content_types: Sequence[str], accepts: Sequence[str]) -> Response:
    kind = request.mimetype
    if kind not in content_types:
        raise UnsupportedMediaType(f"content type {kind or '(none)'}, expected one of {', '.join(content_types)}")
    accepted = request.accept_mimetypes.best_match(accepts) if request.accept_mimetypes else accepts[0]
    if accepted is None:
        raise NotAcceptable(f"the answer is {' or '.join(accepts)}, which the Accept header excludes")
    body = request.get_data(cache=False)
    if not body:
        raise BadRequest("the request has no body")
    return _answer(predict(body, kind, _attributes(request.headers.get(ATTRIBUTES, ""))), kind=accepted)


def _attributes(header: str) -> Dict[str, str]:
    """`a=1,b=2` to a dict; what is not of that form belongs to someone else and is left out."""
    pairs = (part.split("=", 1) for part in header.split(",") if "=" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def _answer(content: Any, status: int = 200, kind: str = JSON) -> Response:
    return Response(json.dumps(content) + "\n", status=status, mimetype=kind)


def _fault(error: Exception) -> Response:
    traceback.print_exc(file=sys.stderr)
    return _answer({"error": f"the model failed: {type(error).__name__}"}, 500)
