"""References, functions, conditions and parameters of pipelines, with the values that they have."""

from typing import Any

import pytest

from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines.conditions import holds
from local_sagemaker.pipelines.kinds import KINDS
from local_sagemaker.pipelines.names import execution_id, job_name
from local_sagemaker.pipelines.parameters import parameter_values, parse_parameters
from local_sagemaker.pipelines.problems import Problem
from local_sagemaker.pipelines.references import Reference, follow, parse_path, parse_reference, resolve

DOCUMENT = {
    "a": {"b": [10, {"c": "deep"}]},
    "metrics": [{"MetricName": "train:loss", "Value": 0.5}, {"MetricName": "acc", "Value": 0.9}],
    "Outputs": {"x y": "spaced"},
}


class Values:
    """A scope with fixed values."""

    def get(self, reference: Reference) -> Any:
        return {"Parameters.N": 3, "Parameters.F": 0.5, "Parameters.B": True}.get(reference.text, reference.text)

    def read_json(self, source: Reference | str) -> Any:
        return {"s3://b/doc.json": DOCUMENT}.get(source if isinstance(source, str) else "s3://b/doc.json")


SCOPE = Values()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[0]", 10),
        ("a.b[1].c", "deep"),
        (".a['b'][1][\"c\"]", "deep"),
        ("metrics['train:loss'].Value", 0.5),
        ("metrics[1].Value", 0.9),
        ("Outputs['x y']", "spaced"),
        ("", DOCUMENT),
    ],
)
def test_paths(path: str, found: Any) -> None:
    assert follow(DOCUMENT, parse_path(path)) == found


@pytest.mark.parametrize("path", ["a.z", "a.b[2]", "metrics['none']", "a.b[0].c"])
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(Problem, match="there is no"):
        follow(DOCUMENT, parse_path(path))


@pytest.mark.parametrize("path", ["a.", "a[", "a[x]", "a['b\"]", "..a"])
def test_malformed_paths(path: str) -> None:
    with pytest.raises(Problem, match="Invalid path"):
        parse_path(path)


def test_references() -> None:
    reference = parse_reference("Steps.my-step_1.ModelArtifacts.S3ModelArtifacts")
    assert (reference.name, reference.path) == ("my-step_1", ("ModelArtifacts", "S3ModelArtifacts"))
    assert parse_reference("Steps.P.PropertyFiles.F").is_property_file


def test_resolve_goes_into_everything() -> None:
    value = {
        "list": [{"Get": "Parameters.N"}, "constant"],
        "join": {
            "Std:Join": {"On": "-", "Values": ["a", 1, 0.5, {"Get": "Parameters.B"}, {"Std:Join": {"Values": []}}]}
        },
        "json": {"Std:JsonGet": {"S3Uri": {"Std:Join": {"Values": ["s3://b/", "doc.json"]}}, "Path": "a.b[1].c"}},
        "whole": {"Std:JsonGet": {"S3Uri": "s3://b/doc.json", "Path": "$.a.b[0]"}},
        "Get": "a member called Get",
    }
    assert resolve(value, SCOPE) == {
        "list": [3, "constant"], "join": "a-1-0.5-true-", "json": "deep", "whole": 10, "Get": "a member called Get",
    }  # fmt: skip


def test_what_cannot_be_joined() -> None:
    with pytest.raises(Problem, match="cannot join"):
        resolve({"Std:Join": {"Values": [["a"]]}}, SCOPE)


def test_a_missing_member_of_a_file() -> None:
    with pytest.raises(Problem, match=r"Std:JsonGet of Steps\.P\.PropertyFiles\.F: there is no 'z'"):
        resolve({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.P.PropertyFiles.F"}, "Path": "a.z"}}, SCOPE)


def compare(left: Any, kind: str, right: Any) -> dict:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (compare({"Get": "Parameters.N"}, "Equals", 3.0), True),
        (compare({"Get": "Parameters.N"}, "GreaterThan", 3), False),
        (compare({"Get": "Parameters.N"}, "GreaterThanOrEqualTo", 3), True),
        (compare({"Get": "Parameters.F"}, "LessThan", 1), True),
        (compare({"Get": "Parameters.F"}, "LessThanOrEqualTo", 0.4), False),
        (compare("abc", "LessThan", "abd"), True),
        (compare({"Get": "Parameters.B"}, "Equals", True), True),
        ({"Type": "In", "QueryValue": 3, "Values": [1, {"Get": "Parameters.N"}]}, True),
        ({"Type": "In", "QueryValue": 3, "Values": []}, False),
        ({"Type": "Not", "Condition": compare(1, "Equals", 1)}, False),
        ({"Type": "And", "Conditions": [compare(1, "Equals", 1), compare(1, "Equals", 2)]}, False),
        ({"Type": "Or", "Conditions": [compare(1, "Equals", 1), compare(1, "Equals", 2)]}, True),
    ],
)
def test_conditions(condition: dict, outcome: bool) -> None:
    assert holds(condition, SCOPE) is outcome


@pytest.mark.parametrize(
    "condition",
    [
        compare("3", "Equals", 3),
        compare(True, "Equals", 1),
        compare(True, "LessThan", False),
        compare({"Std:JsonGet": {"S3Uri": "s3://b/doc.json", "Path": "a"}}, "Equals", "a"),
    ],
)
def test_what_cannot_be_compared(condition: dict) -> None:
    with pytest.raises(Problem, match="cannot compare"):
        holds(condition, SCOPE)


PARAMETERS = parse_parameters(
    [
        {"Name": "Text", "DefaultValue": "t"},
        {"Name": "Whole", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Real", "Type": "Float", "DefaultValue": 1},
        {"Name": "Flag", "Type": "Boolean", "DefaultValue": False},
        {"Name": "Choice", "EnumValues": ["a", "b"], "DefaultValue": "a"},
        {"Name": "Needed", "Type": "Integer"},
    ]
)


def given(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def test_parameter_values() -> None:
    values = parameter_values(PARAMETERS, given(Needed="-2", Real="1e-3", Flag="True", Choice="b"))
    assert values == {"Text": "t", "Whole": 1, "Real": 0.001, "Flag": True, "Choice": "b", "Needed": -2}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (given(), "Parameter(s) [Needed] have no default value and must be given a value."),
        (given(Needed="1", Other="1"), "Parameter(s) [Other] do not exist in the pipeline definition."),
        (given(Needed="1.5"), "Parameter 'Needed': value '1.5' is not of type Integer."),
        (given(Needed="1", Real="nan"), "Parameter 'Real': value 'nan' is not of type Float."),
        (given(Needed="1", Flag="yes"), "Parameter 'Flag': value 'yes' is not of type Boolean."),
        (given(Needed="1", Choice="c"), "Parameter 'Choice': value 'c' is none of [a, b]."),
        (given(Needed="1") * 2, "PipelineParameters: a parameter is given twice."),
    ],
)
def test_refused_values(values: list, message: str) -> None:
    with pytest.raises(AwsError) as raised:
        parameter_values(PARAMETERS, values)
    assert (raised.value.code, raised.value.message) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("kind", "step", "prefix", "start"),
    [
        ("Training", "Train", None, "pipelines-{}-Train-"),
        ("Processing", "a_step_" + "x" * 57, None, "pipelines-{}-a-step-xxxxxxxxxxxxxxxxxxxxxx-"),
        ("Tuning", "HyperTuning", None, "{}-HyperTun-"),
        ("Training", "Train", "my-jobs", "my-jobs-{}-"),
        ("Model", "_", None, "pipelines-{}-step-"),
    ],
)
def test_job_names(kind: str, step: str, prefix: str | None, start: str) -> None:
    execution = execution_id()
    name = job_name(KINDS[kind], execution, step, prefix)
    assert name.startswith(start.format(execution))
    assert len(name) <= KINDS[kind].longest_name
    assert "--" not in name
    assert name != job_name(KINDS[kind], execution, step, prefix)
