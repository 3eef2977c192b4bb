"""How a definition is refused: in AWS's words, with the step and the member at fault."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from local_sagemaker.errors import AwsError, validation


class Problem(Exception):
    """What is wrong with a part of a definition; who knows the step adds its name."""


def unparsable(what: object, step: str | None = None) -> AwsError:
    """The ValidationException for a definition, naming the step if there is one."""
    where = f"Step '{step}': " if step is not None else ""
    return validation(f"Unable to parse pipeline definition. {where}{what}")


def check_object(value: Any, known: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
    """``value`` without its null members, if it is an object with the right ones. Raises Problem."""
    if not isinstance(value, dict):
        raise Problem(f"Expecting start of Json Object, not {value!r:.60}.")
    for name in value:
        if name not in known:
            raise Problem(f"Cannot parse object, unknown property '{name}'.")
    present = {name: item for name, item in value.items() if item is not None}
    for name in required:
        if name not in present:
            raise Problem(f"Missing required property '{name}'.")
    return present


def check_list(value: Any) -> list[Any]:
    """``value``, if it is a list. Raises Problem."""
    if not isinstance(value, list):
        raise Problem(f"Expecting start of Json Array, not {value!r:.60}.")
    return value


def check_text(value: Any, member: str) -> str:
    """``value``, if it is a string. Raises Problem."""
    if not isinstance(value, str):
        raise Problem(f"{member} must be a string, not {value!r:.60}.")
    return value
