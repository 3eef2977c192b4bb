"""The AWS CLI against the server: every family's create and describe, and one refusal each."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract import tuning
from contract.cloud import Cloud, unique, until, variant
from contract.processors import Processors
from contract.transforms import Transforms

pytestmark = pytest.mark.http
AWS = Path(sys.executable).with_name("aws")
REFUSED = 255  # the exit code of version 1 for an error that the service answered with


@pytest.fixture(scope="module")
def aws(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `aws ...` with nothing but the connection's variables; ``request`` goes as --cli-input-json."""
    if not AWS.exists():
        pytest.skip("the AWS CLI is not installed")
    home = tmp_path_factory.mktemp("home")
    environ = {"PATH": os.defpath, "HOME": str(home), "AWS_PAGER": "", **cloud.connection.environ()}
    environ["PYTHONWARNINGS"] = "ignore"

    def run(*arguments: str, request: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        given = () if request is None else ("--cli-input-json", json.dumps(request))
        command = [sys.executable, str(AWS), *arguments, *given]
        return subprocess.run(command, env=environ, cwd=home, capture_output=True, text=True, timeout=60)

    return run


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that a command which must succeed printed; None where it printed nothing."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def refused(done: subprocess.CompletedProcess[str], code: str, text: str) -> None:
    assert done.returncode == REFUSED
    assert f"An error occurred ({code})" in done.stderr
    assert text in done.stderr


def test_s3(cloud: Cloud, aws, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a b.txt").write_text("content")
    prefix = f"s3://{cloud.bucket}/cli/"
    assert aws("s3", "cp", "--recursive", str(tmp_path / "data"), prefix).returncode == 0
    assert aws("s3", "ls", prefix).stdout.split()[2:] == ["7", "a", "b.txt"]
    assert aws("s3", "cp", f"{prefix}a b.txt", "-").stdout == "content"
    refused(aws("s3", "ls", "s3://no-such-bucket/"), "NoSuchBucket", "bucket does not exist")


def test_training_and_logs(cloud: Cloud, aws) -> None:
    request = cloud.job_request({"lines": 1})
    name = request["TrainingJobName"]
    assert answer(aws("sagemaker", "create-training-job", request=request))["TrainingJobArn"].endswith(name)
    cloud.wait(name)
    job = answer(aws("sagemaker", "describe-training-job", "--training-job-name", name))
    assert job["TrainingJobStatus"] == "Completed"
    group = "/aws/sagemaker/TrainingJobs"
    log = aws("logs", "filter-log-events", "--log-group-name", group, "--log-stream-name-prefix", f"{name}/")
    assert "first line" in [event["message"] for event in answer(log)["events"]]
    refused(aws("sagemaker", "create-training-job", request=request), "ResourceInUse", "must be unique")


def test_tuning(cloud: Cloud, aws) -> None:
    request = tuning.request(cloud, static={"kind": "good"}, ResourceLimits=tuning.limits(2))
    name = request["HyperParameterTuningJobName"]
    answer(aws("sagemaker", "create-hyper-parameter-tuning-job", request=request))
    named = ("--hyper-parameter-tuning-job-name", name)

    def ended() -> bool:
        job = cloud.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return job["HyperParameterTuningJobStatus"] == "Completed"

    until(ended, 60)
    best = aws("sagemaker", "describe-hyper-parameter-tuning-job", *named, "--query", "BestTrainingJob.TrainingJobName")
    listed = answer(aws("sagemaker", "list-training-jobs-for-hyper-parameter-tuning-job", *named))
    assert answer(best) in [child["TrainingJobName"] for child in listed["TrainingJobSummaries"]]
    refused(aws("sagemaker", "create-hyper-parameter-tuning-job", request=request), "ResourceInUse", name)


def test_transform(cloud: Cloud, aws) -> None:
    request = Transforms(cloud).request({"a.txt": b"content"})
    name = request["TransformJobName"]
    answer(aws("sagemaker", "create-transform-job", request=request))
    Transforms(cloud).wait(name)
    job = answer(aws("sagemaker", "describe-transform-job", "--transform-job-name", name))
    assert job["TransformJobStatus"] == "Completed"
    assert aws("s3", "cp", f"{request['TransformOutput']['S3OutputPath']}/a.txt.out", "-").stdout == "content"
    wrong = {**request, "TransformJobName": unique("cli"), "ModelName": "nowhere"}
    refused(aws("sagemaker", "create-transform-job", request=wrong), "ValidationException", "nowhere")


def test_processing(cloud: Cloud, aws) -> None:
    request = Processors(cloud).request("print('processed')")
    name = request["ProcessingJobName"]
    answer(aws("sagemaker", "create-processing-job", request=request))
    described = ("sagemaker", "describe-processing-job", "--processing-job-name")
    client = cloud.sagemaker
    until(lambda: client.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] != "InProgress", 60)
    assert answer(aws(*described, name))["ProcessingJobStatus"] == "Completed"
    refused(aws(*described, "nowhere"), "ValidationException", "ind")
    again = aws("sagemaker", "create-processing-job", request=request)
    refused(again, "ResourceInUse", name)


def test_registry_and_experiments(cloud: Cloud, aws) -> None:
    name = unique("cli")
    group = ("--model-package-group-name", name)
    answer(aws("sagemaker", "create-model-package-group", *group))
    assert answer(aws("sagemaker", "list-model-packages", *group)) == {"ModelPackageSummaryList": []}
    refused(aws("sagemaker", "create-model-package-group", *group), "ValidationException", "already exists")
    answer(aws("sagemaker", "create-experiment", "--experiment-name", name, "--tags", "Key=team,Value=rail"))
    expression = {"Filters": [{"Name": "Tags.team", "Operator": "Equals", "Value": "rail"}]}
    found = aws("sagemaker", "search", request={"Resource": "Experiment", "SearchExpression": expression})
    assert name in [one["Experiment"]["ExperimentName"] for one in answer(found)["Results"]]
    refused(aws("sagemaker", "delete-experiment", "--experiment-name", "nowhere"), "ResourceNotFound", "does not exist")


def test_endpoints(cloud: Cloud, aws, tmp_path: Path) -> None:
    name = unique("cli")
    model = {"ModelName": name, "PrimaryContainer": {"Image": "tiny"}, "ExecutionRoleArn": cloud.connection.role_arn}
    answer(aws("sagemaker", "create-model", request=model))
    config = {"EndpointConfigName": name, "ProductionVariants": [variant(name)]}
    answer(aws("sagemaker", "create-endpoint-config", request=config))
    create = ("sagemaker", "create-endpoint", "--endpoint-name", name, "--endpoint-config-name")
    refused(aws(*create, "nowhere"), "ValidationException", "Could not find endpoint configuration")
    answer(aws(*create, name))
    cloud.wait_endpoint(name)
    assert aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", name).returncode == 0
    invoke = ("sagemaker-runtime", "invoke-endpoint", "--body", "hello", str(tmp_path / "out"), "--endpoint-name")
    assert answer(aws(*invoke, name))["InvokedProductionVariant"] == "AllTraffic"
    assert (tmp_path / "out").read_text() == "hello"
    refused(aws(*invoke, "nowhere"), "ValidationError", "nowhere")
    answer(aws("sagemaker", "delete-endpoint", "--endpoint-name", name))


def test_pipelines(cloud: Cloud, aws) -> None:
    name = unique("cli-flow")
    steps = [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}]
    definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
    request = {
        "PipelineName": name,
        "PipelineDefinition": definition,
        "RoleArn": cloud.connection.role_arn,
        "ClientRequestToken": "t" * 32,
    }
    answer(aws("sagemaker", "create-pipeline", request=request))
    started = answer(aws("sagemaker", "start-pipeline-execution", "--pipeline-name", name))
    arn = started["PipelineExecutionArn"]

    def ended() -> bool:
        state = cloud.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return state["PipelineExecutionStatus"] == "Failed"

    until(ended)
    listed = answer(aws("sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", arn))
    assert "as asked" in listed["PipelineExecutionSteps"][0]["FailureReason"]
    refused(aws("sagemaker", "describe-pipeline", "--pipeline-name", "nowhere"), "ResourceNotFound", "nowhere")


def test_what_is_not_emulated(aws) -> None:
    refused(aws("sagemaker", "list-clusters"), "ValidationException", "ListClusters is not emulated")
