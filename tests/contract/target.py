"""A server in this process for tests that send what no client would, to every operation."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from contract.cloud import Cloud
from contract.in_process import URL, Transport
from contract.random_requests import Requests
from contract.seeds import seeds

NAME = "alpha"
TIMEOUT = 60.0  # seconds for one answer, however busy the machine


class Target:
    """A server in this process that has a resource of every kind; it is asked with JSON, which no client checks."""

    def __init__(self, transport: Transport, cloud: Cloud) -> None:
        self._transport, self._connection, self.cloud = transport, cloud.connection, cloud
        self._pool = ThreadPoolExecutor(4)
        self.seeds = seeds(cloud, NAME)
        self.names = transport.operations.names
        self.role = cloud.connection.role_arn
        self.arns: dict[str, str] = {}
        for operation, request in self.seeds.items():
            self.arns |= {name: value for name, value in self.must(operation, request).items() if name.endswith("Arn")}
        self.requests = Requests(transport.operations, cloud.bucket, self.role, list(self.arns.values()))

    def must(self, operation: str, request: Any) -> dict[str, Any]:
        """The answer to a request that is right."""
        status, answer = self.ask(operation, request)
        assert status == 200, (operation, answer)
        return answer

    def emulated(self, operation: str) -> Any:
        """What of an operation's request is emulated."""
        return self._transport.operations.emulated(operation)

    def ask(self, operation: str, request: Any) -> tuple[int, Any]:
        """Status and decoded answer of one operation. Raises TimeoutError when none comes."""
        headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        status, answer = self.post("/", json.dumps(request).encode(), headers)
        return status, json.loads(answer)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer to a signed request. Raises TimeoutError when none comes."""
        made = AWSRequest("POST", URL + path, headers=headers, data=body)
        keys = Credentials(self._connection.access_key_id, self._connection.secret_access_key)
        SigV4Auth(keys, "sagemaker", self._connection.region).add_auth(made)
        answer = self._pool.submit(self._transport.send, made.prepare()).result(TIMEOUT)
        assert answer is not None
        return answer.status_code, answer.content
