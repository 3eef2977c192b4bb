"""Step caching: how old a result may be, and which arguments make two runs of a step the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.pipelines.problems import Problem, check_object, check_text
from local_sagemaker.store import Record

_DAY = 24 * 3600
_DATE = (("years", "Y", 365 * _DAY), ("months", "M", 30 * _DAY), ("weeks", "W", 7 * _DAY), ("days", "D", _DAY))
_TIME = (("hours", "H", 3600), ("minutes", "M", 60), ("seconds", "S", 1))
_DURATION = re.compile(
    "P?"  # AWS takes "30d" and "T16m" as well
    + "".join(rf"(?:(?P<{name}>\d+){letter})?" for name, letter, _ in _DATE)
    + "(?:T" + "".join(rf"(?:(?P<{name}>\d+){letter})?" for name, letter, _ in _TIME) + ")?",
    re.IGNORECASE,
)  # fmt: skip
_REUSED = {"CacheHitResult", "SelectiveExecutionResult"}  # steps that did not run themselves

KeyMembers = Mapping[str, "KeyMembers | None"]
"""The arguments that a key is made of; a mapping instead of None chooses among a structure's (or items') members."""


@dataclass(frozen=True)
class CacheConfig:
    """Whether a step may reuse an earlier result, and how many seconds old that may be."""

    enabled: bool
    expire_after: float = 0.0


NO_CACHE = CacheConfig(False)


def parse_cache_config(value: Any) -> CacheConfig:
    """A step's CacheConfig. Raises Problem."""
    members = check_object(value, ("Enabled", "ExpireAfter"), ("Enabled",))
    if not isinstance(members["Enabled"], bool):
        raise Problem(f"CacheConfig.Enabled must be true or false, not {members['Enabled']!r:.60}.")
    if "ExpireAfter" in members:
        return CacheConfig(members["Enabled"], seconds(check_text(members["ExpireAfter"], "CacheConfig.ExpireAfter")))
    if members["Enabled"]:
        raise Problem("CacheConfig.ExpireAfter is required when caching is enabled.")
    return NO_CACHE


def seconds(duration: str) -> float:
    """Seconds of an ISO 8601 duration; a year has 365 days and a month 30. Raises Problem."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groupdict().values()):
        raise Problem(f"CacheConfig.ExpireAfter '{duration}' is not an ISO 8601 duration such as P30D or PT1H.")
    return float(sum(int(match[name] or 0) * unit for name, _, unit in (*_DATE, *_TIME)))


def cache_key(step: str, kind: str, arguments: Mapping[str, Any], members: KeyMembers) -> str:
    """A digest that two runs of a step share when a result of one may stand for the other's."""
    chosen = [step, kind, _choose(arguments, members)]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def _choose(value: Any, members: KeyMembers | None) -> Any:
    if members is None:
        return value
    if isinstance(value, list):
        return [_choose(item, members) for item in value]
    return {name: _choose(value[name], inner) for name, inner in members.items() if value.get(name) is not None}


def find_hit(executions: list[Record], key: str, since: float) -> tuple[str, Record] | None:
    """The most recent successful run with this key that ended after ``since``: its execution's ARN, its record."""
    runs = (
        (step["EndTime"], execution["PipelineExecutionArn"], step)
        for execution in executions
        for step in execution["_steps"].values()
        if step.get("_key") == key and step["StepStatus"] == "Succeeded" and not _REUSED & step.keys()
    )
    newest = max(runs, key=lambda run: run[0], default=None)
    return None if newest is None or newest[0] < since else (newest[1], newest[2])
