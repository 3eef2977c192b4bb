"""Random requests to every operation, without a socket: no server error, no hang, no process that stays.

`make fuzz` sends many more.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from contract.cloud import Cloud
from contract.in_process import URL, Transport
from contract.random_requests import Requests
from contract.seeds import arns, seeds
from local_sagemaker.api import model

COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
settings.register_profile("test", max_examples=400, derandomize=True, phases=[Phase.generate], **COMMON)
settings.register_profile("fuzz", max_examples=20_000, phases=[Phase.generate, Phase.shrink], **COMMON)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))
TIMEOUT = 60.0  # seconds for one answer, however busy the machine


class Target:
    """A server in this process that knows every kind of resource."""

    def __init__(self, transport: Transport, cloud: Cloud) -> None:
        self._transport, self._connection = transport, cloud.connection
        self._pool = ThreadPoolExecutor(4)
        self.seeds = seeds(cloud, "alpha")
        self.names = transport.operations.names
        answers = []
        for operation, request in self.seeds.items():
            status, answer = self.ask(operation, request)
            assert status == 200, (operation, answer)
            answers.append(answer)
        self.requests = Requests(transport.operations, cloud.bucket, cloud.connection.role_arn, arns(answers))

    def ask(self, operation: str, request: Any) -> tuple[int, Any]:
        """Status and decoded answer of one operation. Raises TimeoutError when none comes."""
        headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        made = AWSRequest("POST", f"{URL}/", headers=headers, data=json.dumps(request))
        keys = Credentials(self._connection.access_key_id, self._connection.secret_access_key)
        SigV4Auth(keys, "sagemaker", self._connection.region).add_auth(made)
        answer = self._pool.submit(self._transport.send, made.prepare()).result(TIMEOUT)
        assert answer is not None
        return answer.status_code, json.loads(answer.content)


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, images: Path, connect, tmp_path_factory) -> Iterator[Target]:
    """The shared server where it is in this process, else one for these tests alone."""
    if request.config.getoption("transport") == "in-process":
        cloud = request.getfixturevalue("cloud")
        yield Target(Transport.current, cloud)
        return
    workspace, transport = tmp_path_factory.mktemp("fuzz"), Transport()
    with transport.serving(workspace, images) as connection:
        yield Target(transport, Cloud(connection, connect))
    left = [p for p in psutil.process_iter() if str(workspace) in base_dir(p)]
    assert left == []


def base_dir(process: psutil.Process) -> str:
    try:
        return process.environ().get("SAGEMAKER_BASE_DIR", "")
    except psutil.Error:
        return ""


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
