"""The serving contract: what is answered, and that bad input is never a 500."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gunicorn", reason="the serving half needs gunicorn, which the images have")

from flask.testing import FlaskClient
from sagemaker_contract import UserError
from sagemaker_contract.serving import create_app, options

CONTRACT = Path(__file__).parents[3] / "containers/common"


def predict(body: bytes, kind: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    if body == b"bad":
        raise UserError("not a picture")
    if body == b"broken":
        raise RuntimeError("secret path")
    return {"length": len(body), "kind": kind, "attributes": dict(attributes)}


@pytest.fixture
def client() -> FlaskClient:
    return create_app(predict, ("image/png", "image/jpeg"), {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}).test_client()


def invoke(client: FlaskClient, body: bytes = b"abc", kind: str = "image/png", **headers: str) -> tuple[int, Any]:
    answer = client.post("/invocations", data=body, headers={"Content-Type": kind, **headers})
    assert answer.mimetype == "application/json"
    return answer.status_code, answer.json


def test_ping_and_execution_parameters(client: FlaskClient) -> None:
    assert client.get("/ping").status_code == 200
    expected = {"MaxConcurrentTransforms": 1, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
    assert client.get("/execution-parameters").json == expected


def test_an_invocation_reaches_the_model_with_its_attributes(client: FlaskClient) -> None:
    header = {"X-Amzn-SageMaker-Custom-Attributes": "score_threshold=0.5, c000b4f9, b=1=2"}
    status, answer = invoke(client, kind="image/png; q=1", **header)
    assert status == 200
    assert answer == {"length": 3, "kind": "image/png", "attributes": {"score_threshold": "0.5", "b": "1=2"}}


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({"body": b"bad"}, 400, "not a picture"),
        ({"body": b""}, 400, "no body"),
        ({"body": b"x" * ((1 << 20) + 1)}, 413, "exceeds"),
        ({"kind": "text/csv"}, 415, "text/csv, expected one of image/png, image/jpeg"),
        ({"Accept": "text/csv"}, 406, "application/json"),
    ],
)
def test_bad_input_is_the_callers_fault(client: FlaskClient, given: dict, status: int, message: str) -> None:
    answered, content = invoke(client, **given)
    assert answered == status
    assert message in content["error"]


def test_a_missing_content_type_is_415(client: FlaskClient) -> None:
    assert client.post("/invocations", data=b"abc").status_code == 415


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/csv, application/json;q=0.5"])
def test_json_may_be_asked_for(client: FlaskClient, accept: str) -> None:
    assert invoke(client, Accept=accept)[0] == 200


def test_a_fault_of_the_model_is_a_500_that_tells_no_detail(client: FlaskClient) -> None:
    status, content = invoke(client, b"broken")
    assert (status, content) == (500, {"error": "the model failed: RuntimeError"})


def test_other_paths_and_methods(client: FlaskClient) -> None:
    assert client.get("/invocations").status_code == 405
    assert client.get("/models").status_code == 404


def test_where_it_listens() -> None:
    assert options({})["bind"] == "0.0.0.0:8080"
    here = {"SAGEMAKER_BIND_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": "9", "MODEL_SERVER_WORKERS": "2"}
    assert options(here)["bind"] == "127.0.0.1:9"
    assert options(here)["workers"] == 2


def test_gunicorn_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (
        "from sagemaker_contract.serving import create_app, serve\n"
        "serve(lambda: create_app(lambda body, kind, attributes: body.decode(), ('text/plain',)))"
    )
    variables = {
        "PYTHONPATH": str(CONTRACT),
        "SAGEMAKER_BIND_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "HOME": str(tmp_path),
    }
    with subprocess.Popen([sys.executable, "-c", code], env=variables, stderr=subprocess.PIPE) as process:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", data=b"hello", headers={"Content-Type": "text/plain"}
        )
        assert _answer(request) == b'"hello"\n'
        process.terminate()
        assert process.wait(timeout=10) == 0


def _answer(request: urllib.request.Request) -> bytes:
    for _ in range(200):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.read()
        except ConnectionError:
            time.sleep(0.05)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.05)
    raise AssertionError("the server did not come up")
