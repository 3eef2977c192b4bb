"""How much memory and how many CPUs a job's container may use."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

from local_sagemaker.workspace import ServerError

MEMORY, CPUS = "LOCAL_SAGEMAKER_JOB_MEMORY", "LOCAL_SAGEMAKER_JOB_CPUS"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_turn = itertools.count()


@dataclass(frozen=True)
class Limits:
    """``memory`` in bytes of all processes of a container together, ``cpus`` in cores; None is no limit."""

    memory: int | None = None
    cpus: int | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Limits:
        """The limits that the server's environment sets for jobs. Raises ServerError for a value that is none."""
        return cls(_bytes(environ.get(MEMORY)), _count(environ.get(CPUS)))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """What this thread starts inside is bound to so many CPUs (Linux), whose turn goes round."""
        if self.cpus is None or not hasattr(os, "sched_setaffinity"):
            yield
            return
        before = sorted(os.sched_getaffinity(0))
        first = next(_turn) * self.cpus
        os.sched_setaffinity(0, {before[(first + i) % len(before)] for i in range(self.cpus)})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)

    def exceeded(self, pid: int) -> bool:
        """Whether the process and its children use more memory than they may."""
        return self.memory is not None and resident(pid) > self.memory

    def available_cpus(self) -> int:
        """How many CPUs a container sees."""
        here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(here, self.cpus or here)


def resident(pid: int) -> int:
    """Bytes of memory of a process and its children; what they share counts once, where the system tells (Linux)."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                used = member.memory_full_info()
                total += getattr(used, "pss", used.rss)
    return total


def _bytes(text: str | None) -> int | None:
    if not text:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    value = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if value < 1:
        raise ServerError(f"{MEMORY}={text}: a size such as 512MB or 4GB is expected")
    return value


def _count(text: str | None) -> int | None:
    if not text:
        return None
    if not text.strip().isdecimal() or int(text) < 1:
        raise ServerError(f"{CPUS}={text}: a number of CPUs from 1 on is expected")
    return int(text)
