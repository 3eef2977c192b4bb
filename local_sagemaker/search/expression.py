"""Search expressions: checked against the properties that there are, then held against records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_sagemaker.api.listing import seconds
from local_sagemaker.errors import validation
from local_sagemaker.search.properties import OPEN, STRUCTURE, type_of, values

if TYPE_CHECKING:
    from botocore.model import Shape

Expression = Mapping[str, Any]
_MAX_CONDITIONS = 20
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda actual, wanted: bool(actual == wanted),
    "GreaterThan": lambda actual, wanted: bool(actual > wanted),
    "GreaterThanOrEqualTo": lambda actual, wanted: bool(actual >= wanted),
    "LessThan": lambda actual, wanted: bool(actual < wanted),
    "LessThanOrEqualTo": lambda actual, wanted: bool(actual <= wanted),
}
_PRESENCE = ("Exists", "NotExists")
_TEXT_ONLY = ("Contains", "In")


def check(expression: Expression, shape: Shape) -> None:
    """Raise ValidationException for an expression that resources of this shape cannot be held against."""
    conditions = list(_filters(expression))
    if len(conditions) > _MAX_CONDITIONS:
        raise validation(f"A search expression may have {_MAX_CONDITIONS} filters, not {len(conditions)}.")
    for condition in conditions:
        _check_filter(condition, shape)
    _check_nested(expression, shape)


def _filters(expression: Expression) -> list[Expression]:
    own = list(expression.get("Filters", []))
    own += [inner for nested in expression.get("NestedFilters", []) for inner in nested["Filters"]]
    return own + [inner for part in expression.get("SubExpressions", []) for inner in _filters(part)]


def _check_nested(expression: Expression, shape: Shape) -> None:
    for nested in expression.get("NestedFilters", []):
        name = nested["NestedPropertyName"]
        if type_of(shape, name) is None:
            raise validation(f"Unknown property name: {name}")
        outside = next((f["Name"] for f in nested["Filters"] if not f["Name"].startswith(f"{name}.")), None)
        if outside is not None:
            raise validation(f"The nested filter's property {outside} is not one of {name}.")
    for part in expression.get("SubExpressions", []):
        _check_nested(part, shape)


def _check_filter(condition: Expression, shape: Shape) -> None:
    name, operator = condition["Name"], condition.get("Operator", "Equals")
    kind, wanted = type_of(shape, name), condition.get("Value")
    if kind is None:
        raise validation(f"Unknown property name: {name}")
    if operator in _PRESENCE:
        if wanted is not None:
            raise validation(f"The operator {operator} takes no Value (property {name}).")
        return
    if wanted is None:
        raise validation(f"The operator {operator} needs a Value (property {name}).")
    if kind == STRUCTURE:
        raise validation(f"{name} has properties of its own: name one of them.")
    if operator in _TEXT_ONLY and kind not in ("string", OPEN):
        raise validation(f"The operator {operator} is only for text, and {name} is a {kind}.")
    if operator in _ORDER and operator != "Equals" and kind == "string":
        raise validation(f"The operator {operator} is not for text (property {name}).")
    if kind == "timestamp":
        seconds(wanted)
    if kind == "number" and _number(wanted) is None:
        raise validation(f"The Value {wanted!r} for {name} is not a number.")


def matches(expression: Expression, view: Mapping[str, Any], shape: Shape) -> bool:
    """Whether a record's view satisfies a checked expression; an empty one is satisfied by all."""
    results = [_satisfied(condition, view, shape) for condition in expression.get("Filters", [])]
    results += [_nested(nested, view, shape) for nested in expression.get("NestedFilters", [])]
    results += [matches(part, view, shape) for part in expression.get("SubExpressions", [])]
    return (any if expression.get("Operator") == "Or" and results else all)(results)


def _nested(nested: Expression, view: Mapping[str, Any], shape: Shape) -> bool:
    """Whether one item of a list satisfies all filters."""
    name = nested["NestedPropertyName"]
    return any(
        all(_satisfied(condition, _under(name, item), shape) for condition in nested["Filters"])
        for item in values(dict(view), name)
    )


def _under(name: str, item: Any) -> dict[str, Any]:
    first, dot, rest = name.partition(".")
    return {first: _under(rest, item) if dot else item}


def _satisfied(condition: Expression, view: Mapping[str, Any], shape: Shape) -> bool:
    name, operator = condition["Name"], condition.get("Operator", "Equals")
    found = values(dict(view), name)
    if operator in _PRESENCE:
        return bool(found) == (operator == "Exists")
    kind, wanted = type_of(shape, name), condition["Value"]
    if operator == "NotEquals":
        return not any(_compare("Equals", kind, actual, wanted, name) for actual in found)
    return any(_compare(operator, kind, actual, wanted, name) for actual in found)


def _compare(operator: str, kind: str | None, actual: Any, wanted: str, name: str) -> bool:
    if operator == "Contains":
        return wanted in str(actual)
    if operator == "In":
        return str(actual) in [part.strip() for part in wanted.split(",")]
    if kind == "timestamp":
        return _ORDER[operator](seconds(actual), seconds(wanted))
    if kind == "boolean" or isinstance(actual, bool):
        return _ORDER[operator](str(actual).lower(), wanted.lower())
    left, right = _number(actual), _number(wanted)
    if kind == "string" or left is None or right is None:
        return operator == "Equals" and str(actual) == wanted
    if name.startswith("HyperParameters.") and re.fullmatch(r"[-+]?\d+", wanted):
        left = float(int(left))  # AWS compares decimals as integers when an integer is asked for
    return _ORDER[operator](left, right)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


def sort_key(value: Any) -> tuple[int, float, str]:
    """Orders numbers before text."""
    number = _number(value)
    return (1, 0.0, str(value)) if number is None else (0, number, "")
