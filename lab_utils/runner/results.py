"""What came of a run, kept in `results.json` so that the next run resumes."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from lab_utils import atomic
from lab_utils.gates import Gate

_CODE = ("lab_utils", "local_sagemaker", "containers")
_IGNORED = {"__pycache__", ".ipynb_checkpoints"}


class State(StrEnum):
    """How a lab ended."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    DIED = "DIED"
    EMPTY = "EMPTY"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True)
class Failure:
    """Where and why a lab stopped: execution count `In [n]`, cell id, step, reason in one line, whole text."""

    cell: int | None
    cell_id: str
    step: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        place = ", ".join(p for p in (f"cell [{self.cell}]" if self.cell else "", self.step) if p)
        return f"{place}: {self.reason}" if place else self.reason


@dataclass(frozen=True)
class Result:
    """One lab's run.

    Attributes:
        lab: name of the lab (`01_detectron2_detection`).
        key: hash over all that the outcome depends on.
        seconds: wall time of the run.
        started: ISO 8601 time, UTC.
        cached: the lab was not run again since nothing had changed.
    """

    lab: str
    state: State
    key: str
    profile: str
    backend: str
    parameters: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    started: str = ""
    gates: list[Gate] = field(default_factory=list)
    failure: Failure | None = None
    cached: bool = False

    @property
    def passed(self) -> bool:
        return self.state is State.PASSED


def fingerprint(project: Path) -> str:
    """SHA-256 over names and bytes of the project's code: a lab whose code changed runs again."""
    digest = hashlib.sha256()
    for path in sorted(p for room in _CODE for p in (project / room).rglob("*") if p.is_file()):
        if not _IGNORED & set(path.parts):
            digest.update(f"{path.relative_to(project)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def run_key(digest: str, code: str, values: dict[str, Any]) -> str:
    """Hash over a notebook's digest, the code's fingerprint and every value injected into the notebook."""
    text = json.dumps([digest, code, values], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def load(path: Path) -> dict[str, Result]:
    """Results by lab; empty when there is no file or it is not ours (then everything runs again)."""
    try:
        return {row["lab"]: _from_json(row) for row in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def save(path: Path, results: Iterable[Result]) -> None:
    atomic.write_json(path, [asdict(replace(result, cached=False)) for result in results])


def _from_json(row: dict[str, Any]) -> Result:
    failure = Failure(**row["failure"]) if row["failure"] else None
    return Result(**{**row, "state": State(row["state"]), "failure": failure})
