"""docs/differences.md is true: its tables against the server's operations."""

import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from contract.target import Target
from local_sagemaker.api import model
from local_sagemaker.api.emulated import refuse_rest
from local_sagemaker.errors import AwsError

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
ELSEWHERE = {"BatchPutMetrics", "InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"}


def section(title: str) -> list[tuple[str, str]]:
    """The rows of the first table under a heading."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", text, re.M)
    return rows[1:]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", text)


REFUSED = [(quoted(first)[0], path) for first, rest in section("What is refused") for path in quoted(rest)]


def test_the_operations_are_those_of_the_server(target: Target) -> None:
    told = [name for _, operations in section("What is emulated") for name in quoted(operations)]
    assert sorted(told) == sorted({*target.names, *ELSEWHERE})


def test_the_other_services_have_their_operations() -> None:
    runtime, metrics = (boto3.client(name, "us-east-1") for name in ("sagemaker-runtime", "sagemaker-metrics"))
    known = {*runtime.meta.method_to_api_mapping.values(), *metrics.meta.method_to_api_mapping.values()}
    assert known >= ELSEWHERE


@pytest.mark.parametrize(("operation", "path"), REFUSED)
def test_what_is_said_to_be_refused_is(target: Target, operation: str, path: str) -> None:
    request: Any = "something"
    shape = model.operation(operation).input_shape
    for name in path.split("."):
        shape = shape.member if shape.type_name == "list" else shape
        shape = shape.members[name]  # exists in SageMaker
    for name in reversed(path.split(".")):
        request = {name: request}
    with pytest.raises(AwsError, match=f"{re.escape(path)} is not emulated"):
        refuse_rest(target.emulated(operation), request)


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/differences.md)" in (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
