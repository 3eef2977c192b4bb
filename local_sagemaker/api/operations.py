"""SageMaker's operations by name: every request is checked before it is answered, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from local_sagemaker.api import model, tags
from local_sagemaker.api.context import Operation
from local_sagemaker.api.emulated import ANY, Emulated, refuse_rest
from local_sagemaker.errors import AwsError, not_emulated


class Resource(Protocol):
    """A group of operations. ``emulated`` says by operation what of its request is emulated (default: all)."""

    emulated: Mapping[str, Emulated]

    def operations(self) -> dict[str, Operation]: ...


class Operations:
    """All operations of one service; jobs that start other jobs (tuning, pipelines) call them too."""

    def __init__(self, service: str = "sagemaker") -> None:
        self._service = service
        self._handlers: dict[str, Operation] = {}
        self._emulated: dict[str, Emulated] = {}

    def add(self, resource: Resource) -> None:
        self._handlers |= resource.operations()
        self._emulated |= resource.emulated

    @property
    def names(self) -> list[str]:
        return sorted(self._handlers)

    def emulated(self, name: str) -> Emulated:
        """What of an operation's request is emulated."""
        return self._emulated.get(name, ANY)

    def call(self, name: str, request: Any) -> dict[str, Any]:
        """Answer one request, as JSON members. Raises AwsError."""
        operation = model.operation(name, self._service)
        if operation is None:
            raise AwsError("UnknownOperationException", f"SageMaker has no operation {name}.")
        handler = self._handler(name)
        model.check(operation.input_shape, request)
        self.check_emulated(name, request)
        tags.check(request.get("Tags") or [])
        return model.select(operation.output_shape, handler(_prune(request)))

    def check_emulated(self, name: str, request: Mapping[str, Any]) -> None:
        """Raise ValidationException for an operation, or a member of its request, that is not emulated."""
        self._handler(name)
        refuse_rest(self.emulated(name), request)

    def _handler(self, name: str) -> Operation:
        if name not in self._handlers:
            raise not_emulated(name)
        return self._handlers[name]


def _prune(value: Any) -> Any:
    """``value`` without members that are null, which to AWS are as good as absent."""
    if isinstance(value, dict):
        return {name: _prune(item) for name, item in value.items() if item is not None}
    return [_prune(item) for item in value] if isinstance(value, list) else value
