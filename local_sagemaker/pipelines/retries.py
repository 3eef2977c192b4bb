"""Retry policies of a step: which failures are tried again, how often and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import AwsError
from local_sagemaker.pipelines.problems import Problem, check_list, check_object, check_text

SERVICE_FAULT, THROTTLING = "Step.SERVICE_FAULT", "Step.THROTTLING"
INTERNAL_ERROR, CAPACITY, LIMIT = "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"
STEP_FAULTS = (SERVICE_FAULT, THROTTLING)
JOB_FAULTS = (INTERNAL_ERROR, CAPACITY, LIMIT)
_RANGES: Mapping[str, tuple[float, float]] = {
    "IntervalSeconds": (0, float("inf")),
    "BackoffRate": (0, float("inf")),
    "MaxAttempts": (1, 20),
    "ExpireAfterMin": (1, 14400),
}
_REASONS = {"InternalServerError": INTERNAL_ERROR, "CapacityError": CAPACITY, "ResourceLimitExceeded": LIMIT}


@dataclass(frozen=True)
class RetryPolicy:
    """Tries a step again after failures of some kinds, ``max_attempts`` times or for ``expire_after`` seconds."""

    exceptions: frozenset[str]
    interval: float
    backoff: float
    max_attempts: float
    expire_after: float

    def delay(self, retries: int, elapsed: float) -> float | None:
        """Seconds to wait before the next try after so many retries, ``elapsed`` seconds after the step's start.

        None when the policy allows no more.
        """
        delay = self.interval * self.backoff**retries
        return None if retries >= self.max_attempts or elapsed + delay > self.expire_after else delay


def parse_retry_policies(value: Any, exceptions: Collection[str]) -> tuple[RetryPolicy, ...]:
    """A step's RetryPolicies, whose exception types must be among ``exceptions``. Raises Problem."""
    policies = tuple(_parse(item, exceptions) for item in check_list(value))
    named = [name for policy in policies for name in policy.exceptions]
    if len(set(named)) < len(named):
        raise Problem("RetryPolicies: an ExceptionType is named twice.")
    return policies


def _parse(value: Any, exceptions: Collection[str]) -> RetryPolicy:
    members = check_object(value, ("ExceptionType", *_RANGES), ("ExceptionType",))
    named = [check_text(name, "ExceptionType") for name in check_list(members["ExceptionType"])]
    for name in named:
        if name not in exceptions:
            raise Problem(f"RetryPolicies: ExceptionType '{name}' is none of [{', '.join(exceptions)}].")
    for member, (low, high) in _RANGES.items():
        number = members.get(member, low)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not low <= number <= high:
            raise Problem(f"RetryPolicies: {member} {number!r:.60} is not between {low:g} and {high:g}.")
    if ("MaxAttempts" in members) == ("ExpireAfterMin" in members):
        raise Problem("RetryPolicies: a policy needs MaxAttempts or ExpireAfterMin, and not both.")
    return RetryPolicy(
        frozenset(named),
        members.get("IntervalSeconds", 1),
        members.get("BackoffRate", 2.0),
        members.get("MaxAttempts", float("inf")),
        members.get("ExpireAfterMin", float("inf")) * 60,
    )


def kind_of_error(error: AwsError) -> str | None:
    """The exception type of a refused call; None for one that no policy may name."""
    if error.code == "ResourceLimitExceeded":
        return LIMIT
    if error.code == "ThrottlingException":
        return THROTTLING
    return SERVICE_FAULT if error.status >= 500 else None


def kind_of_failure(reason: str) -> str | None:
    """The exception type of a job's FailureReason; None for one that no policy may name."""
    return next((kind for start, kind in _REASONS.items() if reason.startswith(start)), None)
