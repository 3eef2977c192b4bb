"""Random requests to every operation, without a socket: no server error, no hang, no process that stays.

`make fuzz` sends many more.
"""

import json
import os
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from contract.target import Target
from local_sagemaker.api import model

COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
settings.register_profile("test", max_examples=400, derandomize=True, phases=[Phase.generate], **COMMON)
settings.register_profile("fuzz", max_examples=20_000, phases=[Phase.generate, Phase.shrink], **COMMON)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


@settings(PROFILE)
@given(data=st.data())
def test_any_request_has_an_answer(target: Target, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(target.names))
    seed = target.seeds.get(operation)
    random = target.requests.random(operation)
    request = data.draw(random if seed is None else target.requests.mutated(operation, seed) | random)
    status, answer = target.ask(operation, request)
    note(f"{status} {answer}")
    if status == 200:
        model.check(model.operation(operation).output_shape, answer)
    else:
        assert 400 <= status < 500
        assert answer["__type"].isalpha()
        assert answer["message"]


SERVING = "serving"
NAMES = st.sampled_from([SERVING, SERVING, "missing", "..", "a b", "x" * 70, "%00"])
KINDS = st.sampled_from(["invocations", "async-invocations", "invocations-response-stream", "other"])
HEADERS = st.sampled_from([
    "Content-Type", "Accept", "X-Amzn-SageMaker-Target-Variant", "X-Amzn-SageMaker-Target-Model",
    "X-Amzn-SageMaker-InputLocation", "X-Amzn-SageMaker-InvocationTimeoutSeconds", "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-RequestTTLSeconds", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Accept",
])  # fmt: skip
VALUES = st.sampled_from(["", "AllTraffic", "text/csv", "s3://no-such-bucket/x", "-1", "5", "1e9", "x" * 5000, "a;b=c"])


@pytest.fixture(scope="module")
def endpoint(target: Target) -> str:
    """An endpoint in service that the random requests do not know."""
    name = target.cloud.deploy()
    target.cloud.wait_endpoint(name, 90)
    return name


@settings(PROFILE, max_examples=PROFILE.max_examples // 4)
@given(name=NAMES, kind=KINDS, headers=st.dictionaries(HEADERS, VALUES, max_size=3), body=st.binary(max_size=20))
def test_any_call_of_an_endpoint_has_an_answer(
    target: Target, endpoint: str, name: str, kind: str, headers: dict[str, str], body: bytes
) -> None:
    """The tiny image answers with what it was sent, so an error is the client's, or ModelError's 424."""
    path = f"/endpoints/{quote(endpoint if name == SERVING else name)}/{kind}"
    status, answer = target.post(path, body, headers)
    note(f"{status} {answer[:300]!r}")
    assert status < 500
    if status >= 400:
        assert json.loads(answer)["message"]
