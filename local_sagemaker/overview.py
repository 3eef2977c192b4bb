"""What a workspace holds, read from its files: works with and without a running server."""

from __future__ import annotations

import difflib
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.files import read_json
from local_sagemaker.store import Record, Store
from local_sagemaker.workspace import Workspace

_JOBS = {
    "training": "TrainingJob",
    "tuning": "HyperParameterTuningJob",
    "transform": "TransformJob",
    "processing": "ProcessingJob",
    "pipeline": "PipelineExecution",
}
_KINDS = {**_JOBS, "endpoint": "Endpoint"}
_ACTIVE = {"InProgress", "Stopping", "Executing", "Creating", "Updating", "SystemUpdating", "Deleting"}
_FOLDERS = {"training": "{}", "processing": "{}.processing", "transform": "{}.transform"}


class UnknownNameError(LookupError):
    """No job and no endpoint has this name, or several have; the message says which there are."""


@dataclass(frozen=True)
class Thing:
    """A job or an endpoint; ``parent`` is the tuning job that made it, ``active`` one that has not ended.

    Times are seconds: ``age`` since its creation, ``took`` from then to its end.
    """

    kind: str
    name: str
    status: str
    age: float
    took: float | None
    reason: str
    parent: str
    active: bool


def things(workspace: Path) -> list[Thing]:
    """All jobs and endpoints, the oldest first."""
    store, now = Store(Workspace(workspace).records), time.time()
    found = [_thing(kind, record, now) for kind, stem in _KINDS.items() for record in store.all(stem)]
    return sorted(found, key=lambda thing: -thing.age)


def summary(workspace: Path) -> dict[str, list[dict[str, Any]]]:
    """The same as plain data: ``jobs`` and ``endpoints``."""
    all_ = things(workspace)
    return {
        "jobs": [asdict(thing) for thing in all_ if thing.kind in _JOBS],
        "endpoints": [asdict(thing) for thing in all_ if thing.kind not in _JOBS],
    }


def find(workspace: Path, name: str, kind: str | None = None) -> Thing:
    """The job or endpoint called ``name``. Raises UnknownNameError, naming the nearest, unless there is one."""
    known = [thing for thing in things(workspace) if kind in (None, thing.kind)]
    found = [thing for thing in known if thing.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        kinds = ", ".join(thing.kind for thing in found)
        raise UnknownNameError(f"several are called {name!r} ({kinds}): choose one kind")
    near = difflib.get_close_matches(name, dict.fromkeys(thing.name for thing in known), n=3, cutoff=0.5)
    hint = f"; did you mean {', '.join(near)}?" if near else "; there are none" if not known else ""
    raise UnknownNameError(f"no {kind or 'job or endpoint'} is called {name!r}{hint}")


def children(workspace: Path, thing: Thing) -> list[Thing]:
    """The jobs that a tuning job or a pipeline execution has started."""
    record = _record(workspace, thing) or {}
    steps = {step.get("_job") for step in record.get("_steps", {}).values()}
    return [other for other in things(workspace) if other.parent == thing.name or other.name in steps]


def goes_on(workspace: Path, thing: Thing) -> bool:
    """Whether its log may still grow: a job that has not ended, an endpoint that was not deleted."""
    record = _record(workspace, thing)
    return record is not None and (thing.kind == "endpoint" or record[f"{_KINDS[thing.kind]}Status"] in _ACTIVE)


def _record(workspace: Path, thing: Thing) -> Record | None:
    return read_json(Workspace(workspace).records / _KINDS[thing.kind] / f"{thing.name}.json")


def log_files(workspace: Path, thing: Thing) -> list[Path]:
    """The log files of the containers of a job or an endpoint; more may come while it is active."""
    place = Workspace(workspace)
    if thing.kind == "endpoint":
        return sorted((place.endpoints / thing.name).glob("*/log.txt"))
    if thing.kind not in _FOLDERS:
        return []
    root = place.jobs / _FOLDERS[thing.kind].format(thing.name)
    return sorted([*root.glob("log.txt"), *root.glob("*/log.txt")])


def _thing(kind: str, record: Record, now: float) -> Thing:
    stem = _KINDS[kind]
    status = str(record[f"{stem}Status"])
    end = record.get(f"{stem.removesuffix('Job')}EndTime")
    if end is None and kind == "pipeline" and status not in _ACTIVE:
        end = record["LastModifiedTime"]
    return Thing(
        kind=kind,
        name=record[f"{stem}Name"],
        status=status,
        age=max(0.0, round(now - record["CreationTime"], 1)),
        took=None if end is None else round(end - record["CreationTime"], 1),
        reason=record.get("FailureReason") or "",
        parent=record.get("TuningJobArn", "").rpartition("/")[2],
        active=status in _ACTIVE or kind == "endpoint",
    )
