"""Fixtures that every room of the tests shares."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets (`LABS_SHARED_DATA`), which is not part of the project."""
    folder = Path(os.environ.get("LABS_SHARED_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set LABS_SHARED_DATA")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--transport",
        choices=("http", "in-process"),
        default="http",
        help="how the contract tests reach the embedded SageMaker (default: %(default)s)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("transport") != "http":
        for item in items:
            if item.get_closest_marker("http"):
                item.add_marker(pytest.mark.skip(reason="needs a server of its own, or its socket"))
