"""SageMaker's metrics service: the values that a Run logs, kept as a summary of each metric."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.context import Context, Operation, Request
from local_sagemaker.api.emulated import Emulated
from local_sagemaker.api.listing import seconds
from local_sagemaker.store import Record

_OLDEST, _NEWEST = 14 * 24 * 3600, 2 * 3600  # seconds before and after now that a value may be of
_INVALID = "VALIDATION_ERROR"


class RunMetrics:
    """The operations of the metrics service."""

    emulated: Mapping[str, Emulated] = {}

    def __init__(self, context: Context) -> None:
        self._store = context.store

    def operations(self) -> dict[str, Operation]:
        return {"BatchPutMetrics": self.put}

    def put(self, request: Request) -> dict[str, Any]:
        """Add values to a trial component; which of them were refused."""
        name, data = self._name(request["TrialComponentName"]), request["MetricData"]
        good = [self._in_time(item) and math.isfinite(item["Value"]) for item in data]
        kept = [item for item, right in zip(data, good, strict=True) if right]

        def changes(record: Record) -> Record:
            metrics = {name: dict(metric) for name, metric in record["_metrics"].items()}
            for item in kept:
                metrics[item["MetricName"]] = _added(metrics.get(item["MetricName"]), item)
            return {"_metrics": metrics}

        if self._store.change("TrialComponent", name, changes) is None:
            good = [False] * len(data)
        errors = [{"Code": _INVALID, "MetricIndex": n} for n, right in enumerate(good) if not right]
        return {"Errors": errors} if errors else {}

    def _name(self, asked: str) -> str:
        """The component's name as it is spelt: the SDK sends it in lower case."""
        names = (record["TrialComponentName"] for record in self._store.all("TrialComponent"))
        return next((name for name in names if name.lower() == asked.lower()), asked)

    @staticmethod
    def _in_time(item: Request) -> bool:
        now = time.time()
        return now - _OLDEST <= seconds(item["Timestamp"]) <= now + _NEWEST


def summaries(component: Record) -> list[dict[str, Any]]:
    """The metrics of a trial component, as its Describe shows them."""
    return [
        {
            "MetricName": name,
            "SourceArn": component["TrialComponentArn"],
            "TimeStamp": m["at"],
            "Max": m["max"],
            "Min": m["min"],
            "Last": m["last"],
            "Count": m["count"],
            "Avg": m["mean"],
            "StdDev": math.sqrt(m["squares"] / m["count"]),
        }
        for name, m in component["_metrics"].items()
    ]


def _added(metric: Mapping[str, Any] | None, item: Request) -> dict[str, Any]:
    """A metric's summary with one more value; ``squares`` is the sum of squared distances from the mean."""
    value, at = float(item["Value"]), seconds(item["Timestamp"])
    if metric is None:
        return {"count": 1, "mean": value, "squares": 0.0, "min": value, "max": value, "last": value, "at": at}
    count = metric["count"] + 1
    mean = metric["mean"] + (value - metric["mean"]) / count
    return {
        "count": count,
        "mean": mean,
        "squares": metric["squares"] + (value - metric["mean"]) * (value - mean),
        "min": min(metric["min"], value),
        "max": max(metric["max"], value),
        "last": value if at >= metric["at"] else metric["last"],
        "at": max(at, metric["at"]),
    }
