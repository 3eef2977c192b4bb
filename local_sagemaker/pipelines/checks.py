"""What a well-formed definition must fulfil: known references, fitting arguments, no cycles, all of it emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_sagemaker.api import model
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError, validation
from local_sagemaker.pipelines.definition import Definition, Step
from local_sagemaker.pipelines.kinds import FAIL
from local_sagemaker.pipelines.problems import Problem, unparsable
from local_sagemaker.pipelines.references import GET, JOIN, is_function, parse_reference, references_in
from local_sagemaker.pipelines.shapes import reference_type, type_of

if TYPE_CHECKING:
    from botocore.model import Shape

_CONTAINERS: dict[str, type[Any]] = {"structure": dict, "map": dict, "list": list}
_NUMBERS = {"Integer", "Float"}
_SOME_STRING: dict[str, Any] = {JOIN: {"Values": []}}


def check(definition: Definition, operations: Operations) -> None:
    """Raise ValidationException for the first thing wrong, naming the step."""
    for name, value in definition.experiment.items():
        _try(None, lambda value=value: _check_value("String", value, definition))
        if not is_function(value) and not isinstance(value, str):
            raise unparsable(f"PipelineExperimentConfig.{name} must be a string.")
    for step in definition.steps.values():
        _try(step.name, lambda step=step: _check_step(step, definition))
    for step in definition.steps.values():
        _check_cycle(definition, step.name)
        if step.kind is not None:
            _check_emulated(step, operations)


def _try(step: str | None, check_one: Any) -> None:
    try:
        check_one()
    except Problem as problem:
        raise unparsable(problem, step) from problem


def _check_step(step: Step, definition: Definition) -> None:
    for name in step.depends_on:
        if name not in definition.steps:
            raise Problem(f"DependsOn: step '{name}' is undefined.")
    for reference in references_in(step.arguments):
        reference_type(reference, definition)
    if step.type == FAIL:
        _check_value("String", step.arguments["ErrorMessage"], definition)
    if step.kind is not None:
        shape = model.operation(step.kind.create).input_shape  # type: ignore[union-attr]
        generated = {step.kind.name, step.kind.role or ""} & set(shape.required_members)
        arguments = {**dict.fromkeys(generated, _SOME_STRING), **step.arguments}
        _check_shape(shape, arguments, "Arguments", definition)
        _check_property_files(step)


def _check_shape(shape: Shape, value: Any, path: str, definition: Definition) -> None:
    """Check arguments member by member; a reference is checked by the type of what it stands for."""
    if value is None:
        return
    if is_function(value):
        _check_value(type_of(shape), value, definition, path)
        return
    if not isinstance(value, _CONTAINERS.get(shape.type_name, object)):
        expected = "Json Array" if shape.type_name == "list" else "Json Object"
        raise Problem(f"{path}: Expecting start of {expected}, not {value!r:.60}.")
    if shape.type_name == "structure":
        _check_members(shape, value, path, definition)
    elif shape.type_name == "map":
        for name, item in value.items():
            _check_shape(shape.value, item, f"{path}.{name}", definition)
    elif shape.type_name == "list":
        _check_length(shape, value, path)
        for number, item in enumerate(value):
            if item is None:
                raise Problem(f"{path}[{number}] must not be null.")
            _check_shape(shape.member, item, f"{path}[{number}]", definition)
    else:
        _check_leaf(shape, value, path)


def _check_members(shape: Shape, value: dict[str, Any], path: str, definition: Definition) -> None:
    for name in value:
        if name not in shape.members:
            raise Problem(f"Unknown {_parent(path)} member '{name}'.")
    for name in shape.required_members:
        if value.get(name) is None:
            raise Problem(f"{path}: missing required member '{name}'.")
    for name, item in value.items():
        _check_shape(shape.members[name], item, f"{path}.{name}", definition)


def _parent(path: str) -> str:
    return "Argument" if path == "Arguments" else path


def _check_leaf(shape: Shape, value: Any, path: str) -> None:
    """A constant against the model's enumerations, patterns and ranges."""
    try:
        problems = model.problems_of(shape, value, path)
    except AwsError:
        raise Problem(f"{path}: a value of type {type_of(shape)} is expected, not {value!r:.60}.") from None
    if problems:
        raise Problem(problems[0])


def _check_length(shape: Shape, value: list[Any], path: str) -> None:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not low <= len(value) <= high:
        raise Problem(f"{path}: {len(value)} items are given, but it must have at least {low} and at most {high}.")


def _check_value(expected: str, value: Any, definition: Definition, path: str = "") -> None:
    """Check that a function gives what its place expects; JSON files hold anything."""
    if not is_function(value):
        if not isinstance(value, str):
            raise Problem(f"a string is expected, not {value!r:.60}.")
        return
    for reference in references_in(value):
        reference_type(reference, definition)
    given, shown = _given(value, definition)
    fits = given is None or given == expected or {given, expected} == _NUMBERS
    if not fits:
        raise Problem(f"Cannot assign property reference [{shown}] to argument of type [{expected}] ({path}).")


def _given(function: dict[str, Any], definition: Definition) -> tuple[str | None, str]:
    if GET in function:
        reference = parse_reference(function[GET])
        return reference_type(reference, definition), reference.text
    return ("String" if JOIN in function else None), next(iter(function))


def _check_property_files(step: Step) -> None:
    outputs = (step.arguments.get("ProcessingOutputConfig") or {}).get("Outputs")
    for name, file in step.property_files.items():
        if not isinstance(outputs, list) or file.output not in [output.get("OutputName") for output in outputs]:
            raise Problem(f"Property file '{name}': there is no processing output '{file.output}'.")


def _check_cycle(definition: Definition, start: str) -> None:
    """Raise when a step needs, by way of others, itself."""
    waiting: list[list[str]] = [[start]]
    seen: set[str] = set()
    while waiting:
        trail = waiting.pop()
        for name in sorted(definition.steps[trail[-1]].needs()):
            if name == start:
                raise unparsable(f"The steps form a cycle: {' -> '.join([*trail, name])}.", start)
            if name not in seen:
                seen.add(name)
                waiting.append([*trail, name])


def _check_emulated(step: Step, operations: Operations) -> None:
    """Refuse at once what the step's operation would refuse later."""
    assert step.kind is not None
    try:
        operations.check_emulated(step.kind.create, _constants(step.arguments))
    except AwsError as error:
        raise validation(f"Step '{step.name}': {error.message}") from error


def _constants(value: Any) -> Any:
    """``value`` with nothing in place of its references."""
    if is_function(value):
        return None
    if isinstance(value, dict):
        return {name: _constants(item) for name, item in value.items()}
    return [_constants(item) for item in value] if isinstance(value, list) else value
