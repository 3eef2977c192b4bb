"""InvokeEndpoint beside a request to the model itself, and a crowd of clients."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.emulator import CONNECTIONS, client, running
from bench.table import Row, seconds
from local_sagemaker import Connection

CALLS, EACH = 200, 100
BODY = bytes(50_000)
NAME = "bench"


def run() -> list[Row]:
    with running() as connection:
        _deploy(connection)
        runtime = client(connection, "sagemaker-runtime")
        pairs = _pairs(connection, runtime)
        took, lost = _crowd(runtime)
        return [
            Row("embedded: InvokeEndpoint, 50 KB", [1000 * called for called, _ in pairs], "ms"),
            Row("embedded: InvokeEndpoint less the model's time", [1000 * (c - d) for c, d in pairs], "ms", "<= 5 ms"),
            Row(f"embedded: {CONNECTIONS} clients x {EACH}, median", [1000 * took[len(took) // 2]], "ms"),
            Row(f"embedded: {CONNECTIONS} clients x {EACH}, p99", [1000 * took[int(len(took) * 0.99)]], "ms"),
            Row(f"embedded: {CONNECTIONS} clients x {EACH}, requests lost", [lost], "", "0"),
        ]


def _deploy(connection: Connection) -> None:
    sagemaker = client(connection, "sagemaker")
    container = {"Image": "bench"}
    sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=connection.role_arn)
    variant = {"VariantName": "v", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _invoke(runtime: Any) -> float:
    return seconds(lambda: runtime.invoke_endpoint(EndpointName=NAME, Body=BODY)["Body"].read())


def _pairs(connection: Connection, runtime: Any) -> list[tuple[float, float]]:
    """Seconds of a call, and of the same request to the model's own port, by turns."""
    events = client(connection, "logs").filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{NAME}")["events"]
    direct = http.client.HTTPConnection("127.0.0.1", int(events[-1]["message"]))

    def ask() -> None:
        direct.request("POST", "/invocations", BODY)
        direct.getresponse().read()

    _invoke(runtime), ask()
    return [(_invoke(runtime), seconds(ask)) for _ in range(CALLS)]


def _crowd(runtime: Any) -> tuple[list[float], int]:
    """Sorted seconds of the answers to many clients at once, and how many requests had none."""

    def one(_: int) -> float | None:
        try:
            return _invoke(runtime)
        except Exception as error:
            print(f"lost: {error}")
            return None

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(one, range(CONNECTIONS * EACH)))
    took = sorted(answer for answer in answers if answer is not None)
    return took, len(answers) - len(took)
