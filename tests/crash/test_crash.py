"""Three kills with every test run; thirty with `make test-crash`. CRASH_SEED repeats a run's choices."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.client import BaseClient

from crash.suite import Suite


@pytest.mark.parametrize("points", [3, pytest.param(30, marks=pytest.mark.crash)])
def test_kills(
    fresh_workspace: Path,
    images: Path,
    connect: Callable[..., BaseClient],
    capsys: pytest.CaptureFixture[str],
    points: int,
) -> None:
    seed = int(os.environ.get("CRASH_SEED") or random.randrange(10**6))
    with capsys.disabled():
        print(f"\nCRASH_SEED={seed}")
        failures = Suite(fresh_workspace, images, connect, seed).run(points)
        print(f"survived/total: {points - len(failures)}/{points}")
    assert not failures, "\n".join(failures)
