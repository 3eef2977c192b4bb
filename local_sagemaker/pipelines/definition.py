"""A pipeline's definition: JSON of schema version 2020-12-01, parsed and checked for form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import not_emulated
from local_sagemaker.pipelines.cache import NO_CACHE, CacheConfig, parse_cache_config
from local_sagemaker.pipelines.conditions import check_condition
from local_sagemaker.pipelines.kinds import CONDITION, FAIL, KINDS, NOT_EMULATED, Kind
from local_sagemaker.pipelines.parameters import Parameter, parse_parameters
from local_sagemaker.pipelines.problems import Problem, check_list, check_object, check_text, unparsable
from local_sagemaker.pipelines.references import references_in
from local_sagemaker.pipelines.retries import RetryPolicy, parse_retry_policies

_VERSION = "2020-12-01"
_MAX_STEPS = 50
_MAX_DEPTH = 100
_STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_COMMON = ("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description")


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in a processing step's output that conditions and arguments may read."""

    output: str
    path: str


@dataclass(frozen=True)
class Gate:
    """A step inside a Condition step's branch runs when that step's outcome is this one ("True" or "False")."""

    condition: str
    outcome: str


@dataclass(frozen=True)
class Step:
    """One step; a Condition step's branches are steps of their own, behind a gate."""

    name: str
    type: str
    arguments: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    display_name: str | None = None
    description: str | None = None
    cache: CacheConfig = NO_CACHE
    retries: tuple[RetryPolicy, ...] = ()
    property_files: Mapping[str, PropertyFile] = field(default_factory=dict)
    gate: Gate | None = None

    @property
    def kind(self) -> Kind | None:
        """What the step starts; None for Condition and Fail."""
        return KINDS.get(self.type)

    def needs(self) -> set[str]:
        """The steps that must have succeeded before this one can start."""
        named = {reference.name for reference in references_in(self.arguments) if reference.root == "Steps"}
        gate = {self.gate.condition} if self.gate else set()
        return named | gate | set(self.depends_on)


@dataclass(frozen=True)
class Definition:
    """A whole pipeline."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any]


def parse(text: str) -> Definition:
    """The definition in a JSON text. Raises ValidationException."""
    try:
        document = _load(text)
        members = check_object(
            document,
            ("Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"),
            ("Steps",),
        )
        if members.get("Version", _VERSION) != _VERSION:
            raise Problem(f"Version '{members['Version']}' is not supported; it must be '{_VERSION}'.")
        if members.get("MlflowConfig"):
            raise not_emulated("MlflowConfig of a pipeline definition")
        experiment = check_object(members.get("PipelineExperimentConfig", {}), ("ExperimentName", "TrialName"))
        parameters = parse_parameters(members.get("Parameters", []))
        steps: dict[str, Step] = {}
        _parse_steps(members["Steps"], None, steps)
        if not 0 < len(steps) <= _MAX_STEPS:
            raise Problem(f"A pipeline must have at least 1 and at most {_MAX_STEPS} steps, not {len(steps)}.")
    except Problem as problem:
        raise unparsable(problem) from problem
    return Definition(parameters, steps, experiment)


def _load(text: str) -> Any:
    """The JSON in a text, if it is no deeper than any real definition. Raises Problem."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Problem(f"The definition is not JSON: {error}.") from error
    level = [document]
    for _ in range(_MAX_DEPTH):
        level = [item for value in level if isinstance(value, (dict, list)) for item in _items(value)]
    if level:
        raise Problem(f"The definition is nested more than {_MAX_DEPTH} deep.")
    return document


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _parse_steps(values: Any, gate: Gate | None, steps: dict[str, Step]) -> None:
    """Add the steps of a list to ``steps``, and the steps of their branches."""
    for value in check_list(values):
        name = value.get("Name") if isinstance(value, dict) else None
        if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
            raise Problem(f"Step name '{name}' does not match {_STEP_NAME.pattern}.")
        if name in steps:
            raise Problem(f"Step '{name}' is defined twice; step names must be unique.")
        try:
            steps[name] = _parse_step(name, value, gate)
            if value["Type"] == CONDITION:
                for branch, outcome in (("IfSteps", "True"), ("ElseSteps", "False")):
                    _parse_steps(value["Arguments"].get(branch) or [], Gate(name, outcome), steps)
        except Problem as problem:
            raise unparsable(problem, name) from problem


def _parse_step(name: str, value: dict[str, Any], gate: Gate | None) -> Step:
    kind = check_text(value.get("Type"), "Type")
    if kind in NOT_EMULATED:
        raise not_emulated(f"Step '{name}': a step of type {kind}")
    if kind not in KINDS and kind not in (CONDITION, FAIL):
        raise Problem(f"Unknown step type '{kind}'.")
    started = KINDS.get(kind)
    own = (
        *(("RetryPolicies",) if started else ()),
        *(("CacheConfig",) if started and started.cached else ()),
        *(("PropertyFiles",) if kind == "Processing" else ()),
    )
    members = check_object(value, (*_COMMON, *own), ("Arguments",))
    return Step(
        name,
        kind,
        _parse_arguments(kind, members["Arguments"]),
        tuple(_parse_dependency(name, item) for item in check_list(members.get("DependsOn", []))),
        check_text(members["DisplayName"], "DisplayName") if "DisplayName" in members else None,
        check_text(members["Description"], "Description") if "Description" in members else None,
        parse_cache_config(members["CacheConfig"]) if "CacheConfig" in members else NO_CACHE,
        parse_retry_policies(members.get("RetryPolicies", []), started.exceptions if started else ()),
        _parse_property_files(members.get("PropertyFiles", [])),
        gate,
    )


def _parse_arguments(kind: str, value: Any) -> dict[str, Any]:
    """The arguments; a Condition step's without its branches."""
    if kind == FAIL:
        return check_object(value, ("ErrorMessage",), ("ErrorMessage",))
    if kind != CONDITION:
        if not isinstance(value, dict):
            raise Problem(f"Arguments: Expecting start of Json Object, not {value!r:.60}.")
        return {name: item for name, item in value.items() if item is not None}
    members = check_object(value, ("Conditions", "IfSteps", "ElseSteps"), ("Conditions",))
    for condition in check_list(members["Conditions"]):
        check_condition(condition)
    return {"Conditions": members["Conditions"]}


def _parse_dependency(name: str, value: Any) -> str:
    if isinstance(value, dict):
        raise not_emulated(f"Step '{name}': a DependsOn entry with a Trigger")
    return check_text(value, "DependsOn")


def _parse_property_files(value: Any) -> dict[str, PropertyFile]:
    files: dict[str, PropertyFile] = {}
    required = ("PropertyFileName", "OutputName", "FilePath")
    for item in check_list(value):
        name, output, path = (check_text(check_object(item, required, required)[key], key) for key in required)
        if name in files:
            raise Problem(f"Property file '{name}' is defined twice.")
        files[name] = PropertyFile(output, path)
    return files
