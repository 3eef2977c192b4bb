"""Parameters of a pipeline: their types, defaults, and the values that an execution gives them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import validation
from local_sagemaker.pipelines.problems import Problem, check_list, check_object, check_text

_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_MAX_PARAMETERS = 200
_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Parameter:
    """A parameter; ``default`` is None when there is none, ``choices`` is empty when any value will do."""

    name: str
    type: str
    default: Any = None
    choices: tuple[Any, ...] = ()

    def convert(self, text: str) -> Any:
        """The value that a caller's string means. Raises ValidationException."""
        try:
            value = _convert(self.type, text)
        except (KeyError, ValueError):
            raise validation(f"Parameter '{self.name}': value '{text:.60}' is not of type {self.type}.") from None
        if self.choices and value not in self.choices:
            shown = ", ".join(map(str, self.choices))
            raise validation(f"Parameter '{self.name}': value '{text:.60}' is none of [{shown}].")
        return value


def _convert(kind: str, text: str) -> Any:
    if kind == "Boolean":
        return _BOOLEANS[text.lower()]
    if kind == "Float" and not math.isfinite(float(text)):
        raise ValueError(text)
    return {"String": str, "Integer": int, "Float": float}[kind](text)


def parse_parameters(value: Any) -> dict[str, Parameter]:
    """The parameters of a definition by name. Raises Problem."""
    parameters: dict[str, Parameter] = {}
    for item in check_list(value):
        parameter = _parse(item)
        if parameter.name in parameters:
            raise Problem(f"Parameter '{parameter.name}' is defined twice; names must be unique.")
        parameters[parameter.name] = parameter
    if len(parameters) > _MAX_PARAMETERS:
        raise Problem(f"A pipeline may have at most {_MAX_PARAMETERS} parameters, not {len(parameters)}.")
    return parameters


def _parse(value: Any) -> Parameter:
    members = check_object(value, ("Name", "Type", "DefaultValue", "EnumValues", "Description"), ("Name",))
    name, kind = check_text(members["Name"], "Name"), check_text(members.get("Type", "String"), "Type")
    if not _NAME.fullmatch(name):
        raise Problem(f"Parameter name '{name}' does not match {_NAME.pattern}.")
    if kind not in _TYPES:
        raise Problem(f"Parameter '{name}': type '{kind}' is none of [{', '.join(_TYPES)}].")
    choices = tuple(check_list(members.get("EnumValues", [])))
    for item in (*choices, *([members["DefaultValue"]] if "DefaultValue" in members else [])):
        if not isinstance(item, _TYPES[kind]) or (kind != "Boolean" and isinstance(item, bool)):
            raise Problem(f"Parameter '{name}': value {item!r:.60} is not of type {kind}.")
    default = members.get("DefaultValue")
    if choices and default is not None and default not in choices:
        raise Problem(f"Parameter '{name}': the default {default!r:.60} is not among its EnumValues.")
    return Parameter(name, kind, default, choices)


def parameter_values(parameters: Mapping[str, Parameter], given: list[dict[str, str]]) -> dict[str, Any]:
    """Every parameter's value in an execution that was started with ``given``. Raises ValidationException."""
    names = [item["Name"] for item in given]
    if len(set(names)) < len(names):
        raise validation("PipelineParameters: a parameter is given twice.")
    if unknown := [name for name in names if name not in parameters]:
        raise validation(f"Parameter(s) [{', '.join(unknown)}] do not exist in the pipeline definition.")
    values = {name: parameter.default for name, parameter in parameters.items()}
    values |= {item["Name"]: parameters[item["Name"]].convert(item["Value"]) for item in given}
    if missing := [name for name, value in values.items() if value is None]:
        raise validation(f"Parameter(s) [{', '.join(missing)}] have no default value and must be given a value.")
    return values


def shown(value: Any) -> str:
    """A parameter's value as ListPipelineParametersForExecution gives it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
