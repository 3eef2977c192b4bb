"""AugmentedManifestFile: JSON lines, of which chosen attributes are streamed in the order of AttributeNames.

Format: SageMaker developer guide, "Augmented Manifest Files for Training Jobs". An attribute whose name ends
with "-ref" is an S3 URI and stands for the bytes of that object.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from local_sagemaker.aws.objects import ObjectError, Objects
from local_sagemaker.jobs.inputs.stream import Part

_REFERENCE = "-ref"


def read_augmented(objects: Objects, uri: str, attributes: Sequence[str]) -> list[tuple[Part, ...]]:
    """The parts of every line. Raises ObjectError that names the line and the attribute."""
    lines = objects.get(uri).path.read_bytes().split(b"\n")
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not filled:
        raise ObjectError("the augmented manifest has no lines")
    return [_parts(objects, _object(line, number), number, attributes) for number, line in filled]


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ObjectError(f"line {number} of the augmented manifest is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ObjectError(f"line {number} of the augmented manifest: a JSON object is expected, not {line[:80]!r}")
    return value


def _parts(objects: Objects, value: dict[str, Any], number: int, attributes: Sequence[str]) -> tuple[Part, ...]:
    for name in attributes:
        if name not in value:
            raise ObjectError(f"line {number} of the augmented manifest has no attribute {name!r}")
    return tuple(_part(objects, name, value[name], number) for name in attributes)


def _part(objects: Objects, name: str, value: Any, number: int) -> Part:
    if not name.endswith(_REFERENCE):
        return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
    if not isinstance(value, str):
        raise ObjectError(f"line {number} of the augmented manifest: {name!r} must be an S3 URI, not {value!r:.80}")
    try:
        return objects.get(value)
    except ObjectError as error:
        raise ObjectError(f"line {number} of the augmented manifest: {name!r}: {error}") from error
