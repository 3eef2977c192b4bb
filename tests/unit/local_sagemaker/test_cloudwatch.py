"""Log streams of jobs that begin at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from local_sagemaker.aws.cloudwatch import LogStream


class Logs:
    """Creates groups as moto does: looks first, and makes it after a while."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}

    def create_log_group(self, name: str, tags: dict) -> None:
        if name not in self.groups:
            time.sleep(0.01)
            self.groups[name] = []

    def create_log_stream(self, group: str, stream: str) -> None:
        self.groups[group].append(stream)


def test_streams_that_are_opened_at_the_same_time_are_all_there() -> None:
    logs = Logs()
    services = SimpleNamespace(logs=logs, wait=lambda: None)
    streams = [LogStream(services, "group", str(number)) for number in range(8)]  # type: ignore[arg-type]
    with ThreadPoolExecutor(len(streams)) as pool:
        list(pool.map(LogStream.open, streams))
    assert sorted(logs.groups["group"]) == [str(number) for number in range(8)]
