"""Metric gates: a number that a lab must reach, shown in the notebook and collected by the runner."""

from html import escape
from math import isfinite
from typing import TypedDict

from lab_utils.errors import ConfigError, LabError

GATE_MIME = "application/vnd.signal-labs.gate+json"


class GateError(LabError):
    """A metric missed its threshold."""


class Gate(TypedDict):
    """One gate as it is stored in the notebook's outputs.

    None stands for a threshold that was not given, and for a value that JSON cannot hold (NaN, infinity).
    """

    name: str
    value: float | None
    minimum: float | None
    maximum: float | None
    unit: str
    passed: bool


def gate(
    name: str,
    value: float,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
) -> None:
    """Show a metric beside its threshold and stop the notebook if it is missed.

    Args:
        name: what was measured, e.g. `"AP50"`.
        value: the measurement; NaN and infinity never pass.
        minimum: smallest value that passes.
        maximum: largest value that passes.
        unit: unit of the value and of the thresholds, e.g. `"s"`.

    Raises:
        GateError: the threshold is missed (raised after the row was shown).
        ConfigError: neither threshold was given, or one is not finite.
    """
    bounds = [float(bound) for bound in (minimum, maximum) if bound is not None]
    if not bounds or not all(map(isfinite, bounds)):
        raise ConfigError(f"gate {name!r}: expected a finite minimum= or maximum=")
    value = float(value)
    passed = isfinite(value) and (minimum is None or value >= minimum) and (maximum is None or value <= maximum)
    shown = value if isfinite(value) else None
    row = Gate(name=name, value=shown, minimum=minimum, maximum=maximum, unit=unit, passed=passed)
    _show(row)
    if not passed:
        raise GateError(f"gate {name}: {number(value, unit)}, expected {threshold(row)}")


def number(value: float | None, unit: str = "") -> str:
    """Four significant digits and the unit: `0.8612`, `13.5 s`."""
    if value is None:
        return "not a finite number"
    return f"{value:.4g} {unit}".rstrip()


def threshold(row: Gate) -> str:
    """The condition of a gate in words: `≥ 0.85`, `≥ 1 s and ≤ 2 s`."""
    bounds = (("≥", row["minimum"]), ("≤", row["maximum"]))
    return " and ".join(f"{sign} {number(bound, row['unit'])}" for sign, bound in bounds if bound is not None)


def _show(row: Gate) -> None:
    from IPython.display import display

    verdict = "passed" if row["passed"] else "missed"
    cells = [row["name"], number(row["value"], row["unit"]), threshold(row), verdict]
    colour = "#1a7f37" if row["passed"] else "#cf222e"
    head = "".join(f"<th scope='col'>{title}</th>" for title in ("Gate", "Value", "Expected", "Verdict"))
    body = "".join(f"<td>{escape(cell)}</td>" for cell in cells[:-1])
    body += f"<td style='color:{colour};font-weight:600'>{verdict}</td>"
    display(
        {
            "text/plain": "gate {}: {} ({}) {}".format(*cells),
            "text/html": f"<table><thead><tr>{head}</tr></thead><tbody><tr>{body}</tr></tbody></table>",
            GATE_MIME: row,
        },
        raw=True,
    )
