"""What clients change in IAM and ECR: their requests, kept in order and asked again after a restart.

What moto makes up for a resource (ids, dates, keys) is made up anew; names, ARNs and policies are as they were.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug.test import Client

SERVICES = frozenset(("iam", "ecr"))
_READS = ("Get", "List", "Describe", "Simulate", "Generate", "BatchGet", "BatchCheck")
_KEPT = ("Content-Type", "X-Amz-Target")

log = logging.getLogger(__name__)


class Journal:
    """The changing requests to `SERVICES`, one JSON object a line."""

    def __init__(self, path: Path, region: str) -> None:
        self._path, self._region = path, region

    def add(self, service: str, headers: Any, body: bytes) -> None:
        """Keep a request that was answered with success, if it changes anything. Raises OSError."""
        if _operation(headers, body).startswith(_READS):
            return
        kept = {name: headers[name] for name in _KEPT if name in headers}
        line = json.dumps({"service": service, "headers": kept, "body": body.decode()}) + "\n"
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(line)

    def replay(self, app: Callable[[str], Any]) -> None:
        """Ask ``app(service)`` every request again."""
        for entry in self._entries():
            service = entry["service"]
            scope = f"Credential=replay/20260101/{self._region}/{service}/aws4_request"
            headers = {**entry["headers"], "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
            answer = Client(app(service)).post("/", data=entry["body"].encode(), headers=headers)
            if answer.status_code >= 300:
                log.error("%s: a request to %s is now refused: %s", self._path, service, answer.get_data(as_text=True))

    def _entries(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                log.error("%s: a line that was cut short is left out", self._path)


def _operation(headers: Any, body: bytes) -> str:
    target: str = headers.get("X-Amz-Target") or ""
    if target:
        return target.rpartition(".")[2]
    return parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
