"""Definitions of pipelines: what is accepted, and how the rest is refused."""

import copy
import json
from typing import Any, ClassVar

import pytest

from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines.checks import check
from local_sagemaker.pipelines.definition import Gate, parse

TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "tiny", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
PROCESSING = {
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    "AppSpecification": {"ImageUri": "tiny"},
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "report",
                "S3Output": {"S3Uri": "s3://b/report", "LocalPath": "/opt/ml/p", "S3UploadMode": "EndOfJob"},
            }
        ]
    },
}


class Emulation:
    """The operations that steps call; of CreateTrainingJob only what the steps here name is emulated."""

    emulated: ClassVar = {"CreateTrainingJob": dict.fromkeys((*TRAINING, "HyperParameters"), "any value")}

    def operations(self) -> dict[str, Any]:
        return dict.fromkeys(("CreateTrainingJob", "CreateProcessingJob", "CreateModel"), lambda request: {})


@pytest.fixture(scope="module")
def operations() -> Operations:
    made = Operations()
    made.add(Emulation())
    return made


def train(name: str = "Train", **members: Any) -> dict:
    return {"Name": name, "Type": "Training", "Arguments": copy.deepcopy(TRAINING), **members}


def process(**members: Any) -> dict:
    return {"Name": "Report", "Type": "Processing", "Arguments": copy.deepcopy(PROCESSING), **members}


def train_with(path: str, value: Any, name: str = "Train") -> dict:
    """A Training step with one argument changed: path "A.B" names it."""
    step = train(name)
    *parents, last = path.split(".")
    place = step["Arguments"]
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return step


def branch(name: str, then: list[dict], *conditions: dict) -> dict:
    return {"Name": name, "Type": "Condition", "Arguments": {"Conditions": list(conditions), "IfSteps": then}}


def fail(message: Any = "no") -> dict:
    return {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def text(*steps: Any, **members: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **members})


def refusal(definition: str, operations: Operations) -> str:
    with pytest.raises(AwsError) as raised:
        check(parse(definition), operations)
    assert (raised.value.code, raised.value.status) == ("ValidationException", 400)
    return raised.value.message


def test_branches_become_gated_steps() -> None:
    inner = branch("Inner", [train("Deep")])
    steps = parse(text(train(), branch("Outer", [inner, train("Shallow", DependsOn=["Train"])]))).steps
    assert list(steps) == ["Train", "Outer", "Inner", "Deep", "Shallow"]
    assert steps["Deep"].gate == Gate("Inner", "True")
    assert steps["Shallow"].needs() == {"Outer", "Train"}
    assert steps["Outer"].needs() == set()  # not what its branches need


def test_needs_are_found_in_every_function() -> None:
    joined = {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Steps.A.TrainingJobName"}]}}
    read = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.B.PropertyFiles.F"}, "Path": "x"}}
    located = {"Std:JsonGet": {"S3Uri": {"Std:Join": {"Values": [{"Get": "Steps.C.ModelName"}]}}, "Path": "x"}}
    step = train_with("HyperParameters", {"a": joined, "b": read, "c": located})
    assert parse(text(step)).steps["Train"].needs() == {"A", "B", "C"}


@pytest.mark.parametrize(
    "value",
    [
        {"Get": "Parameters.Count"},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Report.PropertyFiles.F"}, "Path": "$.best[0]['count']"}},
        3,
        None,
    ],
)
def test_what_fits_an_integer(value: Any, operations: Operations) -> None:
    files = [{"PropertyFileName": "F", "OutputName": "report", "FilePath": "f.json"}]
    parameters = [{"Name": "Count", "Type": "Integer"}]
    step = train_with("ResourceConfig.VolumeSizeInGB", value)
    step["Arguments"]["ResourceConfig"] = {
        n: v for n, v in step["Arguments"]["ResourceConfig"].items() if v is not None
    }
    check(parse(text(step, process(PropertyFiles=files), Parameters=parameters)), operations)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "A pipeline must have at least 1 and at most 50 steps, not 0."),
        ([train(f"S{n}") for n in range(51)], "at most 50 steps, not 51"),
        (["Train"], "Step name 'None' does not match"),
        ([train("a b")], "Step name 'a b' does not match"),
        ([train("n" * 65)], "does not match"),
        ([train(), train()], "Step 'Train' is defined twice; step names must be unique."),
        ([train(), branch("C", [train()])], "Step 'Train' is defined twice; step names must be unique."),
        ([{"Name": "A", "Type": "Teleport", "Arguments": {}}], "Step 'A': Unknown step type 'Teleport'."),
        ([{"Name": "A", "Type": ["Training"], "Arguments": {}}], "Step 'A': Type must be a string"),
        ([{"Name": "A", "Type": "Training"}], "Step 'A': Missing required property 'Arguments'."),
        ([{"Name": "A", "Type": "Training", "Arguments": []}], "Step 'A': Arguments: Expecting start of Json Object"),
        ([train(Retry=1)], "Step 'Train': Cannot parse object, unknown property 'Retry'."),
        ([train(PropertyFiles=[])], "unknown property 'PropertyFiles'"),
        ([branch("C", []) | {"CacheConfig": {"Enabled": False}}], "Step 'C': Cannot parse object, unknown property"),
        ([train(DependsOn="A")], "Step 'Train': Expecting start of Json Array, not 'A'."),
        ([train(DependsOn=["A"])], "Step 'Train': DependsOn: step 'A' is undefined."),
        ([train(DependsOn=["Train"])], "Step 'Train': The steps form a cycle: Train -> Train."),
        (
            [train("A", DependsOn=["B"]), train("B", DependsOn=["C"]), train("C", DependsOn=["A"])],
            "Step 'A': The steps form a cycle: A -> B -> C -> A.",
        ),
        ([branch("C", [train("In")]) | {"DependsOn": ["In"]}], "The steps form a cycle: C -> In -> C."),
        ([train_with("ModelName", "m")], "Step 'Train': Unknown Argument member 'ModelName'."),
        ([train_with("ResourceConfig.Colour", "red")], "Unknown Arguments.ResourceConfig member 'Colour'."),
        ([train_with("ResourceConfig", "big")], "Arguments.ResourceConfig: Expecting start of Json Object"),
        ([train_with("InputDataConfig", {})], "Arguments.InputDataConfig: Expecting start of Json Array"),
        ([train_with("OutputDataConfig", None)], "Arguments: missing required member 'OutputDataConfig'."),
        ([train_with("ResourceConfig.InstanceCount", "1")], "a value of type Integer is expected, not '1'"),
        ([train_with("ResourceConfig.InstanceType", "laptop")], "Member must satisfy enum value set"),
        ([train_with("InputDataConfig", [{}] * 21)], "21 items are given"),
        ([train_with("VpcConfig", {"Subnets": ["s"], "SecurityGroupIds": ["g"]})], "Step 'Train': VpcConfig is not"),
        ([{"Name": "T", "Type": "Transform", "Arguments": {}}], "Step 'T': Arguments: missing required member"),
        ([fail(3)], "Step 'Fail': a string is expected, not 3."),
        ([{"Name": "F", "Type": "Fail", "Arguments": {}}], "Missing required property 'ErrorMessage'"),
    ],
)  # fmt: skip
def test_refused_steps(steps: list, message: str, operations: Operations) -> None:
    assert message in refusal(text(*steps), operations)


@pytest.mark.parametrize(
    "kind", ["Lambda", "Callback", "EMR", "QualityCheck", "ClarifyCheck", "AutoML", "ForEach", "Endpoint", "Job"]
)
def test_steps_that_are_not_emulated(kind: str, operations: Operations) -> None:
    step = {"Name": "Other", "Type": kind, "Arguments": {}}
    expected = f"Step 'Other': a step of type {kind} is not emulated by the local SageMaker."
    assert refusal(text(step), operations) == expected


def test_run_conditions_are_not_emulated(operations: Operations) -> None:
    steps = (train(), train("After", DependsOn=[{"Step": "Train", "Trigger": "Failed"}]))
    assert "Step 'After': a DependsOn entry with a Trigger is not emulated" in refusal(text(*steps), operations)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Get": "Parameters.Missing"}, "Parameter 'Missing' of reference 'Parameters.Missing' is undefined."),
        ({"Get": "Steps.Missing.ModelArtifacts"}, "Step 'Missing' of reference 'Steps.Missing.ModelArtifacts' is"),
        ({"Get": "Steps.First.Colour"}, "Invalid property reference 'Steps.First.Colour': a Training step has no such"),
        ({"Get": "Steps.First.ModelArtifacts.S3"}, "Invalid property reference"),
        ({"Get": "Steps.First"}, "Invalid property reference 'Steps.First'."),
        ({"Get": "Execution.Weather"}, "there is no such execution variable"),
        ({"Get": "Everything"}, "Invalid property reference 'Everything'."),
        ({"Get": 3}, "Get must be a string, not 3."),
        ({"Get": "Parameters.Count"}, "Cannot assign property reference [Parameters.Count] to argument of type"),
        (
            {"Get": "Steps.First.ModelArtifacts"},
            "Cannot assign property reference [Steps.First.ModelArtifacts] to argument of type [String]",
        ),
        ({"Std:Join": {"Values": "ab"}}, "Expecting start of Json Array, not 'ab'."),
        ({"Std:Join": {"On": 1, "Values": []}}, "On must be a string, not 1."),
        ({"Std:Join": {"With": "/"}}, "unknown property 'With'"),
        ({"Std:JsonGet": {"Path": "x"}}, "Std:JsonGet needs a PropertyFile or an S3Uri, and not both."),
        ({"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a..b"}}, "Invalid path 'a..b'."),
        ({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.First.PropertyFiles.F"}, "Path": "x"}}, "no property file"),
        ({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.First.ModelArtifacts"}, "Path": "x"}}, "is not of the form"),
    ],
)  # fmt: skip
def test_refused_references(value: Any, message: str, operations: Operations) -> None:
    parameters = [{"Name": "Count", "Type": "Integer", "DefaultValue": 1}]
    definition = text(train("First"), train_with("HyperParameters.x", value), Parameters=parameters)
    refused = refusal(definition, operations)
    assert refused.startswith("Unable to parse pipeline definition. Step 'Train': ")
    assert message in refused


def test_property_files_name_an_output(operations: Operations) -> None:
    files = [{"PropertyFileName": "F", "OutputName": "other", "FilePath": "f.json"}]
    message = refusal(text(process(PropertyFiles=files)), operations)
    assert message.endswith("Step 'Report': Property file 'F': there is no processing output 'other'.")


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"Type": "String"}, "Missing required property 'Name'."),
        ({"Name": "a.b"}, "Parameter name 'a.b' does not match"),
        ({"Name": "P", "Type": "Date"}, "Parameter 'P': type 'Date' is none of [String, Integer, Float, Boolean]."),
        ({"Name": "P", "Type": "Integer", "DefaultValue": "1"}, "Parameter 'P': value '1' is not of type Integer."),
        ({"Name": "P", "Type": "Integer", "DefaultValue": True}, "Parameter 'P': value True is not of type Integer."),
        ({"Name": "P", "Type": "Boolean", "DefaultValue": 1}, "is not of type Boolean"),
        ({"Name": "P", "EnumValues": ["a"], "DefaultValue": "b"}, "the default 'b' is not among its EnumValues"),
        ({"Name": "P", "Default": 1}, "unknown property 'Default'"),
    ],
)
def test_refused_parameters(parameter: dict, message: str, operations: Operations) -> None:
    assert message in refusal(text(fail(), Parameters=[parameter]), operations)


def test_parameters_are_unique(operations: Operations) -> None:
    assert "Parameter 'P' is defined twice" in refusal(text(fail(), Parameters=[{"Name": "P"}] * 2), operations)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("{", "The definition is not JSON: "),
        ("[" * 100_000, "The definition is not JSON: "),
        (
            text(branch("C", [], json.loads('{"Type": "Not", "Condition": ' * 99 + "1" + "}" * 99))),
            "more than 100 deep",
        ),
        (text(fail(float("nan"))), "The definition is not JSON: NaN is no number of JSON."),
        ("[]", "Expecting start of Json Object, not []."),
        ("{}", "Missing required property 'Steps'."),
        ('{"Steps": {}}', "Expecting start of Json Array, not {}."),
        ('{"Steps": [], "Version": "2021"}', "Version '2021' is not supported; it must be '2020-12-01'."),
        ('{"Steps": [], "Stages": []}', "Cannot parse object, unknown property 'Stages'."),
        (
            text(fail(), MlflowConfig={"MlflowResourceArn": "arn"}),
            "MlflowConfig of a pipeline definition is not emulated",
        ),
        (text(fail(), PipelineExperimentConfig={"ExperimentName": 1}), "a string is expected, not 1"),
    ],
)
def test_refused_documents(definition: str, message: str, operations: Operations) -> None:
    assert message in refusal(definition, operations)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"Type": "Like", "LeftValue": 1, "RightValue": 1}, "Condition type 'Like' is none of [Equals,"),
        ("true", "Condition type must be a string"),
        ({"Type": "Equals", "LeftValue": 1}, "Missing required property 'RightValue'."),
        ({"Type": "Equals", "LeftValue": 1, "RightValue": [2]}, "Condition Equals: [2] is neither a value nor a ref"),
        ({"Type": "Not", "Expression": {}}, "Cannot parse object, unknown property 'Expression'."),
        ({"Type": "In", "QueryValue": 1, "Values": 1}, "Expecting start of Json Array, not 1."),
        ({"Type": "Or", "Conditions": [{"Type": "Equals"}]}, "Missing required property 'LeftValue'."),
    ],
)
def test_refused_conditions(condition: Any, message: str, operations: Operations) -> None:
    refused = refusal(text(branch("Check", [], condition)), operations)
    assert refused.startswith("Unable to parse pipeline definition. Step 'Check': ")
    assert message in refused
