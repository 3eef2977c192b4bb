"""Calls of endpoints beside the plain one: asynchronous, streaming, serverless, many at a time."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

import local_sagemaker
from contract.cloud import Cloud, error_of, unique, until, variant

CLIENTS, CALLS = 64, 20


def object_at(cloud: Cloud, uri: str) -> bytes | None:
    try:
        return cloud.get(uri)
    except ClientError:
        return None


def deploy_async(cloud: Cloud, **client: int) -> str:
    name = unique("async")
    cloud.create_model(name)
    output = {"S3OutputPath": f"s3://{cloud.bucket}/{name}/out/", "S3FailurePath": f"s3://{cloud.bucket}/{name}/bad"}
    config = {"OutputConfig": output, "ClientConfig": client} if client else {"OutputConfig": output}
    cloud.create_endpoint(name, [variant(name)], AsyncInferenceConfig=config)
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    return name


@pytest.fixture(scope="module")
def queue(cloud: Cloud) -> str:
    return deploy_async(cloud)


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud) -> str:
    name = cloud.deploy()
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    return name


def test_an_asynchronous_call(cloud: Cloud, queue: str) -> None:
    uri = cloud.put(f"{queue}/in/x", b"headers")
    options = {"ContentType": "text/x", "Accept": "text/y", "CustomAttributes": "c", "InferenceId": "mine"}
    answer = cloud.runtime.invoke_endpoint_async(EndpointName=queue, InputLocation=uri, **options)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "mine"
    assert answer["OutputLocation"].startswith(f"s3://{cloud.bucket}/{queue}/out/")
    assert answer["FailureLocation"].startswith(f"s3://{cloud.bucket}/{queue}/bad/")
    seen = json.loads(until(lambda: object_at(cloud, answer["OutputLocation"])))
    assert (seen["Content-Type"], seen["Accept"]) == ("text/x", "text/y")
    assert seen["X-Amzn-SageMaker-Inference-Id"] == "mine"
    endpoint = cloud.sagemaker.describe_endpoint(EndpointName=queue)
    assert endpoint["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"].endswith("/out/")


def test_an_asynchronous_call_with_a_body(cloud: Cloud, queue: str) -> None:
    answer = cloud.runtime.invoke_endpoint_async(EndpointName=queue, Body=b"\x00small")
    assert until(lambda: object_at(cloud, answer["OutputLocation"])) == b"\x00small"


@pytest.mark.parametrize(("body", "reason"), [(b"bad", b"bad input"), (None, b"there is no object")])
def test_asynchronous_calls_that_fail(cloud: Cloud, queue: str, body: bytes | None, reason: bytes) -> None:
    uri = cloud.put(f"{queue}/in/bad", body) if body else f"s3://{cloud.bucket}/{queue}/nothing"
    answer = cloud.runtime.invoke_endpoint_async(EndpointName=queue, InputLocation=uri)
    assert reason in until(lambda: object_at(cloud, answer["FailureLocation"]))
    assert object_at(cloud, answer["OutputLocation"]) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either InputLocation or a Body"),
        ({"InputLocation": "https://b/x"}, "not an S3 URI"),
        ({"InputLocation": "s3://b/x", "RequestTTLSeconds": 30}, "RequestTTLSeconds must be a number from 60"),
        ({"InputLocation": "s3://b/x", "InvocationTimeoutSeconds": 4000}, "InvocationTimeoutSeconds"),
        ({"InputLocation": "s3://b/x", "Filename": "x"}, "Filename is not emulated"),
        ({"Body": bytes(128_001)}, "at most 128000 bytes"),
    ],
)
def test_refused_asynchronous_calls(cloud: Cloud, queue: str, options: dict, message: str) -> None:
    lenient = boto3.Session(cloud.connection.access_key_id, cloud.connection.secret_access_key)
    config = Config(parameter_validation=False)
    client = lenient.client(
        "sagemaker-runtime", cloud.connection.region, endpoint_url=cloud.connection.endpoint_url, config=config
    )
    code, status, text = error_of(client.invoke_endpoint_async, EndpointName=queue, **options)
    assert (code, status, message in text) == ("ValidationError", 400, True), text


def test_an_endpoint_takes_one_kind_of_call(cloud: Cloud, queue: str, endpoint: str) -> None:
    plain = error_of(cloud.runtime.invoke_endpoint, EndpointName=queue, Body=b"x")
    assert (plain[0], "InvokeEndpointAsync only" in plain[2]) == ("ValidationError", True)
    late = error_of(cloud.runtime.invoke_endpoint_async, EndpointName=endpoint, InputLocation="s3://b/x")
    assert (late[0], "has no AsyncInferenceConfig" in late[2]) == ("ValidationError", True)


def test_the_queue_lets_so_many_through(cloud: Cloud) -> None:
    name = deploy_async(cloud, MaxConcurrentInvocationsPerInstance=1)
    calls = [cloud.runtime.invoke_endpoint_async(EndpointName=name, Body=b"sleep 0.1") for _ in range(3)]
    calls.append(cloud.runtime.invoke_endpoint_async(EndpointName=name, Body=b"most"))
    assert until(lambda: object_at(cloud, calls[-1]["OutputLocation"])) == b"1"
    assert all(object_at(cloud, call["OutputLocation"]) for call in calls)
    cloud.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.http
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_the_queue_survives_the_server(fresh_workspace: Path, images: Path, connect, kill: bool) -> None:
    connection = local_sagemaker.start(fresh_workspace, images)
    cloud = Cloud(connection, connect)
    name = deploy_async(cloud, MaxConcurrentInvocationsPerInstance=1)
    bodies = [b"sleep 1", b"second", b"third"]
    calls = [cloud.runtime.invoke_endpoint_async(EndpointName=name, Body=body) for body in bodies]
    if kill:
        psutil.Process(connection.pid).kill()
    else:
        local_sagemaker.stop(fresh_workspace)
    cloud = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    for call, body in zip(calls, bodies, strict=True):
        assert until(lambda uri=call["OutputLocation"]: object_at(cloud, uri)) == body
    records = fresh_workspace / "records" / "AsyncInvocation"
    until(lambda: not list(records.glob("*.json")))


def test_a_stream(cloud: Cloud, endpoint: str) -> None:
    """Parts come as the program sends them, not all at its end."""
    options = {"ContentType": "text/x", "CustomAttributes": "c"}
    answer = cloud.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"stream 5", **options)
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "AllTraffic")
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert b"".join(parts) == b"part 0;part 1;part 2;part 3;part 4;"
    assert len(parts) > 1


def test_a_stream_that_breaks_off(cloud: Cloud, endpoint: str) -> None:
    answer = cloud.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"stream -2")
    parts = []
    with pytest.raises(EventStreamError, match=r"ModelStreamError.*broke off"):
        parts.extend(event["PayloadPart"]["Bytes"] for event in answer["Body"])


def test_refused_streams(cloud: Cloud, endpoint: str) -> None:
    call = cloud.runtime.invoke_endpoint_with_response_stream
    with pytest.raises(ClientError) as raised:
        call(EndpointName=endpoint, Body=b"bad")
    assert raised.value.response["OriginalStatusCode"] == 400
    assert error_of(call, EndpointName="nowhere", Body=b"")[0] == "ValidationError"


def test_custom_attributes_and_inference_id(cloud: Cloud, endpoint: str) -> None:
    answer = cloud.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=b"headers", CustomAttributes="trace=1", InferenceId="id-1", Accept="text/y"
    )
    seen = json.loads(answer["Body"].read())
    assert answer["CustomAttributes"] == "saw trace=1"
    assert (seen["X-Amzn-SageMaker-Inference-Id"], seen["Accept"]) == ("id-1", "text/y")


@pytest.fixture(scope="module")
def serverless(cloud: Cloud) -> str:
    name = unique("serverless")
    cloud.create_model(name)
    config = {"VariantName": "V", "ModelName": name}
    cloud.create_endpoint(name, [{**config, "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}}])
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    return name


def test_serverless(cloud: Cloud, serverless: str) -> None:
    shown = cloud.sagemaker.describe_endpoint(EndpointName=serverless)["ProductionVariants"][0]
    assert shown["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    assert cloud.invoke(serverless, b"x") == b"x"
    too_long = error_of(cloud.runtime.invoke_endpoint, EndpointName=serverless, Body=bytes(4 * 1024 * 1024 + 1))
    assert "4194304" in too_long[2]


def test_serverless_throttles(cloud: Cloud, serverless: str) -> None:
    """The third of three calls at a time is refused."""

    def call(_: int) -> str:
        try:
            return cloud.invoke(serverless, b"sleep 1").decode()
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(call, range(3))) == ["ThrottlingException", "sleep 1", "sleep 1"]
    assert cloud.invoke(serverless) == b"hello"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"MemorySizeInMB": 1500, "MaxConcurrency": 1}, "MemorySizeInMB must be one of 1024, 2048"),
        ({"MemorySizeInMB": 7168, "MaxConcurrency": 1}, "less than or equal to 6144"),
        ({"MemorySizeInMB": 1024, "MaxConcurrency": 201}, "less than or equal to 200"),
        ({"MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": 2}, "ProvisionedConcurrency"),
    ],
)
def test_refused_serverless(cloud: Cloud, serverless: str, config: dict, message: str) -> None:
    variants = [{"VariantName": "V", "ModelName": serverless, "ServerlessConfig": config}]
    request = {"EndpointConfigName": unique("config"), "ProductionVariants": variants}
    code, _, text = error_of(cloud.sagemaker.create_endpoint_config, **request)
    assert (code, message in text) == ("ValidationException", True), text


def test_serverless_stands_alone(cloud: Cloud, serverless: str) -> None:
    alone = {"VariantName": "V", "ModelName": serverless}
    config = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    request = {"EndpointConfigName": unique("config"), "ProductionVariants": [{**alone, **config}, variant(serverless)]}
    assert "one production variant only" in error_of(cloud.sagemaker.create_endpoint_config, **request)[2]


def test_many_clients_lose_no_call(cloud: Cloud, endpoint: str) -> None:
    config = Config(max_pool_connections=CLIENTS, retries={"total_max_attempts": 1})
    session = boto3.Session(cloud.connection.access_key_id, cloud.connection.secret_access_key)
    runtime = session.client(
        "sagemaker-runtime", cloud.connection.region, endpoint_url=cloud.connection.endpoint_url, config=config
    )

    def client(number: int) -> int:
        bodies = [f"{number}/{call}".encode() for call in range(CALLS)]
        return sum(runtime.invoke_endpoint(EndpointName=endpoint, Body=b)["Body"].read() == b for b in bodies)

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert sum(pool.map(client, range(CLIENTS))) == CLIENTS * CALLS
