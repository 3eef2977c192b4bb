"""Gates: shown first, then judged."""

import math
from typing import Any

import numpy as np
import pytest

from lab_utils import gates
from lab_utils.errors import ConfigError


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What gates display during the test."""
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def test_a_value_above_its_minimum_passes(shown: list[dict[str, Any]]) -> None:
    gates.gate("AP50", np.float32(0.5), minimum=0.5)
    assert shown[0][gates.GATE_MIME] == {
        "name": "AP50",
        "value": 0.5,
        "minimum": 0.5,
        "maximum": None,
        "unit": "",
        "passed": True,
    }
    assert shown[0]["text/plain"] == "gate AP50: 0.5 (≥ 0.5) passed"


@pytest.mark.parametrize("value", [0.49, 1.01, math.nan, math.inf])
def test_a_missed_gate_is_shown_and_then_raised(value: float, shown: list[dict[str, Any]]) -> None:
    with pytest.raises(gates.GateError, match=r"^gate AP50: .*, expected ≥ 0.5 and ≤ 1$"):
        gates.gate("AP50", value, minimum=0.5, maximum=1)
    row = shown[0][gates.GATE_MIME]
    assert row["passed"] is False
    assert row["value"] == (value if math.isfinite(value) else None)  # JSON has no NaN


def test_units_stand_with_the_numbers(shown: list[dict[str, Any]]) -> None:
    gates.gate("time", 201.26, maximum=240, unit="s")
    assert shown[0]["text/plain"] == "gate time: 201.3 s (≤ 240 s) passed"


def test_names_are_escaped_in_html(shown: list[dict[str, Any]]) -> None:
    gates.gate("<b>&", 1, minimum=0)
    assert "&lt;b&gt;&amp;" in shown[0]["text/html"]


@pytest.mark.parametrize("bounds", [{}, {"minimum": math.nan}, {"maximum": math.inf}])
def test_a_gate_needs_a_threshold(bounds: dict[str, float], shown: list[dict[str, Any]]) -> None:
    with pytest.raises(ConfigError, match="expected a finite"):
        gates.gate("AP50", 1, **bounds)
    assert shown == []
