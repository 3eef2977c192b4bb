"""CloudWatch for the jobs inside the server: a log stream and a series of metrics, written in batches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from local_sagemaker.aws.services import AwsServices
from local_sagemaker.workspace import ACCOUNT_ID

_MAX_EVENT = 256 * 1024
_creating = threading.Lock()  # moto looks for a group, then makes it: of two at a time one would lose its streams


class LogStream:
    """One stream of a log group, created on first use."""

    def __init__(self, services: AwsServices, group: str, stream: str) -> None:
        self._services, self.group, self.stream = services, group, stream
        self._open = False

    @property
    def arn(self) -> str:
        region = self._services.logs.region_name
        return f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{self.group}"

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, all with the present time."""
        self.open()
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line[:_MAX_EVENT]} for line in lines]
        if events:
            self._services.logs.put_log_events(self.group, self.stream, events)

    def open(self) -> None:
        """Create the group and the stream unless they exist."""
        if self._open:
            return
        self._services.wait()  # moto must not be imported by two threads at a time
        from moto.logs.exceptions import ResourceAlreadyExistsException

        with _creating, contextlib.suppress(ResourceAlreadyExistsException):
            self._services.logs.create_log_group(self.group, {})
        with contextlib.suppress(ResourceAlreadyExistsException):
            self._services.logs.create_log_stream(self.group, self.stream)
        self._open = True


class MetricSeries:
    """Metrics of one namespace that share one dimension."""

    def __init__(self, services: AwsServices, namespace: str, dimension: str, value: str) -> None:
        self._services, self._namespace = services, namespace
        self._dimensions = [{"Name": dimension, "Value": value}]

    def write(self, values: Iterable[tuple[str, float, float]]) -> None:
        """Append (metric name, value, epoch seconds)."""
        data = [
            {
                "MetricName": name,
                "Value": value,
                "Timestamp": datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None),  # as moto keeps them
                "Dimensions": self._dimensions,
            }
            for name, value, seconds in values
        ]
        if data:
            self._services.cloudwatch.put_metric_data(self._namespace, data)
