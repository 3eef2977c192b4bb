"""The evaluations of a training: their table, the best of them, when to stop for lack of a better one."""

import csv
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class History:
    """Rows of evaluations in order, ranked by the numbers that `ranking` names, the first before the second."""

    rows: list[dict[str, float]] = field(default_factory=list)
    ranking: tuple[str, ...] = ("AP50", "AP")

    def add(self, iteration: int, values: Mapping[str, float]) -> bool:
        """Append an evaluation; returns whether it is the best so far."""
        row = {"iteration": iteration, **values}
        better = not self.rows or self._rank(row) >= self._rank(self.best)
        self.rows.append(row)
        return better

    @property
    def best(self) -> dict[str, float]:
        """The evaluation that ranks highest, the last of equal ones; {} before the first."""
        return max(reversed(self.rows), key=self._rank, default={})

    def stalled(self, patience: int) -> bool:
        """Whether the last `patience` evaluations brought nothing better; never if `patience` is 0."""
        return bool(patience and self.rows) and len(self.rows) - 1 - self.rows.index(self.best) >= patience

    def write_csv(self, path: Path) -> None:
        """Write the table, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        temporary.replace(path)

    def _rank(self, row: Mapping[str, float]) -> tuple[float, ...]:
        """Numbers to compare; nan, of a set without boxes, ranks lowest."""
        return tuple(-1.0 if math.isnan(row[name]) else row[name] for name in self.ranking)
