"""What of each request is emulated. Everything else is refused by name, never silently ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.errors import not_emulated

ANY = "any value"
Emulated = Any
"""ANY, the set of values that are emulated, or a dict of the members of a structure (or of a list's items)."""


def refuse_rest(emulated: Emulated, request: Mapping[str, Any]) -> None:
    """Raise ValidationException for the first member of ``request`` that is not emulated."""
    _refuse(emulated, request, "")


def _refuse(emulated: Emulated, value: Any, path: str) -> None:
    if emulated == ANY or value is None:
        return
    if isinstance(value, list):
        for item in value:
            _refuse(emulated, item, path)
    elif isinstance(emulated, set):
        if value not in emulated:
            raise not_emulated(f"{path} {value} (only {', '.join(map(str, emulated))})")
    else:
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            if name in emulated:
                _refuse(emulated[name], item, inner)
            elif _asks(item):
                raise not_emulated(inner)


def _asks(value: Any) -> bool:
    """Whether a member asks for anything: an empty or false one does not."""
    if isinstance(value, dict):
        return any(map(_asks, value.values()))
    return any(map(_asks, value)) if isinstance(value, list) else bool(value)
