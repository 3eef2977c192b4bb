"""moto's CloudWatch metrics on disk: rows of SQLite, of which every question sees those that it asks for."""

from __future__ import annotations

import importlib
import json
import sqlite3
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

models: Any = importlib.import_module("moto.cloudwatch.models")

_SCHEMA = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS datum(namespace TEXT, name TEXT, dimensions TEXT, time REAL, state TEXT);
CREATE INDEX IF NOT EXISTS by_name ON datum(namespace, name, time);
"""
_STATISTICS = ("min", "max", "sample_count", "sum")


class Metrics:
    """Takes the place of one moto backend's list of data."""

    def __init__(self, backend: Any, path: Path) -> None:
        self._backend, self._class = backend, type(backend)
        self._lock = threading.Lock()
        self._asked = threading.local()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)
        backend.put_metric_data, backend.get_metric_data = self.put, self.get_data
        backend.get_metric_statistics, backend.list_metrics = self.get_statistics, self.list_
        backend.get_all_metrics = lambda: [*getattr(self._asked, "data", []), *backend.aws_metric_data]

    def put(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        with self._lock:
            try:
                self._class.put_metric_data(self._backend, namespace, metric_data)
                rows = list(map(_row, self._backend.metric_data))
            finally:
                self._backend.metric_data = []
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO datum VALUES(?,?,?,?,?)", rows)
            self._database.execute("COMMIT")

    def get_data(self, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, **named: Any) -> Any:
        metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        asked = {(m["Namespace"], m["MetricName"], _pairs(m.get("Dimensions", []))) for m in metrics}
        self._asked.data = [datum for metric in asked for datum in self._between(*metric, start_time, end_time)]
        return self._class.get_metric_data(self._backend, queries, start_time, end_time, **named)

    def get_statistics(
        self, namespace: str, metric_name: str, start_time: datetime, end_time: datetime, *more: Any, **named: Any
    ) -> Any:
        self._asked.data = self._between(namespace, metric_name, "[]", start_time, end_time)
        arguments = (namespace, metric_name, start_time, end_time)
        return self._class.get_metric_statistics(self._backend, *arguments, *more, **named)

    def list_(self, next_token: str | None, namespace: str, metric_name: str, dimensions: Any) -> Any:
        with self._lock:
            rows = self._database.execute(
                "SELECT namespace, name, dimensions FROM datum WHERE (?1 IS NULL OR namespace=?1) AND "
                "(?2 IS NULL OR name=?2) GROUP BY namespace, name, dimensions",
                (namespace or None, metric_name or None),
            ).fetchall()
        self._asked.data = [models.MetricDatum(n, m, 0.0, json.loads(d), None) for n, m, d in rows]
        return self._class.list_metrics(self._backend, next_token, namespace, metric_name, dimensions)

    def _between(self, namespace: str, name: str, dimensions: str, start: datetime, end: datetime) -> list[Any]:
        """The data of a metric in a period; of every series if ``dimensions`` names none."""
        with self._lock:
            rows = self._database.execute(
                "SELECT dimensions, state FROM datum WHERE namespace=?1 AND name=?2 AND time BETWEEN ?3 AND ?4 "
                "AND (?5='[]' OR dimensions=?5) ORDER BY time",
                (namespace, name, _seconds(start) - 1, _seconds(end) + 1, dimensions),
            ).fetchall()
        return [_datum(namespace, name, pairs, state) for pairs, state in rows]


def _row(datum: Any) -> tuple[str, str, str, float, str]:
    dimensions = _pairs({"Name": d.name, "Value": d.value} for d in datum.dimensions)
    state: dict[str, Any] = {"time": datum.timestamp.isoformat(), "unit": datum.unit}
    if isinstance(datum, models.MetricDatum):
        state["value"] = datum.value
    else:
        state |= {name: getattr(datum, name) for name in _STATISTICS}
    return datum.namespace, datum.name, dimensions, _seconds(datum.timestamp), json.dumps(state)


def _datum(namespace: str, name: str, dimensions: str, state: str) -> Any:
    about, pairs = json.loads(state), json.loads(dimensions)
    time = datetime.fromisoformat(about["time"])
    if "value" in about:
        return models.MetricDatum(namespace, name, about["value"], pairs, time, about["unit"])
    low, high, count, total = (about[name] for name in _STATISTICS)
    return models.MetricAggregatedDatum(namespace, name, low, high, count, total, pairs, time, about["unit"])


def _pairs(dimensions: Iterable[dict[str, str]]) -> str:
    """Dimensions as they stand in the table, whatever order they came in."""
    pairs = sorted((dimension["Name"], dimension["Value"]) for dimension in dimensions)
    return json.dumps([{"Name": name, "Value": value} for name, value in pairs])


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
