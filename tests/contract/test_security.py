"""Who may ask: the workspace's secret, this host, nothing else."""

import http.client
import json
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import BaseClient
from botocore.credentials import Credentials

from contract.cloud import Cloud, error_of
from local_sagemaker import Connection

pytestmark = pytest.mark.http
JSON = ("UnrecognizedClientException", "InvalidSignatureException")
QUERY = ("InvalidClientTokenId", "SignatureDoesNotMatch")
CALLS = {
    "sagemaker": ("list_models", {}, *JSON),
    "sagemaker-runtime": ("invoke_endpoint", {"EndpointName": "e", "Body": b"x"}, *JSON),
    "s3": ("list_buckets", {}, "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    "iam": ("list_roles", {}, *QUERY),
    "sts": ("get_caller_identity", {}, *QUERY),
    "logs": ("describe_log_groups", {}, *JSON),
    "ecr": ("describe_repositories", {}, *JSON),
    "cloudwatch": ("list_metrics", {}, *JSON),
}


@pytest.mark.parametrize("service", CALLS)
def test_keys(server: Connection, connect: Callable[..., BaseClient], service: str) -> None:
    operation, arguments, unknown_key, wrong_secret = CALLS[service]
    client = connect(server, service, secret="wrong")
    code, status, _ = error_of(getattr(client, operation), **arguments)
    assert (code, status) == (wrong_secret, 403)
    client = connect(server, service, key_id="AKIAOTHERKEY")
    code, status, _ = error_of(getattr(client, operation), **arguments)
    assert (code, status) == (unknown_key, 403)
    if service != "sagemaker-runtime":
        getattr(connect(server, service), operation)(**arguments)


def test_another_region(server: Connection, connect: Callable[..., BaseClient]) -> None:
    code, status, text = error_of(connect(server, "sagemaker", region="eu-west-1").list_models)
    assert (code, status) == ("InvalidSignatureException", 403)
    assert "us-east-1" in text


def test_other_services_are_refused(server: Connection, connect: Callable[..., BaseClient]) -> None:
    answer = error_of(connect(server, "dynamodb").list_tables)
    assert answer == ("UnknownService", 400, "The service dynamodb is not emulated locally.")


def send(server: Connection, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    """A request as it stands, unsigned unless the headers sign it; status and body."""
    client = http.client.HTTPConnection(urlsplit(server.endpoint_url).netloc)
    client.request(method, path, body, headers)
    answer = client.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"])
def test_foreign_hosts(server: Connection, host: str) -> None:
    assert send(server, "GET", "/_local_sagemaker/health", Host=host)[0] == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/moto-api/"), ("POST", "/moto-api/reset"), ("GET", "/latest/meta-data/"),
        ("PUT", "/bucket/key"), ("POST", "/"), ("OPTIONS", "/bucket"), ("POST", "/endpoints/e/invocations"),
    ],
)  # fmt: skip
def test_unsigned(server: Connection, method: str, path: str) -> None:
    status, text = send(server, method, path, b"x")
    assert status == 403
    assert "MissingAuthenticationToken" in text


@pytest.mark.parametrize(
    ("service", "target"), [("sagemaker", "SageMaker.ListModels"), ("logs", "Logs_20140328.DescribeLogGroups")]
)
def test_no_cross_origin(server: Connection, service: str, target: str) -> None:
    request = signed(server, service, b"{}", target=target)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def signed(server: Connection, service: str, body: bytes, *, target: str, sent: bytes | None = None):
    """A urllib request signed for ``body`` that carries ``sent``."""
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", "Origin": "http://evil.example"}
    request = AWSRequest("POST", server.endpoint_url + "/", headers=headers, data=body)
    keys = Credentials(server.access_key_id, server.secret_access_key)
    SigV4Auth(keys, service, server.region).add_auth(request)
    return urllib.request.Request(
        server.endpoint_url + "/",
        data=body if sent is None else sent,
        headers=dict(request.headers.items()),
        method="POST",
    )


@pytest.mark.parametrize("target", ["SageMaker.ListModels", "SageMaker.NoSuchOperation"])
def test_a_changed_body(server: Connection, target: str) -> None:
    request = signed(server, "sagemaker", b'{"MaxResults": 1}', target=target, sent=b'{"MaxResults": 2}')
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 403
    assert json.loads(raised.value.read())["__type"] == "InvalidSignatureException"


def test_an_old_request(server: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(signed(server, "sagemaker", b"{}", target="SageMaker.ListModels"))
    assert json.loads(raised.value.read())["__type"] == "RequestExpired"


@pytest.mark.parametrize(
    "header",
    [
        "Basic abc",
        "AWS4-HMAC-SHA256 nonsense",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=" + "0" * 64,
    ],
)
def test_malformed_signatures(server: Connection, header: str) -> None:
    status, text = send(server, "POST", "/", b"{}", Authorization=header)
    assert (status, "IncompleteSignature" in text) == (403, True)


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b'{"MaxResults": "ten"}', b'{"MaxResults": true}', b"\xff", b"[" * 9999]
)
def test_malformed_bodies(server: Connection, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(signed(server, "sagemaker", body, target="SageMaker.ListModels"))
    assert (raised.value.code, json.loads(raised.value.read())["__type"]) == (400, "SerializationException")


@pytest.mark.http
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Transfer-Encoding": "chunked"}, b"zz\r\nnonsense\r\n", 400),
        ({"Content-Length": str(40 << 20)}, bytes(40 << 20), 413),
    ],
)
def test_bodies_that_are_none(server: Connection, headers: dict[str, str], body: bytes, status: int) -> None:
    request = signed(server, "sagemaker", b"{}", target="SageMaker.ListModels")
    client = http.client.HTTPConnection(urlsplit(server.endpoint_url).netloc)
    client.putrequest("POST", "/", skip_accept_encoding=True)
    for name, value in {**dict(request.header_items()), **headers}.items():
        if name.lower() not in ("content-length", "host") or name in headers:
            client.putheader(name, value)
    client.endheaders(body)
    assert client.getresponse().status == status


def test_presigned_urls(cloud: Cloud, server: Connection) -> None:
    cloud.put("presigned/a b.txt", b"content")
    arguments = {"Params": {"Bucket": cloud.bucket, "Key": "presigned/a b.txt"}, "ExpiresIn": 60}
    session = boto3.Session(server.access_key_id, server.secret_access_key, region_name=server.region)
    client = session.client(
        "s3", endpoint_url=server.endpoint_url, config=boto3.session.Config(signature_version="s3v4")
    )
    url = client.generate_presigned_url("get_object", **arguments)
    assert urllib.request.urlopen(url).read() == b"content"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(url.replace("a%20b", "a%20c"))
    assert raised.value.code == 403


def test_only_loopback_listens(server: Connection) -> None:
    listening = [c.laddr.ip for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_files_are_private(server: Connection, workspace: Path) -> None:
    assert workspace.stat().st_mode & 0o777 == 0o700
    for path in workspace.glob("*.json"):
        assert path.stat().st_mode & 0o077 == 0
    assert server.secret_access_key not in (workspace / "server.log").read_text()
