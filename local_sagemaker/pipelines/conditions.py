"""Conditions of a Condition step: their form, and whether they hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.pipelines.problems import Problem, check_list, check_object, check_text
from local_sagemaker.pipelines.references import Scope, is_function, resolve

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_COMPARISONS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
    "And": ("Conditions",),
}


def check_condition(condition: Any) -> None:
    """Raise Problem unless ``condition`` is well formed."""
    kind = check_text(condition.get("Type") if isinstance(condition, dict) else None, "Condition type")
    if kind not in _MEMBERS:
        raise Problem(f"Condition type '{kind}' is none of [{', '.join(_MEMBERS)}].")
    members = check_object(condition, ("Type", *_MEMBERS[kind]), _MEMBERS[kind])
    if kind in _COMPARISONS:
        values = [members["LeftValue"], members["RightValue"]]
    elif kind == "In":
        values = [members["QueryValue"], *check_list(members["Values"])]
    else:
        values = []
        for inner in [members["Condition"]] if kind == "Not" else check_list(members["Conditions"]):
            check_condition(inner)
    for value in values:
        if not is_function(value) and not isinstance(value, (str, int, float)):
            raise Problem(f"Condition {kind}: {value!r:.60} is neither a value nor a reference.")


def holds(condition: dict[str, Any], scope: Scope) -> bool:
    """Whether a condition is true in an execution. Raises Problem for values that cannot be compared."""
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], scope)
    if kind in ("Or", "And"):
        results = [holds(inner, scope) for inner in condition["Conditions"]]
        return any(results) if kind == "Or" else all(results)
    if kind == "In":
        query = resolve(condition["QueryValue"], scope)
        return any(_compare("Equals", query, resolve(item, scope)) for item in condition["Values"])
    return _compare(kind, resolve(condition["LeftValue"], scope), resolve(condition["RightValue"], scope))


def _compare(kind: str, left: Any, right: Any) -> bool:
    if _family(left) != _family(right) or (_family(left) == "Boolean" and kind != "Equals"):
        raise Problem(f"Condition {kind} cannot compare {left!r:.60} with {right!r:.60}.")
    return _COMPARISONS[kind](left, right)


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, (int, float)):
        return "Number"
    if isinstance(value, str):
        return "String"
    raise Problem(f"A condition cannot compare {value!r:.60}.")
