"""The genuine SageMaker SDK v3: transform jobs, updated endpoints, asynchronous calls."""

import boto3
import pytest

from contract.cloud import Cloud, unique, until
from contract.sdk import plain_session
from contract.transforms import Transforms

pytestmark = pytest.mark.sdk
pytest.importorskip("sagemaker.core.transformer", reason="the SageMaker SDK v3 is not installed")


@pytest.fixture(scope="module")
def session(cloud: Cloud):
    return plain_session(cloud)


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> dict:
    """Where the resource classes work."""
    return {"session": boto3.Session(region_name=cloud.connection.region), "region": cloud.connection.region}


@pytest.fixture(scope="module")
def transforms(cloud: Cloud) -> Transforms:
    return Transforms(cloud)


def deploy(cloud: Cloud, place: dict, *, asynchronous: bool = False, **environ: str):
    """Model, configuration and endpoint of one name, made with the resource classes."""
    from sagemaker.core import shapes
    from sagemaker.core.resources import Endpoint, EndpointConfig, Model

    name = unique("sdk-serving")
    cloud.put(f"sdk/{name}/w", b"w")
    source = shapes.S3ModelDataSource(
        s3_uri=f"s3://{cloud.bucket}/sdk/{name}/", s3_data_type="S3Prefix", compression_type="None"
    )
    container = shapes.ContainerDefinition(
        image="registry/tiny:1", model_data_source=shapes.ModelDataSource(s3_data_source=source), environment=environ
    )
    Model.create(model_name=name, primary_container=container, execution_role_arn=cloud.connection.role_arn, **place)
    variant = shapes.ProductionVariant(
        variant_name="AllTraffic", model_name=name, instance_type="ml.m5.large", initial_instance_count=1
    )
    output = shapes.AsyncInferenceOutputConfig(s3_output_path=f"s3://{cloud.bucket}/sdk/{name}/out")
    options = {"async_inference_config": shapes.AsyncInferenceConfig(output_config=output)} if asynchronous else {}
    EndpointConfig.create(endpoint_config_name=name, production_variants=[variant], **options, **place)
    endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name, **place)
    endpoint.wait_for_status("InService", poll=1)
    return endpoint


def test_transformer(cloud: Cloud, session, transforms: Transforms) -> None:
    from sagemaker.core.transformer import Transformer

    folder = unique("sdk-transform")
    cloud.put(f"{folder}/in/x.csv", b"1,a\n2,b\n")
    transformer = Transformer(
        model_name=transforms.model(MODEL="numbered"),
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{cloud.bucket}/{folder}/out",
        max_concurrent_transforms=2,
        max_payload=1,
        env={"NOTE": "x"},
        base_transform_job_name=unique("sdk"),
        sagemaker_session=session,
    )
    transformer.transform(
        data=f"s3://{cloud.bucket}/{folder}/in",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1]",
        join_source="Input",
        output_filter="$[0,-1]",
        model_client_config={"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
        wait=True,
        logs=True,
    )
    assert cloud.get(f"s3://{cloud.bucket}/{folder}/out/x.csv.out") == b"1,1\n2,1\n"


def test_transformer_reports_a_failure(cloud: Cloud, session, transforms: Transforms) -> None:
    from sagemaker.core.transformer import Transformer

    uri = cloud.put(f"{unique('sdk-transform')}/bad", b"bad")
    transformer = Transformer(transforms.model(), 1, "ml.m5.large", sagemaker_session=session)
    with pytest.raises(Exception, match="ClientError: See job logs"):
        transformer.transform(data=uri, wait=True, logs=False)


def test_transform_job(cloud: Cloud, place: dict, transforms: Transforms) -> None:
    from sagemaker.core import shapes
    from sagemaker.core.resources import TransformJob

    name = unique("sdk-transform")
    uri = cloud.put(f"{name}/in/x", b"hello")
    source = shapes.TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=uri.removesuffix("x"))
    data = shapes.TransformDataSource(s3_data_source=source)
    job = TransformJob.create(
        transform_job_name=name,
        model_name=transforms.model(),
        transform_input=shapes.TransformInput(data_source=data),
        transform_output=shapes.TransformOutput(s3_output_path=f"s3://{cloud.bucket}/{name}/out"),
        transform_resources=shapes.TransformResources(instance_type="ml.m5.large", instance_count=1),
        **place,
    )
    job.wait(poll=1)
    assert job.refresh().transform_job_status == "Completed"
    assert cloud.get(f"s3://{cloud.bucket}/{name}/out/x.out") == b"hello"
    assert name in [found.transform_job_name for found in TransformJob.get_all(name_contains=name, **place)]


def test_update_of_an_endpoint(cloud: Cloud, place: dict) -> None:
    endpoint = deploy(cloud, place)
    other = deploy(cloud, place, ANSWERS="text/other")
    endpoint.endpoint_config_name = other.endpoint_name  # what update() sends
    endpoint.update()
    endpoint.wait_for_status("InService", poll=1)
    assert endpoint.refresh().endpoint_config_name == other.endpoint_name
    answer = endpoint.invoke(body=b"x", content_type="text/plain", custom_attributes="c")
    assert (answer.content_type, answer.custom_attributes) == ("text/other", "saw c")
    for made in (endpoint, other):
        made.delete()


def test_an_asynchronous_call(cloud: Cloud, place: dict) -> None:
    endpoint = deploy(cloud, place, asynchronous=True)
    uri = cloud.put(f"sdk/{endpoint.endpoint_name}/in", b"later")
    answer = endpoint.invoke_async(input_location=uri, content_type="text/plain")
    key = answer.output_location.removeprefix(f"s3://{cloud.bucket}/")

    def there() -> bool:
        return "Contents" in cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=key)

    until(there)
    assert cloud.get(answer.output_location) == b"later"
    endpoint.delete()
