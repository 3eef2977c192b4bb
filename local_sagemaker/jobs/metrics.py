"""Metrics out of log lines, by the regular expressions of the job's metric definitions."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any


class MetricScanner:
    """Finds values in lines and remembers the last one of each metric."""

    def __init__(self, definitions: Mapping[str, str]) -> None:
        """``definitions`` maps a metric's name to a regular expression whose first group is the value."""
        self._patterns = {name: re.compile(regex) for name, regex in definitions.items()}
        self._last: dict[str, tuple[float, float]] = {}

    def scan(self, lines: Iterable[str]) -> list[tuple[str, float, float]]:
        """(metric name, value, epoch seconds) for every match."""
        now = time.time()
        found = [
            (name, value, now)
            for line in lines
            for name, pattern in self._patterns.items()
            for value in _values(pattern, line)
        ]
        self._last.update({name: (value, at) for name, value, at in found})
        return found

    def final(self) -> list[dict[str, Any]]:
        """The last value of each metric, as FinalMetricDataList."""
        return [{"MetricName": name, "Value": v, "Timestamp": at} for name, (v, at) in self._last.items()]


def _values(pattern: re.Pattern[str], line: str) -> list[float]:
    values = []
    for match in pattern.finditer(line):
        try:
            value = float(match[1] if pattern.groups else match[0])
        except (TypeError, ValueError):
            continue
        if value == value and abs(value) != float("inf"):  # CloudWatch takes neither NaN nor infinity
            values.append(value)
    return values
