"""The genuine SageMaker SDK v3 against the server, as the labs use it."""

import io
from pathlib import Path

import boto3
import pytest

from contract.cloud import Cloud, archive, unique
from contract.sdk import model_trainer, plain_session

pytestmark = pytest.mark.sdk
pytest.importorskip("sagemaker.train", reason="the SageMaker SDK v3 is not installed")


@pytest.fixture(scope="module")
def session(cloud: Cloud):
    return plain_session(cloud)


def channels(cloud: Cloud) -> list:
    """One channel; SDK 3.12 cannot train without any."""
    from sagemaker.core.training.configs import InputData

    cloud.put("sdk-data/x.txt", b"x")
    return [InputData(channel_name="training", data_source=f"s3://{cloud.bucket}/sdk-data/")]


def test_model_trainer(cloud: Cloud, session) -> None:
    from sagemaker.core.shapes import MetricDefinition

    estimator = model_trainer(cloud, session, hyperparameters={"lines": 3, "rate": 0.5})
    estimator = estimator.with_metric_definitions([MetricDefinition(name="loss", regex=r"\bloss=([0-9.]+);")])
    estimator.train(input_data_config=channels(cloud), wait=True, logs=True)
    job = cloud.describe(estimator._latest_training_job.training_job_name)
    assert job["TrainingJobStatus"] == "Completed"
    final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert final["loss"] == pytest.approx(1 / 3, abs=1e-5)


def test_model_trainer_reports_a_failure(cloud: Cloud, session) -> None:
    estimator = model_trainer(cloud, session, hyperparameters={"failure": "ValueError: no boxes", "exit": 1})
    with pytest.raises(Exception, match="ValueError: no boxes"):
        estimator.train(input_data_config=channels(cloud), wait=True, logs=False)


def test_source_code(cloud: Cloud, session, tmp_path: Path) -> None:
    """The SDK's own bash driver, which knows nothing but /opt/ml."""
    from sagemaker.core.training.configs import SourceCode

    script = "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'made').write_text('by the script')\n"
    (tmp_path / "entry.py").write_text(script)
    source = SourceCode(source_dir=str(tmp_path), entry_script="entry.py")
    estimator = model_trainer(cloud, session, source_code=source)
    estimator.train(wait=True, logs=False)
    name = estimator._latest_training_job.training_job_name
    job = cloud.describe(name)
    assert job["TrainingJobStatus"] == "Completed", "\n".join(cloud.log(name)[-20:])
    assert cloud.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"made": b"by the script"}


def test_endpoint_resources(cloud: Cloud, session) -> None:
    from sagemaker.core.resources import Endpoint, EndpointConfig, Model
    from sagemaker.core.shapes import ContainerDefinition, ProductionVariant

    name = unique("sdk-endpoint")
    model_data = cloud.put(f"sdk/{name}/model.tar.gz", archive({"w": b"w"}))
    boto = boto3.Session(region_name=cloud.connection.region)
    model = Model.create(
        model_name=name,
        primary_container=ContainerDefinition(image="registry/tiny:1", model_data_url=model_data),
        execution_role_arn=cloud.connection.role_arn,
        session=boto,
        region=cloud.connection.region,
    )
    variant = ProductionVariant(
        variant_name="AllTraffic", model_name=name, instance_type="ml.m5.large", initial_instance_count=1
    )
    config = EndpointConfig.create(
        endpoint_config_name=name, production_variants=[variant], session=boto, region=cloud.connection.region
    )
    endpoint = Endpoint.create(
        endpoint_name=name, endpoint_config_name=name, session=boto, region=cloud.connection.region
    )
    endpoint.wait_for_status("InService", poll=1)
    answer = endpoint.invoke(body=io.BytesIO(b"hello").read(), content_type="text/plain")
    assert answer.body.read() == b"hello"
    endpoint.delete()
    endpoint.wait_for_delete(poll=1)
    config.delete()
    model.delete()
    assert name not in [m["ModelName"] for m in cloud.sagemaker.list_models(MaxResults=100)["Models"]]
