"""What pipelines take from earlier runs, try again, and keep through a restart."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import local_sagemaker
from contract.cloud import Cloud, error_of, unique, until
from contract.flows import Flows, condition, fail, get

HOUR = {"Enabled": True, "ExpireAfter": "PT1H"}


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


def hit(flows: Flows, arn: str, step: str = "Train") -> str | None:
    """The execution whose result a step has taken."""
    return flows.steps(arn)[step].get("CacheHitResult", {}).get("SourcePipelineExecutionArn")


def test_caching(flows: Flows) -> None:
    lines = {"lines": {"Std:Join": {"Values": [get("Parameters.Lines")]}}}
    artifact = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    name = flows.create(
        flows.training("Train", lines, CacheConfig=HOUR),
        flows.model("Model", artifact),
        parameters=[{"Name": "Lines", "Type": "Integer", "DefaultValue": 1}],
    )
    first, second, third, other = (
        flows.wait(flows.start(name, {"Lines": lines})) for lines in ("1", "1", "1", "2")
    )  # fmt: skip
    assert [hit(flows, arn) for arn in (first, second, third, other)] == [None, first, first, None]
    assert flows.steps(second)["Train"]["Metadata"] == flows.steps(first)["Train"]["Metadata"]
    assert flows.statuses(second) == {"Train": "Succeeded", "Model": "Succeeded"}
    flows.cloud.sagemaker.delete_training_job(TrainingJobName=flows.job(first, "Train")["TrainingJobName"])
    assert hit(flows, flows.wait(flows.start(name))) is None  # its job is gone


def test_no_hit_without_caching_from_a_failure_or_too_late(flows: Flows) -> None:
    def hits(step: dict[str, Any]) -> str | None:
        name = flows.create(step)
        flows.wait(flows.start(name))
        time.sleep(0.01)
        return hit(flows, flows.wait(flows.start(name)))

    assert hits(flows.training("Train")) is None
    assert hits(flows.training("Train", CacheConfig={"Enabled": False})) is None
    assert hits(flows.training("Train", {"exit": "1"}, CacheConfig=HOUR)) is None
    assert hits(flows.training("Train", CacheConfig={"Enabled": True, "ExpireAfter": "PT0S"})) is None


def test_retry_policies(flows: Flows) -> None:
    """Only the parameter shows that the run time is beyond the limit, which the policy says to try again."""

    def attempts(*exceptions: str) -> int:
        policy = {"ExceptionType": list(exceptions), "IntervalSeconds": 0, "MaxAttempts": 2}
        limit = {"StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.Seconds")}}
        step = flows.training("Train", arguments=limit, RetryPolicies=[policy])
        arn = flows.run(step, parameters=[{"Name": "Seconds", "Type": "Integer", "DefaultValue": 3_000_000}])
        told = flows.steps(arn)["Train"]
        assert told["StepStatus"] == "Failed"
        assert "Failed to invoke sagemaker:CreateTrainingJob" in told["FailureReason"]
        return told["AttemptCount"]

    assert attempts("SageMaker.RESOURCE_LIMIT", "SageMaker.CAPACITY_ERROR") == 3
    assert attempts("Step.THROTTLING") == 1


def test_stop_while_waiting_for_the_next_attempt(flows: Flows) -> None:
    policy = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 60, "MaxAttempts": 2}
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.Seconds")}}
    step = flows.training("Train", arguments=limit, RetryPolicies=[policy])
    name = flows.create(step, parameters=[{"Name": "Seconds", "Type": "Integer", "DefaultValue": 3_000_000}])
    arn = flows.start(name)
    until(lambda: flows.steps(arn).get("Train", {}).get("AttemptCount") == 2)
    flows.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    flows.wait(arn)
    assert flows.statuses(arn) == {"Train": "Stopped"}


def selection(*steps: str, source: str | None = None) -> dict[str, Any]:
    from_ = {} if source is None else {"SourcePipelineExecutionArn": source}
    return {"SelectedSteps": [{"StepName": step} for step in steps], **from_}


def test_selective_execution(flows: Flows) -> None:
    artifact = get("Steps.A.ModelArtifacts.S3ModelArtifacts")
    last = flows.training("C", {"from": get("Steps.B.ModelName")})
    name = flows.create(flows.training("A"), flows.model("B", artifact), last, fail("Never", "no", DependsOn=["C"]))
    full = flows.wait(flows.start(name))
    arn = flows.wait(flows.start(name, SelectiveExecutionConfig=selection("B", "C", source=full)))
    steps = flows.steps(arn)
    assert flows.status(arn) == "Succeeded"
    assert {step: told.get("SelectiveExecutionResult") for step, told in steps.items()} == {
        "A": {"SourcePipelineExecutionArn": full}, "B": None, "C": None,
    }  # fmt: skip
    assert steps["A"]["Metadata"] == flows.steps(full)["A"]["Metadata"]
    assert steps["B"]["Metadata"] != flows.steps(full)["B"]["Metadata"]
    start = flows.client.start_pipeline_execution
    text = error_of(start, PipelineName=name, SelectiveExecutionConfig=selection("B"))[2]
    assert text == "Invalid SourcePipelineExecutionArn: null. The selected steps [B] have dependencies on [A]"
    text = error_of(start, PipelineName=name, SelectiveExecutionConfig=selection("A", "C", source=full))[2]
    assert text == "SelectedSteps: the steps [B] lie between selected steps and must be selected too."
    alone = flows.wait(flows.start(name, SelectiveExecutionConfig=selection("B", source=full)))
    text = error_of(start, PipelineName=name, SelectiveExecutionConfig=selection("Never", source=alone))[2]
    assert text == f"Invalid SourcePipelineExecutionArn: {alone}. The steps [C] did not succeed in it."
    other = flows.run(condition("X", []))
    text = error_of(start, PipelineName=name, SelectiveExecutionConfig=selection("B", source=other))[2]
    assert text.endswith("It is no execution of this pipeline.")


def test_register_model(flows: Flows) -> None:
    group = unique("group")
    flows.client.create_model_package_group(ModelPackageGroupName=group)
    data = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    arguments = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": "registry/tiny:1", "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["text/plain"],
        },
    }
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}
    version = get("Steps.Register.ModelPackageVersion")
    check = condition("First", [{"Type": "Equals", "LeftValue": version, "RightValue": 1}])
    arn = flows.run(flows.training("Train"), register, check)
    assert flows.status(arn) == "Succeeded"
    package = flows.steps(arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    assert package.endswith(f"/{group}/1")
    told = flows.client.describe_model_package(ModelPackageName=package)
    container = told["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == flows.job(arn, "Train")["ModelArtifacts"]["S3ModelArtifacts"]
    assert flows.steps(arn)["First"]["Metadata"]["Condition"]["Outcome"] == "True"


@pytest.mark.http
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_restart(fresh_workspace: Path, images: Path, connect: Any, end: str) -> None:
    """What ran has failed with a reason, what is done is kept, and a retry goes on from there."""
    before = Flows(Cloud(local_sagemaker.start(fresh_workspace, images), connect))
    again = {"RetryStrategy": {"MaximumRetryAttempts": 2}}  # by itself such a job would run on
    slow = before.training("Slow", {"sleep": "60"}, again, DependsOn=["First"])
    name = before.create(before.training("First"), slow)
    arn = before.start(name)
    until(lambda: before.statuses(arn).get("Slow") == "Executing")
    if end == "kill":
        os.kill(before.cloud.connection.pid, signal.SIGKILL)
    else:
        local_sagemaker.stop(fresh_workspace)
    after = Flows(Cloud(local_sagemaker.start(fresh_workspace, images), connect))
    assert after.status(arn) == "Failed"
    assert after.statuses(arn) == {"First": "Succeeded", "Slow": "Failed"}
    for reason in (after.describe(arn)["FailureReason"], after.steps(arn)["Slow"]["FailureReason"]):
        assert reason.startswith("InternalServerError: The local SageMaker was stopped or ended")
    assert after.job(arn, "Slow")["TrainingJobStatus"] == "Failed"
    after.client.retry_pipeline_execution(PipelineExecutionArn=arn)
    until(lambda: after.statuses(arn).get("Slow") == "Executing")
    assert after.statuses(arn)["First"] == "Succeeded"
