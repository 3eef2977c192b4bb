"""What the linter finds, and what its checks know."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lab_utils.errors import DataError
from lab_utils.tfod import label_map
from lab_utils.tfod.label_map import Item
from lab_utils.tfod.textproto import Message

ELSEWHERE = ("/opt/ml/", "s3://", "gs://", "https://", "http://")


@dataclass(frozen=True)
class Finding:
    """A mistake in a configuration.

    Attributes:
        severity: "error" (does not train, or not what is meant), "warning" (rarely meant), "note" (not checked).
        field: path of the field: `train_config.optimizer.momentum_optimizer...`.
        value: what stands there, or what is assumed where nothing does.
        problem: what comes of it.
        fix: what to write.
        line: line of the file; 0 where the field is missing.
    """

    severity: str
    field: str
    value: str
    problem: str
    fix: str
    line: int = 0

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        value = f" is {self.value}" if self.value else ""
        return f"{self.severity}: {place}{self.field}{value}: {self.problem}; fix: {self.fix}"


@dataclass(frozen=True)
class Context:
    """A configuration and its surroundings; see `lint.lint`."""

    config: Message
    steps: Any
    device: str
    mapping: dict[str, str]
    extractors: frozenset[str]

    @cached_property
    def kind(self) -> str:
        """The model's kind: `ssd`, `faster_rcnn`, `center_net` ...; "" where there is none."""
        model = self.config.get("model")
        found = [f.name for f in model.fields if isinstance(f.value, Message)] if isinstance(model, Message) else []
        return found[0] if found else ""

    def finding(self, severity: str, path: str, problem: str, fix: str, default: Any = "missing") -> Finding:
        """A finding about the field at a path."""
        found = self.config.find(path)
        value = default if found is None else "" if isinstance(found.value, Message) else found.value
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return Finding(severity, path, shown, problem, fix, found.line if found else 0)

    def number(self, path: str, default: float) -> float:
        """The number at a path; the default where there is none, or no finite number."""
        value = self.config.get(path, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return value if is_number else default

    def text(self, path: str) -> str:
        """The string at a path; "" where there is none, or no string."""
        value = self.config.get(path)
        return value if isinstance(value, str) else ""

    def here(self, path: str) -> Path | None:
        """Where a path of the training machine is on this one; None for one that is elsewhere."""
        for start, folder in self.mapping.items():
            if path == start or path.startswith(start.rstrip("/") + "/"):
                return Path(folder, path[len(start) :].lstrip("/"))
        return None if path.startswith(ELSEWHERE) else Path(path)

    def items(self, reader: str) -> tuple[Item, ...] | None:
        """The label map of `train_input_reader` or `eval_input_reader`; None where it cannot be read from here."""
        path = self.text(f"{reader}.label_map_path")
        file = self.here(path) if path else None
        try:
            return label_map.read(file) if file and file.is_file() else None
        except DataError:
            return None
