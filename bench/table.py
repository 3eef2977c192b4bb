"""One way to print a measurement."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """A measured figure: its median over the samples, beside the goal it is held against."""

    name: str
    samples: list[float]
    unit: str
    goal: str = ""

    def __str__(self) -> str:
        spread = f"{min(self.samples):.3g} to {max(self.samples):.3g}"
        figure = f"{median(self.samples):>9.3g} {self.unit:<4} {spread:<18}"
        return f"{self.name:<52} {figure} n={len(self.samples):<3} {self.goal}"


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of a call in seconds."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
