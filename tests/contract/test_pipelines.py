"""Pipelines really run: parameters, references, branches, failures, and what is told about them."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from contract.cloud import Cloud, unique, until
from contract.flows import Flows, compare, condition, fail, get

LOSS = get("Steps.Train.FinalMetricDataList['train:loss'].Value")
ARTIFACT = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")


@pytest.fixture(scope="module")
def flows(cloud: Cloud) -> Flows:
    return Flows(cloud)


@pytest.fixture(scope="module")
def done(flows: Flows) -> str:
    """An execution of train, check, then model or failure."""
    return flows.wait(flows.start(evaluated(flows, {"Name": "Limit", "Type": "Float"}), {"Limit": "0.5", "Lines": "4"}))


def evaluated(flows: Flows, limit: dict) -> str:
    parts = ["s3:/", flows.cloud.bucket, get("Execution.PipelineExecutionId"), "out"]
    path = {"OutputDataConfig": {"S3OutputPath": {"Std:Join": {"On": "/", "Values": parts}}}}
    number = {"Std:Join": {"Values": [get("Parameters.Lines")]}}
    return flows.create(
        flows.training("Train", {"lines": number}, path, DisplayName="Learn it"),
        condition(
            "Good", [compare(LOSS, "LessThan", get("Parameters.Limit"))],
            [flows.model("Model", ARTIFACT)],
            [fail("TooBad", {"Std:Join": {"On": " ", "Values": ["loss is", LOSS]}})],
        ),
        parameters=[{"Name": "Lines", "Type": "Integer", "DefaultValue": 1}, limit],
    )  # fmt: skip


def test_an_execution_succeeds(flows: Flows, done: str) -> None:
    execution = flows.describe(done)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in execution
    assert execution["PipelineArn"] == done.rpartition("/execution/")[0]
    assert execution["CreationTime"] <= execution["LastModifiedTime"]
    assert flows.statuses(done) == {"Train": "Succeeded", "Good": "Succeeded", "Model": "Succeeded"}


def test_steps_are_told(flows: Flows, done: str) -> None:
    steps = flows.steps(done)
    execution = done.rpartition("/")[2]
    assert steps["Train"]["StepDisplayName"] == "Learn it"
    assert steps["Train"]["AttemptCount"] == 1
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    assert re.fullmatch(rf"pipelines-{execution}-Train-[A-Za-z0-9]{{10}}", job)
    assert steps["Good"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    times = [time for step in steps.values() for time in (step["StartTime"], step["EndTime"])]
    assert times == sorted(times)


def test_references_are_resolved(flows: Flows, done: str) -> None:
    job = flows.job(done, "Train")
    assert job["HyperParameters"] == {"lines": "4"}
    assert job["OutputDataConfig"]["S3OutputPath"] == f"s3://{flows.cloud.bucket}/{done.rpartition('/')[2]}/out"
    name = flows.steps(done)["Model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    container = flows.client.describe_model(ModelName=name)["PrimaryContainer"]
    assert container["ModelDataUrl"] == job["ModelArtifacts"]["S3ModelArtifacts"]


def test_parameters_are_listed(flows: Flows, done: str) -> None:
    answer = flows.client.list_pipeline_parameters_for_execution(PipelineExecutionArn=done)
    assert answer["PipelineParameters"] == [{"Name": "Lines", "Value": "4"}, {"Name": "Limit", "Value": "0.5"}]


def test_the_other_branch_fails_the_execution(flows: Flows) -> None:
    arn = flows.wait(flows.start(evaluated(flows, {"Name": "Limit", "Type": "Float", "DefaultValue": 0.5})))
    execution = flows.describe(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"].startswith("Step failure: One or multiple steps failed. TooBad: loss is 1.0")
    assert flows.statuses(arn) == {"Train": "Succeeded", "Good": "Succeeded", "TooBad": "Failed"}
    assert flows.steps(arn)["TooBad"]["Metadata"] == {"Fail": {"ErrorMessage": "loss is 1.0"}}


@pytest.mark.parametrize(
    ("tested", "outcome"),
    [
        (compare("a", "Equals", "a"), "True"),
        (compare(get("Parameters.Flag"), "Equals", False), "False"),
        ({"Type": "In", "QueryValue": get("Parameters.Word"), "Values": ["x", "word"]}, "True"),
        ({"Type": "Not", "Condition": compare(get("Execution.PipelineName"), "Equals", "nothing")}, "True"),
        ({"Type": "Or", "Conditions": [compare(2, "LessThan", 1), compare(2, "GreaterThanOrEqualTo", 2.0)]}, "True"),
        ({"Type": "And", "Conditions": [compare(1, "LessThan", 2), compare("b", "LessThanOrEqualTo", "a")]}, "False"),
    ],
)
def test_conditions(flows: Flows, tested: dict, outcome: str) -> None:
    parameters = [
        {"Name": "Flag", "Type": "Boolean", "DefaultValue": True},
        {"Name": "Word", "DefaultValue": "word"},
    ]
    arn = flows.run(condition("Check", [tested]), parameters=parameters)
    assert flows.status(arn) == "Succeeded"
    assert flows.steps(arn)["Check"]["Metadata"]["Condition"]["Outcome"] == outcome


def test_values_that_cannot_be_compared_fail_the_step(flows: Flows) -> None:
    arn = flows.run(condition("Check", [compare(get("Parameters.Word"), "LessThan", 3)]), parameters=[WORD])
    assert flows.status(arn) == "Failed"
    assert flows.steps(arn)["Check"]["FailureReason"] == "ClientError: Condition LessThan cannot compare 'word' with 3."


WORD = {"Name": "Word", "DefaultValue": "word"}


def test_a_prefix_for_the_names_of_jobs(flows: Flows) -> None:
    arn = flows.run(flows.training("Train", arguments={"TrainingJobName": "my-jobs"}))
    assert flows.job(arn, "Train")["TrainingJobName"].startswith(f"my-jobs-{arn.rpartition('/')[2]}-")


def test_a_step_takes_role_and_trial_from_its_execution(flows: Flows) -> None:
    step = flows.training("Train")
    step["Arguments"] |= {"RoleArn": None, "ExperimentConfig": {"TrialComponentDisplayName": "shown"}}
    request = flows.request([step])
    experiment = {"ExperimentName": get("Execution.PipelineName"), "TrialName": get("Execution.PipelineExecutionId")}
    definition = {**json.loads(request["PipelineDefinition"]), "PipelineExperimentConfig": experiment}
    flows.client.create_pipeline(**{**request, "PipelineDefinition": json.dumps(definition)})
    arn = flows.wait(flows.start(request["PipelineName"]))
    job = flows.job(arn, "Train")
    assert job["RoleArn"] == flows.cloud.connection.role_arn
    names = {"ExperimentName": request["PipelineName"], "TrialName": arn.rpartition("/")[2]}
    assert flows.describe(arn)["PipelineExperimentConfig"] == names
    assert job["ExperimentConfig"] == {**names, "TrialComponentDisplayName": "shown"}
    components = flows.client.list_trial_components(TrialName=names["TrialName"])["TrialComponentSummaries"]
    assert [component["DisplayName"] for component in components] == ["shown"]


def test_a_failed_job_fails_the_execution(flows: Flows) -> None:
    bad = flows.training("Bad", {"failure": "ValueError: no boxes", "exit": "1"})
    after = flows.training("After", DependsOn=["Bad"])
    arn = flows.run(bad, after)
    execution, steps = flows.describe(arn), flows.steps(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "Bad: AlgorithmError: ValueError: no boxes" in execution["FailureReason"]
    assert list(steps) == ["Bad"]
    assert steps["Bad"]["FailureReason"].startswith("AlgorithmError: ValueError: no boxes")
    listed = flows.client.list_pipeline_executions(PipelineName=arn.split("/")[1])["PipelineExecutionSummaries"]
    assert listed[0]["PipelineExecutionFailureReason"] == execution["FailureReason"]


def test_a_refused_call_fails_the_step(flows: Flows) -> None:
    """What only the values of an execution show: the image is a parameter."""
    image = {"AlgorithmSpecification": {"TrainingImage": get("Parameters.Image"), "TrainingInputMode": "File"}}
    name = flows.create(flows.training("Train", arguments=image), parameters=[{"Name": "Image"}])
    arn = flows.wait(flows.start(name, {"Image": "nowhere/unknown:1"}))
    reason = flows.steps(arn)["Train"]["FailureReason"]
    assert reason.startswith(
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: Cannot find the"
    )


def test_steps_run_side_by_side_up_to_the_limit(flows: Flows) -> None:
    def overlap(limit: int) -> bool:
        steps = [flows.training(name, {"sleep": "0.4"}) for name in ("A", "B")]
        name = flows.create(*steps, ParallelismConfiguration={"MaxParallelExecutionSteps": limit})
        first, second = flows.steps(flows.wait(flows.start(name))).values()
        return second["StartTime"] < first["EndTime"]

    assert overlap(2)
    assert not overlap(1)


def test_stop(flows: Flows) -> None:
    name = flows.create(flows.training("Slow", {"sleep": "60"}), flows.training("After", DependsOn=["Slow"]))
    arn = flows.start(name)
    until(lambda: flows.statuses(arn).get("Slow") == "Executing")
    assert flows.client.stop_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    flows.wait(arn)
    assert flows.status(arn) == "Stopped"
    assert flows.statuses(arn) == {"Slow": "Stopped"}
    assert flows.job(arn, "Slow")["TrainingJobStatus"] == "Stopped"


def test_retry_runs_what_failed_and_what_follows(flows: Flows) -> None:
    """The second step fails until its data are there."""
    data = f"s3://{flows.cloud.bucket}/{unique('late')}"
    source = {"S3DataType": "S3Prefix", "S3Uri": data, "S3DataDistributionType": "FullyReplicated"}
    channel = {"InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]}
    first, second = flows.training("First"), flows.training("Second", arguments=channel, DependsOn=["First"])
    arn = flows.run(first, second, flows.training("Third", DependsOn=["Second"]))
    assert flows.statuses(arn) == {"First": "Succeeded", "Second": "Failed"}
    before = flows.steps(arn)["First"]
    flows.cloud.put(data.split("/", 3)[3] + "/a.txt")
    token = "r" * 32
    for _ in range(2):  # the same token: one retry
        flows.client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token)
    flows.wait(arn)
    assert flows.statuses(arn) == {"First": "Succeeded", "Second": "Succeeded", "Third": "Succeeded"}
    assert flows.steps(arn)["First"] == before
    assert "FailureReason" not in flows.describe(arn)


def test_the_token_makes_a_start_idempotent(flows: Flows) -> None:
    name, token = flows.create(condition("C", [])), unique("token") + "-" * 32
    first = flows.start(name, ClientRequestToken=token)
    assert flows.start(name, ClientRequestToken=token) == first
    assert flows.start(name) != first
    flows.wait(first)
    listed = flows.client.list_pipeline_executions(PipelineName=name, SortBy="CreationTime", SortOrder="Ascending")
    assert listed["PipelineExecutionSummaries"][0]["PipelineExecutionArn"] == first
    assert len(listed["PipelineExecutionSummaries"]) == 2


def test_update_leaves_earlier_executions_as_they_were(flows: Flows) -> None:
    name = flows.create(condition("Old", []))
    arn = flows.wait(flows.start(name, PipelineExecutionDisplayName="before"))
    changed = flows.request([condition("New", [])], PipelineName=name)
    flows.client.update_pipeline(**changed, PipelineDescription="second")
    pipeline = flows.client.describe_pipeline(PipelineName=name)
    assert pipeline["PipelineDescription"] == "second"
    assert pipeline["PipelineDefinition"] == changed["PipelineDefinition"]
    assert pipeline["LastModifiedTime"] > pipeline["CreationTime"]
    kept = flows.client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    assert json.loads(kept)["Steps"][0]["Name"] == "Old"
    assert list(flows.steps(flows.wait(flows.start(name)))) == ["New"]
    flows.client.update_pipeline_execution(PipelineExecutionArn=arn, PipelineExecutionDisplayName="after")
    assert flows.describe(arn)["PipelineExecutionDisplayName"] == "after"


def test_a_definition_in_s3(flows: Flows) -> None:
    request = flows.request([condition("C", [])])
    flows.cloud.put("definitions/one.json", request.pop("PipelineDefinition").encode())
    location = {"Bucket": flows.cloud.bucket, "ObjectKey": "definitions/one.json"}
    flows.client.create_pipeline(**request, PipelineDefinitionS3Location=location)
    assert flows.status(flows.wait(flows.start(request["PipelineName"]))) == "Succeeded"


def test_lists_and_deletion(flows: Flows) -> None:
    prefix = unique("listed")
    names = [flows.create(condition("C", []), PipelineName=f"{prefix}-{letter}", Tags=[TAG]) for letter in "abc"]
    listing = flows.client.list_pipelines(PipelineNamePrefix=prefix, SortBy="Name", SortOrder="Ascending")
    assert [item["PipelineName"] for item in listing["PipelineSummaries"]] == names
    later = datetime.now(UTC) + timedelta(hours=1)
    assert flows.client.list_pipelines(PipelineNamePrefix=prefix, CreatedAfter=later)["PipelineSummaries"] == []
    assert len(flows.client.list_pipelines(PipelineNamePrefix=prefix, MaxResults=2)["PipelineSummaries"]) == 2
    arn = listing["PipelineSummaries"][0]["PipelineArn"]
    assert flows.client.list_tags(ResourceArn=arn)["Tags"] == [TAG]
    execution = flows.wait(flows.start(arn))  # by ARN
    flows.client.delete_pipeline(PipelineName=names[0])
    left = flows.client.list_pipelines(PipelineNamePrefix=prefix)["PipelineSummaries"]
    assert sorted(item["PipelineName"] for item in left) == names[1:]
    with pytest.raises(flows.client.exceptions.ResourceNotFound):
        flows.describe(execution)


TAG = {"Key": "lab", "Value": "01"}
