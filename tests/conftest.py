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
