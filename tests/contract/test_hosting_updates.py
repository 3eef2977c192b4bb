"""Production variants, their weights, and updates of endpoints."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import local_sagemaker
from contract.cloud import Cloud, error_of, unique, until, variant


def served_by(cloud: Cloud, name: str, count: int) -> Counter[str]:
    """Which variants answered ``count`` calls."""
    answers = (cloud.runtime.invoke_endpoint(EndpointName=name, Body=b"x") for _ in range(count))
    return Counter(answer["InvokedProductionVariant"] for answer in answers)


def model(cloud: Cloud, **environ: str) -> str:
    name = unique("model")
    cloud.create_model(name, Environment=environ)
    return name


def config(cloud: Cloud, *variants: dict) -> str:
    name = unique("config")
    cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants))
    return name


def settled(cloud: Cloud, name: str) -> dict:
    def there() -> dict | None:
        endpoint = cloud.sagemaker.describe_endpoint(EndpointName=name)
        return endpoint if endpoint["EndpointStatus"] != "Updating" else None

    return until(there, 60)


@pytest.fixture(scope="module")
def pair(cloud: Cloud) -> str:
    """An endpoint of two variants, of which the first has three times the weight."""
    name = unique("pair")
    heavy = variant(model(cloud), VariantName="Heavy", InitialVariantWeight=3.0, InitialInstanceCount=4)
    light = variant(model(cloud, ANSWERS="text/light"), VariantName="Light", InitialVariantWeight=1.0)
    cloud.create_endpoint(name, [heavy, light])
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    return name


def test_variants_share_the_calls_by_weight(cloud: Cloud, pair: str) -> None:
    assert served_by(cloud, pair, 16) == {"Heavy": 12, "Light": 4}
    variants = {v["VariantName"]: v for v in cloud.sagemaker.describe_endpoint(EndpointName=pair)["ProductionVariants"]}
    assert (variants["Heavy"]["CurrentInstanceCount"], variants["Light"]["CurrentInstanceCount"]) == (4, 1)
    assert (variants["Heavy"]["CurrentWeight"], variants["Light"]["DesiredWeight"]) == (3.0, 1.0)


def test_a_target_variant(cloud: Cloud, pair: str) -> None:
    answer = cloud.runtime.invoke_endpoint(EndpointName=pair, Body=b"x", TargetVariant="Light")
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == ("Light", "text/light")
    refused = error_of(cloud.runtime.invoke_endpoint, EndpointName=pair, Body=b"x", TargetVariant="None")
    assert (refused[0], "no production variant None" in refused[2]) == ("ValidationError", True)


def test_weights_and_capacities(cloud: Cloud, pair: str) -> None:
    changes = [
        {"VariantName": "Heavy", "DesiredWeight": 0.0},
        {"VariantName": "Light", "DesiredWeight": 2.0, "DesiredInstanceCount": 2},
    ]
    cloud.sagemaker.update_endpoint_weights_and_capacities(EndpointName=pair, DesiredWeightsAndCapacities=changes)
    endpoint = settled(cloud, pair)
    light = endpoint["ProductionVariants"][1]
    assert (light["CurrentWeight"], light["CurrentInstanceCount"]) == (2.0, 2)
    assert served_by(cloud, pair, 5) == {"Light": 5}


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"VariantName": "Other", "DesiredWeight": 1.0}, "ValidationException", "no production variant Other"),
        ({"VariantName": "Light", "DesiredInstanceCount": 0}, "ValidationException", "at least 1"),
        ({"VariantName": "Light", "DesiredInstanceCount": 5}, "ResourceLimitExceeded", "is 4 Instances"),
        (
            {"VariantName": "Light", "ServerlessUpdateConfig": {"MaxConcurrency": 2}},
            "ValidationException",
            "ServerlessUpdateConfig is not emulated",
        ),
    ],
)
def test_refused_weights(cloud: Cloud, pair: str, change: dict, code: str, message: str) -> None:
    call = cloud.sagemaker.update_endpoint_weights_and_capacities
    refused = error_of(call, EndpointName=pair, DesiredWeightsAndCapacities=[change])
    assert (refused[0], message in refused[2]) == (code, True), refused


def test_variant_names_are_unique(cloud: Cloud, pair: str) -> None:
    name = model(cloud)
    request = {"EndpointConfigName": unique("config"), "ProductionVariants": [variant(name), variant(name)]}
    assert "must be unique" in error_of(cloud.sagemaker.create_endpoint_config, **request)[2]


def test_too_many_instances(cloud: Cloud) -> None:
    name = config(cloud, variant(model(cloud), InitialInstanceCount=5))
    refused = error_of(cloud.sagemaker.create_endpoint, EndpointName=unique("many"), EndpointConfigName=name)
    assert (refused[0], "ml.m5.large for endpoint usage" in refused[2]) == ("ResourceLimitExceeded", True)


def test_an_update_has_no_interval_of_errors(cloud: Cloud) -> None:
    """Calls go on, some of them long, while the containers change; none fails, the old containers end."""
    name = cloud.deploy(Environment={"ANSWERS": "text/old"})
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    port = _port(cloud, name)
    new = config(cloud, variant(model(cloud, ANSWERS="text/new"), VariantName="Next"))
    over = threading.Event()

    def call(number: int) -> list[str]:
        seen = []
        while not over.is_set():
            body = b"sleep 0.3" if number == 0 else b"x"
            answer = cloud.runtime.invoke_endpoint(EndpointName=name, Body=body)
            assert answer["Body"].read() == body
            seen.append(answer["ContentType"])
        return seen

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call, number) for number in range(4)]
        cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        updating = cloud.sagemaker.describe_endpoint(EndpointName=name)
        endpoint = settled(cloud, name)
        last = cloud.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["ContentType"]
        over.set()
        seen = [call.result() for call in calls]
    assert updating["EndpointStatus"] == "Updating"
    assert updating["PendingDeploymentSummary"]["EndpointConfigName"] == new
    assert updating["EndpointConfigName"] == name
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", new)
    assert "PendingDeploymentSummary" not in endpoint
    assert [v["VariantName"] for v in endpoint["ProductionVariants"]] == ["Next"]
    assert last == "text/new"
    assert all(kinds[0] == "text/old" for kinds in seen)
    until(lambda: port not in _listening())
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def _port(cloud: Cloud, name: str) -> int:
    return int(json.loads(cloud.invoke(name, b"model"))["environ"]["SAGEMAKER_BIND_TO_PORT"])


def _listening() -> set[int]:
    return {c.laddr.port for c in psutil.net_connections("tcp4") if c.status == psutil.CONN_LISTEN}


def test_a_failing_update_keeps_the_old_containers(cloud: Cloud) -> None:
    name = cloud.deploy()
    cloud.wait_endpoint(name)
    bad = config(cloud, variant(model(cloud, EXIT="1")))
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bad)
    refused = error_of(cloud.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=bad)
    assert "Cannot update in-progress endpoint" in refused[2]
    endpoint = settled(cloud, name)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", name)
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert cloud.invoke(name, b"still") == b"still"
    good = config(cloud, variant(model(cloud), InitialVariantWeight=5.0, InitialInstanceCount=2))
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=good, RetainAllVariantProperties=True)
    endpoint = settled(cloud, name)
    assert "FailureReason" not in endpoint
    kept = endpoint["ProductionVariants"][0]
    assert (kept["CurrentWeight"], kept["CurrentInstanceCount"]) == (1.0, 1)
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_refused_updates(cloud: Cloud, pair: str) -> None:
    update = cloud.sagemaker.update_endpoint
    assert "Could not find endpoint" in error_of(update, EndpointName="nowhere", EndpointConfigName=pair)[2]
    unknown = error_of(update, EndpointName=pair, EndpointConfigName="nowhere")
    assert "Could not find endpoint configuration" in unknown[2]
    policy = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 1}}
    deployment = {"BlueGreenUpdatePolicy": policy}
    refused = error_of(update, EndpointName=pair, EndpointConfigName=pair, DeploymentConfig=deployment)
    assert "DeploymentConfig" in refused[2]


def test_an_update_wants_the_present_configuration(cloud: Cloud) -> None:
    name = cloud.deploy()
    cloud.wait_endpoint(name)
    cloud.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    cloud.sagemaker.delete_model(ModelName=name)
    assert cloud.invoke(name, b"lives on") == b"lives on"
    new = config(cloud, variant(model(cloud)))
    refused = error_of(cloud.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=new)
    assert f"endpoint-config/{name}" in refused[2]
    cloud.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.http
def test_an_update_goes_on_after_a_restart(fresh_workspace: Path, images: Path, connect) -> None:
    """The server is killed during an update; the next one serves with the old containers and finishes the update."""
    connection = local_sagemaker.start(fresh_workspace, images)
    cloud = Cloud(connection, connect)
    name = cloud.deploy(Environment={"ANSWERS": "text/old"})
    cloud.wait_endpoint(name)
    new = config(cloud, variant(model(cloud, ANSWERS="text/new", UNHEALTHY_UNTIL=str(fresh_workspace / "go"))))
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    psutil.Process(connection.pid).kill()
    cloud = Cloud(local_sagemaker.start(fresh_workspace, images), connect)
    assert cloud.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
    assert cloud.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["ContentType"] == "text/old"
    (fresh_workspace / "go").touch()
    assert settled(cloud, name)["EndpointConfigName"] == new
    assert cloud.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["ContentType"] == "text/new"
