"""Damaged definitions are refused as such, whatever is damaged: never an error of our own."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from unit.local_sagemaker.test_pipeline_definition import Emulation, branch, fail, process, train, train_with

from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines.checks import check
from local_sagemaker.pipelines.definition import parse

JUNK: tuple[Any, ...] = (
    None, True, -1, 0.5, 10**30, "", "text", "Steps.Train.ModelArtifacts", [], [[]], [None], {}, {"Get": None},
    {"Get": "Steps.Train"}, {"Get": "Steps.Report.PropertyFiles.F"}, {"Std:Join": None}, {"Std:JsonGet": {}},
    {"Std:Join": {"Values": [{"Get": "Parameters.N"}]}}, {"Get": "Parameters.N", "Other": 1}, float("nan"),
)  # fmt: skip


def definition() -> dict[str, Any]:
    """A definition with all that one can have."""
    read = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Report.PropertyFiles.F"}, "Path": "a.b"}}
    greater = {"Type": "GreaterThan", "LeftValue": read, "RightValue": {"Get": "Parameters.N"}}
    tests = ({"Type": "Not", "Condition": greater}, {"Type": "In", "QueryValue": 1, "Values": [1, 2]})
    joined = {"Std:Join": {"On": "-", "Values": [{"Get": "Steps.Train.TrainingJobName"}, "x"]}}
    policy = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 1.5}
    cached = {"Enabled": True, "ExpireAfter": "PT1H"}
    files = [{"PropertyFileName": "F", "OutputName": "report", "FilePath": "f.json"}]
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "N", "Type": "Integer", "DefaultValue": 1, "Description": "a number"}],
        "PipelineExperimentConfig": {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": "t"},
        "Steps": [
            process(PropertyFiles=files, DisplayName="d", Description="e"),
            train(CacheConfig=cached, RetryPolicies=[policy], DependsOn=["Report"]),
            branch("Check", [train_with("HyperParameters.from", joined, "Inner"), fail(joined)], *tests),
        ],
    }


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with each of its keys."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from places(item)


@pytest.fixture(scope="module")
def operations() -> Operations:
    made = Operations()
    made.add(Emulation())
    return made


def test_the_undamaged_definition_is_accepted(operations: Operations) -> None:
    check(parse(json.dumps(definition())), operations)


@pytest.mark.parametrize("junk", range(len(JUNK)))
def test_every_place_with_junk(junk: int, operations: Operations) -> None:
    refused = 0
    for number in range(len(list(places(definition())))):
        damaged = definition()
        container, key = list(places(damaged))[number]
        container[key] = copy.deepcopy(JUNK[junk])
        refused += is_refused(damaged, operations)
    assert refused > 20


def test_definitions_damaged_in_many_places(operations: Operations) -> None:
    source = random.Random(7)
    for _ in range(500):
        damaged = definition()
        for _ in range(source.randint(1, 4)):
            container, key = source.choice(list(places(damaged)))
            if source.random() < 0.3:
                del container[key]
            else:
                container[key] = copy.deepcopy(source.choice(JUNK))
        is_refused(damaged, operations)


def is_refused(document: Any, operations: Operations) -> bool:
    try:
        check(parse(json.dumps(document)), operations)
    except AwsError as error:
        return (error.code, error.status) == ("ValidationException", 400) or pytest.fail(error.code)
    return False
