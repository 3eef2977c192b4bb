"""How a job asks its program: what the request says, else /execution-parameters, else AWS's defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from local_sagemaker.hosting.program import Program

_PATH = "/execution-parameters"
_TIMEOUT = 5.0
_STRATEGIES = {"MULTI_RECORD": "MultiRecord", "SINGLE_RECORD": "SingleRecord"}
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Parameters:
    """``max_payload`` in MB, 0 for no limit."""

    max_concurrent: int
    max_payload: int
    strategy: str

    @property
    def max_bytes(self) -> int:
        return self.max_payload * _MEGABYTE

    def environ(self) -> dict[str, str]:
        """The variables by which a program knows them."""
        return {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(self.max_concurrent),
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(self.max_payload),
            "SAGEMAKER_BATCH_STRATEGY": _worded(self.strategy),
        }

    def __str__(self) -> str:
        return (
            f"MaxConcurrentTransforms={self.max_concurrent}, MaxPayloadInMB={self.max_payload}, "
            f"BatchStrategy={_worded(self.strategy)}"
        )


def requested(job: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> Parameters:
    """A job's parameters; ``offered`` is what the program answered to /execution-parameters."""
    offered = offered or {}
    return Parameters(
        job.get("MaxConcurrentTransforms") or _count(offered.get("MaxConcurrentTransforms")) or 1,
        job.get("MaxPayloadInMB", _count(offered.get("MaxPayloadInMB")) or 6),
        job.get("BatchStrategy") or _STRATEGIES.get(str(offered.get("BatchStrategy")), "MultiRecord"),
    )


def offered_by(program: Program) -> dict[str, Any]:
    """What the program offers; nothing when it has no such path."""
    try:
        answer = program.pool.request("GET", _PATH, timeout=_TIMEOUT)
        offered = json.loads(answer.data) if answer.status == 200 else {}
    except (urllib3.exceptions.HTTPError, ValueError):
        return {}
    return offered if isinstance(offered, dict) else {}


def _worded(strategy: str) -> str:
    return next(word for word, name in _STRATEGIES.items() if name == strategy)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
