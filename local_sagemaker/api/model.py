"""botocore's description of SageMaker: are a request's members right, and which members has an answer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from local_sagemaker.errors import AwsError, validation

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape

_JAVA = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{Print}": " -~",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\z": r"\Z",
}
_MANY = 30
_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "blob": (str,), "boolean": (bool,),
    "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float), "timestamp": (int, float, str),
}  # fmt: skip


@cache
def _service(name: str) -> ServiceModel:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(name, "service-2"))


def load() -> None:
    """Read the model now, so that no request has to wait for it."""
    _service("sagemaker")


@lru_cache(maxsize=64)
def operation(name: str, service: str = "sagemaker") -> OperationModel | None:
    """The operation's model; None for a name that the service does not have."""
    model = _service(service)
    return model.operation_model(name) if name in model.operation_names else None


def check(shape: Shape | None, value: Any) -> None:
    """Raise AwsError (ValidationException or SerializationException) when ``value`` does not fit ``shape``."""
    if shape is None:
        return
    problems = problems_of(shape, value)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise validation(count + "; ".join(problems))


def problems_of(shape: Shape, value: Any, path: str = "") -> list[str]:
    """What is wrong with ``value``, which lies at ``path``. Raises SerializationException for one of another type."""
    problems: list[str] = []
    _check(shape, value, path, problems)
    return problems


def select(shape: Shape | None, record: Mapping[str, Any]) -> dict[str, Any]:
    """The members of ``record`` that an answer of this shape has."""
    return {} if shape is None else {name: record[name] for name in shape.members if name in record}


def _check(shape: Shape, value: Any, path: str, problems: list[str]) -> None:
    allowed = _TYPES[shape.type_name]
    fits = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
    if not fits:
        where = path or "the request"
        raise AwsError("SerializationException", f"{where}: a {shape.type_name} is expected, not {value!r:.80}")
    if shape.type_name == "structure":
        _check_structure(shape, value, path, problems)
    elif shape.type_name == "list":
        _check_length(shape, value, path, problems)
        for number, item in enumerate(value, 1):
            _check(shape.member, item, f"{path}.{number}.member", problems)
    elif shape.type_name == "map":
        _check_length(shape, value, path, problems)
        for key, item in value.items():
            _check(shape.key, key, f"{path}.key", problems)
            _check(shape.value, item, f"{path}.{key}.value", problems)
    elif shape.type_name == "string":
        _check_string(shape, value, path, problems)
    elif shape.type_name in ("integer", "long", "float", "double"):
        _check_range(shape, value, path, problems)


def _check_structure(shape: Shape, value: dict[str, Any], path: str, problems: list[str]) -> None:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            problems.append(_problem("null", prefix + _lower(name), "Member must not be null"))
    for name, item in value.items():
        if name not in shape.members:
            problems.append(f"Unknown member '{prefix}{name}'")
        elif item is not None:
            _check(shape.members[name], item, prefix + _lower(name), problems)


def _check_string(shape: Shape, value: str, path: str, problems: list[str]) -> None:
    _check_length(shape, value, path, problems)
    metadata = shape.metadata
    if metadata.get("enum") and value not in metadata["enum"]:
        problems.append(
            _problem(f"'{value}'", path, f"Member must satisfy enum value set: {_allowed(metadata, value)}")
        )
    pattern = metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        problems.append(_problem(f"'{value}'", path, f"Member must satisfy regular expression pattern: {pattern}"))


def _allowed(metadata: Mapping[str, Any], value: str) -> str:
    """The values of an enum; of one with many, such as the instance types, those nearest to ``value``."""
    values: list[str] = metadata["enum"]
    if len(values) <= _MANY:
        return f"[{', '.join(values)}]"
    from botocore import __version__

    near = difflib.get_close_matches(value, values, n=5, cutoff=0.3) or sorted(values)[:5]
    return f"[{', '.join(near)}, ...] ({len(values)} values, as of botocore {__version__})"


def _check_length(shape: Shape, value: Any, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    shown = f"'{value}'" if isinstance(value, str) else "''"
    if low is not None and len(value) < low:
        problems.append(_problem(shown, path, f"Member must have length greater than or equal to {low}"))
    if high is not None and len(value) > high:
        problems.append(_problem(shown, path, f"Member must have length less than or equal to {high}"))


def _check_range(shape: Shape, value: float, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        problems.append(_problem(f"'{value}'", path, f"Member must have value greater than or equal to {low}"))
    if high is not None and value > high:
        problems.append(_problem(f"'{value}'", path, f"Member must have value less than or equal to {high}"))


def _problem(shown: str, path: str, rule: str) -> str:
    return f"Value {shown:.200} at '{path}' failed to satisfy constraint: {rule}"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    """The model's Java pattern for Python; one that Python has no form of accepts everything."""
    for java, python in _JAVA.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return re.compile(".*", re.DOTALL)
