"""The types of what references stand for, from botocore's description of SageMaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_sagemaker.api import model
from local_sagemaker.pipelines.definition import Definition
from local_sagemaker.pipelines.kinds import CONDITION, KINDS
from local_sagemaker.pipelines.problems import Problem
from local_sagemaker.pipelines.references import Path, Reference

if TYPE_CHECKING:
    from botocore.model import Shape

EXECUTION_VARIABLES = (
    "StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn",
    "TrainingJobName", "ProcessingJobName",
)  # fmt: skip
_TYPES = {
    "string": "String", "integer": "Integer", "long": "Integer", "float": "Float", "double": "Float",
    "boolean": "Boolean", "structure": "Structure", "list": "List", "map": "Map",
}  # fmt: skip


def type_of(shape: Shape) -> str:
    """What pipelines call the type of a shape."""
    return _TYPES.get(shape.type_name, "String")


def reference_type(reference: Reference, definition: Definition) -> str:
    """The type of what a reference stands for. Raises Problem when there is no such thing."""
    if reference.root == "Parameters":
        if reference.name not in definition.parameters:
            raise Problem(f"Parameter '{reference.name}' of reference '{reference.text}' is undefined.")
        return definition.parameters[reference.name].type
    if reference.root == "Execution":
        if reference.name not in EXECUTION_VARIABLES:
            raise Problem(f"Invalid property reference '{reference.text}': there is no such execution variable.")
        return "String"
    return _property_type(reference, definition)


def _property_type(reference: Reference, definition: Definition) -> str:
    step = definition.steps.get(reference.name)
    if step is None:
        raise Problem(f"Step '{reference.name}' of reference '{reference.text}' is undefined.")
    if reference.is_property_file:
        if reference.path[1:2] and str(reference.path[1]) in step.property_files:
            return "File"
        raise Problem(f"Step '{reference.name}' has no property file as in '{reference.text}'.")
    if step.type == CONDITION and reference.path == ("Outcome",):
        return "String"
    kind = KINDS.get(step.type)
    operations = [] if kind is None else [kind.describe, *([kind.more] if kind.more else [])]
    for name in operations:
        operation = model.operation(name)
        shape = operation and _walk(operation.output_shape, reference.path)
        if shape:
            return type_of(shape)
    raise Problem(f"Invalid property reference '{reference.text}': a {step.type} step has no such property.")


def _walk(shape: Shape, path: Path) -> Shape | None:
    for token in path:
        if shape.type_name == "structure" and token in shape.members:
            shape = shape.members[token]
        elif shape.type_name == "list":
            shape = shape.member
        elif shape.type_name == "map":
            shape = shape.value
        else:
            return None
    return shape
