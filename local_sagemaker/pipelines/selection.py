"""Selective execution: a few steps of a pipeline run, and read the results that others had in an earlier execution."""

from __future__ import annotations

from typing import Any

from local_sagemaker.errors import not_emulated, validation
from local_sagemaker.pipelines.definition import Definition
from local_sagemaker.pipelines.kinds import CONDITION
from local_sagemaker.store import Record


def check_selection(definition: Definition, selected: set[str]) -> None:
    """Raise ValidationException for a selection that cannot run."""
    for name in sorted(selected):
        step = definition.steps.get(name)
        if step is None:
            raise validation(f"SelectedSteps: step '{name}' does not exist in the pipeline definition.")
        if step.gate or step.type == CONDITION:
            raise not_emulated(f"SelectedSteps: step '{name}', a Condition step or one in its branches,")
    for name in sorted(selected):
        if between := sorted(_between(definition, name, selected)):
            raise validation(
                f"SelectedSteps: the steps [{', '.join(between)}] lie between selected steps and must be selected too."
            )


def _between(definition: Definition, name: str, selected: set[str]) -> set[str]:
    """The unselected steps that ``name`` needs and that need a selected one themselves."""
    return {other for other in _all_needs(definition, name) - selected if _all_needs(definition, other) & selected}


def _all_needs(definition: Definition, name: str) -> set[str]:
    needs: set[str] = set()
    waiting = [name]
    while waiting:
        new = definition.steps[waiting.pop()].needs() - needs
        needs |= new
        waiting += new
    return needs


def earlier_results(definition: Definition, selected: set[str], source: Record | None) -> dict[str, Any]:
    """The records of the steps that the selected ones need, from the execution ``source``.

    Raises ValidationException when there is no such execution or the step did not succeed in it.
    """
    needed = sorted(set().union(*(definition.steps[name].needs() for name in selected)) - selected)
    if not needed:
        return {}
    if source is None:
        raise validation(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps [{', '.join(sorted(selected))}] have "
            f"dependencies on [{', '.join(needed)}]"
        )
    result = {"SelectiveExecutionResult": {"SourcePipelineExecutionArn": source["PipelineExecutionArn"]}}
    records = {name: source["_steps"].get(name, {}) for name in needed}
    if missing := [name for name, record in records.items() if record.get("StepStatus") != "Succeeded"]:
        raise validation(
            f"Invalid SourcePipelineExecutionArn: {source['PipelineExecutionArn']}. The steps [{', '.join(missing)}] "
            "did not succeed in it."
        )
    return {name: {**record, **result} for name, record in records.items()}
