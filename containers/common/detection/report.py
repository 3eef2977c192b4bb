"""The end of a job: a summary beside the model, the best evaluation and the cost in the log."""

import argparse
import platform
import resource
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sagemaker_contract import Environment

from . import metric_lines
from .anchors import Anchors
from .datasets import Data
from .files import write_json
from .history import History

SUMMARY = "training_summary.json"


@dataclass(frozen=True)
class Outcome:
    """Why training ended, at which iteration, how many of them this run made, and in how many seconds."""

    reason: str
    iteration: int
    made: int
    seconds: float


def write(
    arguments: argparse.Namespace,
    environment: Environment,
    data: Data,
    fitted: Anchors | None,
    history: History,
    outcome: Outcome,
    versions: Mapping[str, str],
) -> None:
    """Write a detector's summary, with the `versions` of the frameworks, and print the closing lines."""
    learned = {
        "classes": data.classes,
        "pictures": {"training": len(data.training), "validation": len(data.validation or [])},
        "anchors": asdict(fitted) if fitted else None,
    }
    write_summary(arguments, environment, learned, history, outcome, versions)


def write_summary(
    arguments: argparse.Namespace,
    environment: Environment,
    learned: Mapping[str, Any],
    history: History,
    outcome: Outcome,
    versions: Mapping[str, str],
) -> None:
    """The same with what was `learned` in a task's own words."""
    cost = {
        "seconds": round(outcome.seconds, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "peak_rss_mb": peak_rss_mb(),
        "images_per_second": round(outcome.made * arguments.batch_size / outcome.seconds, 2),
    }
    summary = {
        "job": environment.job_name,
        **learned,
        "arguments": {key: value if _is_plain(value) else str(value) for key, value in vars(arguments).items()},
        "outcome": {**asdict(outcome), **cost},
        "best": history.best,
        "evaluations": history.rows,
        "versions": {"python": platform.python_version(), **versions},
    }
    write_json(arguments.model_dir / SUMMARY, summary)
    if history.rows:
        best = {name: history.best[name] for name in sorted(history.ranking)}
        print(metric_lines.line("best", history.best["iteration"], best))
    print(metric_lines.line("cost", outcome.iteration, cost))
    print(outcome.reason, flush=True)


def peak_rss_mb() -> int:
    """The most memory this process ever had resident, in MiB (Linux counts in KiB, macOS in bytes)."""
    unit = 1 << 20 if platform.system() == "Darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, list))
