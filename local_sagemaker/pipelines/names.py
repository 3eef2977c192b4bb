"""Names that pipelines generate: of executions, and of the jobs that their steps start."""

from __future__ import annotations

import re
import secrets
import string

from local_sagemaker.pipelines.kinds import Kind

_ID_LENGTH = 12
_RANDOM_LENGTH = 10


def execution_id() -> str:
    """A new execution's id, the last part of its ARN."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(_ID_LENGTH))


def job_name(kind: Kind, execution: str, step: str, prefix: str | None = None) -> str:
    """``pipelines-<execution>-<step>-<random>``, or ``<execution>-<step>-<random>`` where names must be short.

    ``prefix`` is the name that the step's arguments give (the SDK's ``use_custom_job_prefix``), which replaces
    "pipelines". Step and prefix are cut to what a name may hold.
    """
    random = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_RANDOM_LENGTH))
    rest = kind.longest_name - _ID_LENGTH - _RANDOM_LENGTH - 2
    if prefix is not None:
        return f"{_cut(prefix, rest)}-{execution}-{random}"
    start = f"pipelines-{execution}" if rest > 2 * len("pipelines") else execution
    room = kind.longest_name - len(start) - _RANDOM_LENGTH - 2
    return f"{start}-{_cut(step, room)}-{random}"


def _cut(text: str, length: int) -> str:
    """A part of a job name: its characters only, and no hyphen at either end."""
    return re.sub(r"-+", "-", text.replace("_", "-"))[:length].strip("-") or "step"
