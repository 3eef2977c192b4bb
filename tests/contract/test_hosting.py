"""Models, endpoint configurations, endpoints and their calls."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from contract.cloud import Cloud, archive, error_of, unique, until, variant


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud) -> str:
    name = cloud.deploy(archive({"weights.txt": b"w", "deep/x": b"x"}), Environment={"GREETING": "/opt/ml/model"})
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    return name


def test_describe(cloud: Cloud, endpoint: str) -> None:
    description = cloud.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert description["EndpointArn"].endswith(f":endpoint/{endpoint}")
    assert description["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    assert description["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    config = cloud.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint)
    assert config["ProductionVariants"] == [variant(endpoint)]
    model = cloud.sagemaker.describe_model(ModelName=endpoint)
    assert model["PrimaryContainer"]["Image"] == "registry/tiny:1"


def test_invoke(cloud: Cloud, endpoint: str) -> None:
    answer = cloud.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"\x00\xff", ContentType="image/png")
    assert answer["Body"].read() == b"\x00\xff"
    assert answer["ContentType"] == "image/png"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_the_container(cloud: Cloud, endpoint: str) -> None:
    seen = json.loads(cloud.invoke(endpoint, b"model"))
    assert seen["files"] == ["deep", "deep/x", "weights.txt"]
    assert seen["environ"]["GREETING"] == seen["environ"]["SM_MODEL_DIR"]
    assert "CALLER_SECRET" not in seen["environ"]


def test_the_log(cloud: Cloud, endpoint: str) -> None:
    cloud.invoke(endpoint)
    group = f"/aws/sagemaker/Endpoints/{endpoint}"

    def served() -> bool:
        events = cloud.logs.filter_log_events(logGroupName=group)["events"]
        return "served" in [event["message"] for event in events]

    until(served)


@pytest.mark.parametrize(("body", "status", "text"), [(b"bad", 400, "bad input"), (b"broken", 500, "broken model")])
def test_model_error(cloud: Cloud, endpoint: str, body: bytes, status: int, text: str) -> None:
    with pytest.raises(ClientError) as raised:
        cloud.invoke(endpoint, body)
    answer = raised.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (status, text)
    assert answer["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_payload_limit(cloud: Cloud, endpoint: str) -> None:
    largest = b"x" * (6 * 1024 * 1024)
    assert cloud.invoke(endpoint, largest) == largest
    code, status, text = error_of(cloud.runtime.invoke_endpoint, EndpointName=endpoint, Body=largest + b"x")
    assert (code, status) == ("ValidationError", 400)
    assert "6291456" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"TargetVariant": "Other"}, "no production variant"),
        ({"TargetModel": "m.tar.gz"}, "TargetModel is not emulated"),
    ],
)
def test_refused_calls(cloud: Cloud, endpoint: str, options: dict, message: str) -> None:
    code, _, text = error_of(cloud.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"", **options)
    assert code == "ValidationError"
    assert message in text


def test_unknown_endpoint(cloud: Cloud) -> None:
    code, status, text = error_of(cloud.runtime.invoke_endpoint, EndpointName="nowhere", Body=b"")
    assert (code, status) == ("ValidationError", 400)
    assert text == "Endpoint nowhere of account 123456789012 not found."


def test_parallel_calls(cloud: Cloud, endpoint: str) -> None:
    bodies = [str(number).encode() for number in range(64)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda body: cloud.invoke(endpoint, body), bodies)) == bodies


def test_a_container_that_dies_is_started_again(cloud: Cloud) -> None:
    name = cloud.deploy()
    cloud.wait_endpoint(name)
    code, status, _ = error_of(cloud.runtime.invoke_endpoint, EndpointName=name, Body=b"crash")
    assert (code, status) == ("ModelError", 424)
    assert cloud.invoke(name, b"again") == b"again"
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_a_container_that_keeps_dying_fails(cloud: Cloud) -> None:
    name = cloud.deploy()
    cloud.wait_endpoint(name)
    for _ in range(4):
        assert error_of(cloud.runtime.invoke_endpoint, EndpointName=name, Body=b"crash")[0] == "ModelError"
    endpoint = until(lambda: (e := cloud.wait_endpoint(name))["EndpointStatus"] == "Failed" and e)
    assert "keeps ending" in endpoint["FailureReason"]
    cloud.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    ("container", "reason"),
    [({"Image": "broken"}, "no-such-wheel"), ({"Image": "trainonly"}, "has no program to serve")],
)
def test_failing_endpoints(cloud: Cloud, container: dict, reason: str) -> None:
    name = cloud.deploy(**container)
    endpoint = cloud.wait_endpoint(name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert reason in endpoint["FailureReason"]
    code, _, text = error_of(cloud.runtime.invoke_endpoint, EndpointName=name, Body=b"")
    assert (code, "Failed" in text) == ("ValidationError", True)
    update = error_of(cloud.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=name)
    assert "Cannot update failed endpoint" in update[2]
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_model_data_that_is_gone(cloud: Cloud) -> None:
    """Data that was there when the model was made, but not when its endpoint starts."""
    name = unique("gone")
    url = cloud.put(f"models/{name}/model.tar.gz", archive({"w": b"w"}))
    cloud.create_model(name, ModelDataUrl=url)
    cloud.s3.delete_object(Bucket=cloud.bucket, Key=f"models/{name}/model.tar.gz")
    cloud.create_endpoint(name, [variant(name)])
    endpoint = cloud.wait_endpoint(name)
    assert endpoint["EndpointStatus"] == "Failed"
    expected = f'Failed to download model data for container "container_1" from URL: "{url}"'
    assert endpoint["FailureReason"].startswith(expected)


@pytest.mark.parametrize("member", ["../escape-1", "/tmp/escape-2", "a/../../escape-3"])
def test_hostile_archives_do_not_escape(cloud: Cloud, member: str, workspace) -> None:
    name = cloud.deploy(archive({member: b"evil"}))
    endpoint = cloud.wait_endpoint(name)
    found = list(workspace.rglob(member.rpartition("/")[2]))
    inside = workspace / "endpoints" / name / "0-AllTraffic" / "opt" / "ml" / "model"
    assert all(path.is_relative_to(inside) for path in found)
    assert found or endpoint["EndpointStatus"] == "Failed"
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_an_archive_that_is_none(cloud: Cloud) -> None:
    name = cloud.deploy(b"not a tar")
    assert "model.tar.gz" in cloud.wait_endpoint(name)["FailureReason"]


def test_delete(cloud: Cloud) -> None:
    import psutil

    name = cloud.deploy()
    cloud.wait_endpoint(name)
    port = json.loads(cloud.invoke(name, b"model"))["environ"]["SAGEMAKER_BIND_TO_PORT"]
    cloud.sagemaker.delete_endpoint(EndpointName=name)
    cloud.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    cloud.sagemaker.delete_model(ModelName=name)

    def gone() -> bool:
        try:
            cloud.sagemaker.describe_endpoint(EndpointName=name)
        except ClientError:
            return True
        return False

    until(gone)
    listening = [c.laddr.port for c in psutil.net_connections("tcp4") if c.status == psutil.CONN_LISTEN]
    assert int(port) not in listening


@pytest.mark.parametrize(
    ("kind", "words"),
    [("model", "model"), ("endpoint_config", "endpoint configuration"), ("endpoint", "endpoint")],
)
def test_unknown_resources(cloud: Cloud, kind: str, words: str) -> None:
    member = {"model": "ModelName", "endpoint_config": "EndpointConfigName", "endpoint": "EndpointName"}[kind]
    for verb in ("describe", "delete"):
        code, status, text = error_of(getattr(cloud.sagemaker, f"{verb}_{kind}"), **{member: "nowhere"})
        assert (code, status) == ("ValidationException", 400)
        assert text.startswith(f'Could not find {words} "arn:aws:sagemaker:')


def test_duplicates(cloud: Cloud, endpoint: str) -> None:
    role = cloud.connection.role_arn
    create = cloud.sagemaker
    calls = [
        (create.create_model, {"ModelName": endpoint, "PrimaryContainer": {"Image": "tiny"}, "ExecutionRoleArn": role}),
        (
            create.create_endpoint_config,
            {"EndpointConfigName": endpoint, "ProductionVariants": [variant(endpoint)]},
        ),
        (create.create_endpoint, {"EndpointName": endpoint, "EndpointConfigName": endpoint}),
    ]
    for call, arguments in calls:
        code, _, text = error_of(call, **arguments)
        assert (code, "Cannot create already existing" in text) == ("ValidationException", True)


def test_references_must_exist(cloud: Cloud) -> None:
    create = cloud.sagemaker
    config = {"EndpointConfigName": unique(), "ProductionVariants": [variant("nowhere")]}
    assert "Could not find model" in error_of(create.create_endpoint_config, **config)[2]
    request = {"EndpointName": unique(), "EndpointConfigName": "nowhere"}
    assert "Could not find endpoint configuration" in error_of(create.create_endpoint, **request)[2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PrimaryContainer": {"Image": "other"}}, "Cannot find the image other"),
        ({"PrimaryContainer": {"Image": "tiny", "Mode": "MultiModel"}}, "Mode MultiModel"),
        ({"PrimaryContainer": {"Image": "tiny", "ModelPackageName": "p"}}, "exclude each other"),
        ({"PrimaryContainer": {"ModelPackageName": "nowhere"}}, "nowhere"),
        (
            {"PrimaryContainer": {"Image": "tiny", "MultiModelConfig": {"ModelCacheSetting": "Enabled"}}},
            "MultiModelConfig",
        ),
        (
            {"Containers": [{"Image": "tiny"}], "InferenceExecutionConfig": {"Mode": "Serial"}},
            "InferenceExecutionConfig",
        ),
        ({"Containers": [{"Image": "tiny"}], "PrimaryContainer": {"Image": "tiny"}}, "several Containers"),
        ({"PrimaryContainer": None}, "needs a PrimaryContainer"),
        ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation"),
        ({"ExecutionRoleArn": "arn:aws:iam::123456789012:role/Nobody"}, "Could not assume role"),
        ({"ModelName": "under_score"}, "regular expression pattern"),
    ],
)
def test_refused_models(cloud: Cloud, changes: dict, message: str) -> None:
    request = {
        "ModelName": unique("model"),
        "PrimaryContainer": {"Image": "tiny"},
        "ExecutionRoleArn": cloud.connection.role_arn,
        **changes,
    }
    code, _, text = error_of(cloud.sagemaker.create_model, **{k: v for k, v in request.items() if v is not None})
    assert (code, message in text) == ("ValidationException", True), text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"InstanceType": "ml.bogus"}, "enum value set"),
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "ServerlessConfig or InstanceType"),
        ({"InitialInstanceCount": None}, "needs InitialInstanceCount"),
        ({"ModelName": None}, "without ModelName (inference components) is not emulated"),
        ({"InitialVariantWeight": 0.0}, "InitialVariantWeight above 0"),
        ({"RoutingConfig": {"RoutingStrategy": "RANDOM"}}, "RoutingConfig"),
        ({"InstanceType": None}, "InstanceType"),
    ],
)
def test_refused_variants(cloud: Cloud, endpoint: str, changes: dict, message: str) -> None:
    asked = {name: value for name, value in variant(endpoint, **changes).items() if value is not None}
    request = {"EndpointConfigName": unique("config"), "ProductionVariants": [asked]}
    code, _, text = error_of(cloud.sagemaker.create_endpoint_config, **request)
    assert (code, message in text) == ("ValidationException", True), text


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"DataCaptureConfig": {"EnableCapture": True, "InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://b/p",
                                "CaptureOptions": [{"CaptureMode": "Input"}]}}, "DataCaptureConfig"),
        ({"ShadowProductionVariants": [variant("m")]}, "ShadowProductionVariants"),
        ({"ExecutionRoleArn": "arn:aws:iam::123456789012:role/Nobody"}, "Could not assume role"),
        ({"AsyncInferenceConfig": {"OutputConfig": {}}}, "S3OutputPath is required"),
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/p", "NotificationConfig": {
            "SuccessTopic": "arn:aws:sns:us-east-1:123456789012:t"}}}}, "NotificationConfig"),
    ],
)  # fmt: skip
def test_refused_configurations(cloud: Cloud, endpoint: str, members: dict, message: str) -> None:
    request = {"EndpointConfigName": unique("config"), "ProductionVariants": [variant(endpoint)], **members}
    code, _, text = error_of(cloud.sagemaker.create_endpoint_config, **request)
    assert (code, message in text) == ("ValidationException", True), text


def test_an_endpoint_in_progress(cloud: Cloud) -> None:
    """A container that never answers /ping with 200: no calls, no update and, as on AWS, no deletion."""
    name = cloud.deploy(Environment={"UNHEALTHY": "1"})
    code, _, text = error_of(cloud.runtime.invoke_endpoint, EndpointName=name, Body=b"")
    assert (code, "Creating" in text) == ("ValidationError", True)
    for refused in (
        error_of(cloud.sagemaker.delete_endpoint, EndpointName=name),
        error_of(cloud.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=name),
    ):
        assert (refused[0], "Cannot update in-progress endpoint" in refused[2]) == ("ValidationException", True)


def test_a_program_that_ends_at_once(cloud: Cloud) -> None:
    endpoint = cloud.wait_endpoint(cloud.deploy(Environment={"EXIT": "3"}))
    assert endpoint["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in endpoint["FailureReason"]


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ({"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": "{folder}/plain/"}, ["deep", "deep/x", "w"]),
        ({"S3DataType": "S3Object", "CompressionType": "None", "S3Uri": "{folder}/plain/w"}, ["w"]),
        ({"S3DataType": "S3Object", "CompressionType": "Gzip", "S3Uri": "{folder}/packed.tar.gz"}, ["inside"]),
    ],
)
def test_model_data_source(cloud: Cloud, source: dict, files: list[str]) -> None:
    key = unique("source")
    cloud.put(f"{key}/plain/w"), cloud.put(f"{key}/plain/deep/x"), cloud.put(f"{key}/plain-not")
    cloud.put(f"{key}/packed.tar.gz", archive({"inside": b"i"}))
    source["S3Uri"] = source["S3Uri"].format(folder=f"s3://{cloud.bucket}/{key}")
    name = cloud.deploy(ModelDataSource={"S3DataSource": source})
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    assert json.loads(cloud.invoke(name, b"model"))["files"] == files
    cloud.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"ModelDataUrl": "s3://{bucket}/no/model.tar.gz"}, "Could not find model data at s3://"),
        ({"ModelDataUrl": "s3://no-such-bucket/model.tar.gz"}, "does not exist"),
        ({"ModelDataSource": ("S3Prefix", "None", "s3://{bucket}/nothing-here/")}, "there is no object under"),
        ({"ModelDataSource": ("S3Prefix", "None", "s3://{bucket}/x")}, "forward slash"),
        ({"ModelDataSource": ("S3Prefix", "Gzip", "s3://{bucket}/x/")}, "CompressionType Gzip"),
        ({"ModelDataSource": ("S3Object", "None", "s3://b/x"), "ModelDataUrl": "s3://b/x"}, "not both"),
    ],
)
def test_refused_model_data(cloud: Cloud, container: dict, message: str) -> None:
    if isinstance(source := container.get("ModelDataSource"), tuple):
        source = dict(zip(("S3DataType", "CompressionType", "S3Uri"), source, strict=True))
        container = {**container, "ModelDataSource": {"S3DataSource": source}}
        source["S3Uri"] = source["S3Uri"].format(bucket=cloud.bucket)
    elif "ModelDataUrl" in container:
        container = {"ModelDataUrl": container["ModelDataUrl"].format(bucket=cloud.bucket)}
    request = {"ModelName": unique("model"), "ExecutionRoleArn": cloud.connection.role_arn}
    code, _, text = error_of(cloud.sagemaker.create_model, PrimaryContainer={"Image": "tiny", **container}, **request)
    assert (code, message in text) == ("ValidationException", True), text


def test_a_model_of_a_package(cloud: Cloud) -> None:
    """CreateModel with the name of a version in the registry: its container, with the model's own environment."""
    group = unique("group")
    cloud.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    url = cloud.put(f"{group}/model.tar.gz", archive({"w": b"w"}))
    container = {"Image": "registry/tiny:1", "ModelDataUrl": url, "Environment": {"A": "package", "B": "package"}}
    specification = {"Containers": [container], "SupportedContentTypes": ["x/y"], "SupportedResponseMIMETypes": ["x/y"]}
    package = cloud.sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, ModelApprovalStatus="Approved"
    )["ModelPackageArn"]
    name = unique("packaged")
    role = cloud.connection.role_arn
    asked = {"ModelPackageName": package, "Environment": {"B": "model"}}
    cloud.sagemaker.create_model(ModelName=name, PrimaryContainer=asked, ExecutionRoleArn=role)
    assert cloud.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["ModelPackageName"] == package
    cloud.create_endpoint(name, [variant(name)])
    assert cloud.wait_endpoint(name)["EndpointStatus"] == "InService"
    seen = json.loads(cloud.invoke(name, b"model"))
    assert (seen["files"], seen["environ"]["A"], seen["environ"]["B"]) == (["w"], "package", "model")
    cloud.sagemaker.delete_endpoint(EndpointName=name)


def test_inference_components_are_refused(cloud: Cloud, endpoint: str) -> None:
    call = cloud.sagemaker.list_inference_components
    assert "ListInferenceComponents is not emulated" in error_of(call)[2]
    refused = error_of(cloud.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"", InferenceComponentName="c")
    assert (refused[0], "InferenceComponentName is not emulated" in refused[2]) == ("ValidationError", True)


def test_lists(cloud: Cloud, endpoint: str) -> None:
    name = unique("listed")
    cloud.create_model(name)
    cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    calls = {"Model": cloud.sagemaker.list_models, "EndpointConfig": cloud.sagemaker.list_endpoint_configs}
    for kind, call in calls.items():
        made = cloud.sagemaker.describe_model(ModelName=name)["CreationTime"]
        (found,) = call(NameContains=name, SortBy="Name", SortOrder="Ascending")[f"{kind}s"]
        assert found[f"{kind}Arn"].endswith(f"/{name}")
        assert name not in [other[f"{kind}Name"] for other in call(CreationTimeBefore=made, MaxResults=100)[f"{kind}s"]]
        assert "NextToken" in call(MaxResults=1)
    listed = cloud.sagemaker.list_endpoints(StatusEquals="InService", NameContains=endpoint, MaxResults=100)
    assert endpoint in [found["EndpointName"] for found in listed["Endpoints"]]
    assert not cloud.sagemaker.list_endpoints(StatusEquals="Failed", NameContains=endpoint)["Endpoints"]
