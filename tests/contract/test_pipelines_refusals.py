"""What the operations on pipelines refuse."""

import json

import pytest

from contract.cloud import Cloud, error_of, unique, until
from contract.flows import Flows, condition

TOKEN = "t" * 32


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


@pytest.fixture(scope="module")
def pipeline(flows: Flows) -> str:
    """A pipeline with an execution that has succeeded."""
    name = flows.create(condition("C", []), parameters=[{"Name": "N", "Type": "Integer", "DefaultValue": 1}])
    flows.wait(flows.start(name))
    return name


@pytest.fixture(scope="module")
def execution(flows: Flows, pipeline: str) -> str:
    answer = flows.client.list_pipeline_executions(PipelineName=pipeline)
    return answer["PipelineExecutionSummaries"][0]["PipelineExecutionArn"]


def test_names_are_unique(flows: Flows, pipeline: str) -> None:
    request = flows.request([condition("C", [])], PipelineName=pipeline)
    code, status, text = error_of(flows.client.create_pipeline, **request)
    assert (code, status) == ("ValidationException", 400)
    assert text.startswith("Pipeline names must be unique within an AWS account and region.")


def test_the_token_makes_a_creation_idempotent(flows: Flows) -> None:
    request = flows.request([condition("C", [])], ClientRequestToken=TOKEN)
    assert flows.client.create_pipeline(**request) is not None
    arn = flows.client.create_pipeline(**request)["PipelineArn"]
    assert arn.endswith(f":pipeline/{request['PipelineName']}")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"PipelineDefinition": "{"}, "Unable to parse pipeline definition. The definition is not JSON"),
        ({"PipelineDefinition": None}, "Either PipelineDefinition or PipelineDefinitionS3Location must be given."),
        ({"PipelineDefinitionS3Location": {"Bucket": "abc", "ObjectKey": "k"}}, "not both"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/Nobody"}, "Could not assume role"),
        ({"PipelineName": "under_score"}, "regular expression pattern"),
        ({"PipelineVersionAliases": ["prod"]}, "PipelineVersionAliases is not emulated by the local SageMaker."),
    ],
)
def test_refused_creations(flows: Flows, members: dict, text: str) -> None:
    request = {**flows.request([condition("C", [])]), **members}
    request = {name: value for name, value in request.items() if value is not None}
    code, status, message = error_of(flows.client.create_pipeline, **request)
    assert (code, status) == ("ValidationException", 400)
    assert text in message


def test_updates_are_checked_like_creations(flows: Flows, pipeline: str) -> None:
    bad = json.dumps({"Steps": [{"Name": "A", "Type": "Lambda", "Arguments": {}}]})
    text = error_of(flows.client.update_pipeline, PipelineName=pipeline, PipelineDefinition=bad)[2]
    assert text == "Step 'A': a step of type Lambda is not emulated by the local SageMaker."
    assert '"C"' in flows.client.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]


def test_a_definition_that_is_not_in_s3(flows: Flows) -> None:
    request = flows.request([])
    del request["PipelineDefinition"]
    location = {"Bucket": flows.cloud.bucket, "ObjectKey": "no/such/key"}
    text = error_of(flows.client.create_pipeline, **request, PipelineDefinitionS3Location=location)[2]
    assert "no/such/key cannot be read" in text
    text = error_of(
        flows.client.create_pipeline, **request, PipelineDefinitionS3Location={**location, "VersionId": "1"}
    )[2]
    assert text == "PipelineDefinitionS3Location.VersionId is not emulated by the local SageMaker."


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("describe_pipeline", {}),
        ("update_pipeline", {}),
        ("delete_pipeline", {}),
        ("start_pipeline_execution", {}),
        ("list_pipeline_executions", {}),
    ],
)
def test_unknown_pipelines(flows: Flows, operation: str, members: dict) -> None:
    code, status, text = error_of(getattr(flows.client, operation), PipelineName="nowhere", **members)
    assert (code, status, text) == ("ResourceNotFound", 400, "Pipeline 'nowhere' does not exist.")


@pytest.mark.parametrize(
    "operation",
    [
        "describe_pipeline_execution", "describe_pipeline_definition_for_execution", "list_pipeline_execution_steps",
        "list_pipeline_parameters_for_execution", "stop_pipeline_execution", "retry_pipeline_execution",
        "update_pipeline_execution",
    ],
)  # fmt: skip
def test_unknown_executions(flows: Flows, execution: str, operation: str) -> None:
    for arn in (execution[:-1] + "-", execution.replace(":pipeline/", ":pipeline/other")):
        code, status, text = error_of(getattr(flows.client, operation), PipelineExecutionArn=arn)
        assert (code, status, text) == ("ResourceNotFound", 400, f"Pipeline execution '{arn}' does not exist.")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"PipelineParameters": [{"Name": "N", "Value": "many"}]}, "Parameter 'N': value 'many' is not of type"),
        ({"PipelineParameters": [{"Name": "M", "Value": "1"}]}, "Parameter(s) [M] do not exist in the pipeline"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/Nobody"}, "Could not assume role"),
        ({"PipelineVersionId": 1}, "PipelineVersionId is not emulated by the local SageMaker."),
        ({"MlflowExperimentName": "e"}, "MlflowExperimentName is not emulated by the local SageMaker."),
        ({"SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "X"}]}}, "step 'X' does not exist"),
        ({"SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "C"}]}}, "a Condition step or one in its"),
    ],
)  # fmt: skip
def test_refused_starts(flows: Flows, pipeline: str, members: dict, text: str) -> None:
    before = flows.client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    code, _, message = error_of(flows.client.start_pipeline_execution, PipelineName=pipeline, **members)
    assert code == "ValidationException"
    assert text in message
    assert flows.client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"] == before


def test_a_token_is_for_one_request(flows: Flows, pipeline: str) -> None:
    token = unique("token") + "-" * 32
    flows.wait(flows.start(pipeline, ClientRequestToken=token))
    code, _, text = error_of(
        flows.client.start_pipeline_execution,
        PipelineName=pipeline,
        PipelineParameters=[{"Name": "N", "Value": "2"}],
        ClientRequestToken=token,
    )
    assert code == "ConflictException"
    assert "ClientRequestToken" in text


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ("stop_pipeline_execution", "is in status Succeeded, so it cannot be stopped."),
        ("retry_pipeline_execution", "is in status Succeeded; only one that failed or was stopped can be retried."),
    ],
)
def test_states(flows: Flows, execution: str, operation: str, text: str) -> None:
    code, status, message = error_of(getattr(flows.client, operation), PipelineExecutionArn=execution)
    assert (code, status) == ("ConflictException", 400)
    assert message == f"Pipeline execution {execution} {text}"


def test_a_pipeline_that_runs_is_not_deleted(flows: Flows) -> None:
    name = flows.create(flows.training("Slow", {"sleep": "60"}))
    arn = flows.start(name)
    until(lambda: flows.statuses(arn).get("Slow") == "Executing")
    code, _, text = error_of(flows.client.delete_pipeline, PipelineName=name)
    assert code == "ConflictException"
    assert "stop them before deleting it" in text
    flows.client.stop_pipeline_execution(PipelineExecutionArn=arn)
    flows.wait(arn)
    flows.client.delete_pipeline(PipelineName=name)


def test_versions_are_not_emulated(flows: Flows, pipeline: str) -> None:
    text = error_of(flows.client.list_pipeline_versions, PipelineName=pipeline)[2]
    assert text == "ListPipelineVersions is not emulated by the local SageMaker."
