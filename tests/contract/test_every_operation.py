"""What holds for every operation: lists page, sort and filter; what is missing is said to be missing."""

from typing import Any

import pytest

from contract.cloud import until
from contract.seeds import seeds
from contract.target import NAME, Target
from local_sagemaker.api import model

BUSY = (": 'InProgress'", ": 'Creating'", ": 'Executing'", ": 'Stopping'")  # as values
PAST, FUTURE = 1e9, 4e9
REQUIRED = {  # of lists
    "ListTags": {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/alpha"},
    "ListTrainingJobsForHyperParameterTuningJob": {"HyperParameterTuningJobName": NAME},
    "ListPipelineExecutions": {"PipelineName": NAME},
}
BOUNDS = {
    ("CreationTimeAfter", FUTURE), ("CreationTimeBefore", PAST), ("CreatedAfter", FUTURE), ("CreatedBefore", PAST),
    ("LastModifiedTimeAfter", FUTURE), ("LastModifiedTimeBefore", PAST), ("NameContains", "no-such-name"),
    ("ModelPackageGroupNameContains", "no-such-name"), ("PipelineNamePrefix", "no-such-name"),
}  # fmt: skip


class List:
    """One List operation of a server."""

    def __init__(self, target: Target, name: str) -> None:
        self._target, self.name = target, name
        shape = model.operation(name)
        self.members = shape.input_shape.members
        emulated = target.emulated(name)
        self.known = self.members if isinstance(emulated, str) else emulated
        self._required = REQUIRED.get(name, {})
        (self.answer,) = (n for n, s in shape.output_shape.members.items() if s.type_name == "list")

    def ask(self, **request: Any) -> tuple[int, dict[str, Any]]:
        return self._target.ask(self.name, {**self._required, **request})

    def items(self, **request: Any) -> list[Any]:
        return self._target.must(self.name, {**self._required, **request})[self.answer]

    def refused(self, **request: Any) -> bool:
        status, answer = self.ask(**request)
        return status == 400 and answer["__type"] == "ValidationException"


@pytest.fixture(scope="module")
def lists(target: Target) -> list[List]:
    """All lists; most have two items at least."""
    for operation, request in seeds(target.cloud, "omega").items():
        if operation not in ("CreateEndpoint", "CreateHyperParameterTuningJob"):  # slow
            target.must(operation, request)
    execution = target.arns["PipelineExecutionArn"]
    for name in ("ListPipelineExecutionSteps", "ListPipelineParametersForExecution"):
        REQUIRED[name] = {"PipelineExecutionArn": execution}
    made = [List(target, name) for name in target.names if name.startswith("List")]
    until(lambda: not any(state in str(one.items()) for one in made for state in BUSY), 90)
    return made


def test_pages_have_bounds(lists: list[List]) -> None:
    for one in lists:
        if "MaxResults" in one.members:
            assert one.refused(MaxResults=0), one.name
            assert one.refused(MaxResults=-1), one.name
            if (most := one.members["MaxResults"].metadata.get("max")) is not None:
                assert one.refused(MaxResults=most + 1), one.name
        assert one.refused(NextToken="???"), one.name
        assert one.refused(NextToken="x" * 9000), one.name


def test_pages_hold_everything_once(lists: list[List]) -> None:
    """One by one, the items are those of one large page, in the same order."""
    for one in lists:
        if one.name == "ListTags":  # its pages are never smaller than a resource's tags
            continue
        whole, pages, token = one.items(MaxResults=100), [], {}
        while token is not None:
            status, answer = one.ask(MaxResults=1, **token)
            assert status == 200
            assert len(answer[one.answer]) <= 1
            pages += answer[one.answer]
            token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
        assert pages == whole, one.name


def test_filters_that_nothing_passes(lists: list[List]) -> None:
    used = 0
    for one in lists:
        for member, value in BOUNDS:
            if member in one.members:
                assert member in one.known, f"{one.name} does not emulate {member}"
                assert one.items(**{member: value}) == [], (one.name, member)
                used += 1
    assert used > 50


def test_status_filters_divide_the_items(lists: list[List]) -> None:
    for one in lists:
        if "StatusEquals" in one.members:
            states = one.members["StatusEquals"].enum
            parts = [item for state in states for item in one.items(StatusEquals=state, MaxResults=100)]
            whole = one.items(MaxResults=100)
            assert sorted(map(str, parts)) == sorted(map(str, whole)), one.name
            assert one.refused(StatusEquals="Nonsense"), one.name


def test_orders(lists: list[List]) -> None:
    """Every way to sort holds the same items; the descending order is the ascending one reversed."""
    for one in lists:
        for by in getattr(one.members.get("SortBy"), "enum", []):
            orders = {}
            for order in one.members["SortOrder"].enum:
                orders[order] = [str(item) for item in one.items(SortBy=by, SortOrder=order, MaxResults=100)]
            assert sorted(orders["Ascending"]) == sorted(orders["Descending"]), (one.name, by)
            if len(orders["Ascending"]) == 2:
                assert orders["Ascending"] == orders["Descending"][::-1], (one.name, by)
            assert one.refused(SortBy="Nonsense"), one.name


MISSING = ("not find", "not found", "does not exist", "can't find", "no such")


def test_what_is_missing(target: Target) -> None:
    """Describe, Update, Stop, Delete of a resource that is not there: AWS's 400, and a message that says so."""
    tried = 0
    for name in target.names:
        if name.startswith(("Describe", "Update", "Stop", "Delete", "Retry", "Send", "Start")):
            shape = model.operation(name).input_shape
            request = {member: missing(target, member, shape.members[member]) for member in shape.required_members}
            if name in MORE:
                request |= MORE[name]
            status, answer = target.ask(name, request)
            assert status == 400, (name, request, answer)
            assert answer["__type"] in ("ValidationException", "ResourceNotFound"), (name, request, answer)
            assert any(word in answer["message"] for word in MISSING), (name, request, answer)
            tried += 1
    assert tried > 40


MISSING_ARN = "arn:aws:sagemaker:us-east-1:123456789012:"
MORE = {
    name: {"PipelineExecutionArn": MISSING_ARN + "pipeline/nowhere/execution/abcdefghijkl"}
    for name in (
        "DescribePipelineExecution", "DescribePipelineDefinitionForExecution", "RetryPipelineExecution",
        "StopPipelineExecution", "UpdatePipelineExecution",
    )
} | {
    "UpdateModelPackage": {"ModelPackageArn": MISSING_ARN + "model-package/nowhere/1"},
    "DeleteArtifact": {"ArtifactArn": MISSING_ARN + "artifact/" + "a" * 32},
    "DescribeArtifact": {"ArtifactArn": MISSING_ARN + "artifact/" + "a" * 32},
    "UpdateArtifact": {"ArtifactArn": MISSING_ARN + "artifact/" + "a" * 32},
    "UpdateEndpointWeightsAndCapacities": {"DesiredWeightsAndCapacities": [{"VariantName": "v", "DesiredWeight": 1}]},
    "DeleteTags": {"ResourceArn": MISSING_ARN + "model/nowhere", "TagKeys": ["k"]},
    "DeleteAssociation": {
        "SourceArn": MISSING_ARN + "experiment-trial-component/nowhere",
        "DestinationArn": MISSING_ARN + "experiment-trial-component/nowhere2",
    },
}  # fmt: skip


def missing(target: Target, member: str, shape: Any) -> Any:
    if member == "ClientRequestToken":
        return "t" * 32
    return target.role if member == "RoleArn" else "nowhere"
