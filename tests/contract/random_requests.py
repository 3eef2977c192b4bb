"""Requests after botocore's shapes: right, nearly right and broken, with names of what exists and what does not."""

import base64
from typing import Any

from botocore.model import Shape, StructureShape
from hypothesis import strategies as st

from local_sagemaker.api import model
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import AwsError

NAMES = [
    "alpha",
    "alpha",
    "beta",
    "missing",
    "a" * 63,
    "a" * 64,
    "-bad-",
    "a.b",
    "..",
    "../up",
    "",
    "ünï",
    "a/1",
    "a\n",
]
NUMBERS = [0, 1, 2, 3, 5, 60, 100, 3600, -1, 101, 10**6, 2**31, 10**30]
FLOATS = [0.0, 0.5, 1.0, 100.0, -1.0, 1e308, -1e308, 1e-308, 5]
TIMES = [0, 1.5e9, 4e9, -1, 1e18, "2026-01-01T00:00:00Z", "yesterday", ""]
TEXTS = ["", "a", "1", "0.5", "text/csv", "train:loss", "loss", "Linear", "(", "$", "$['a']", "☃", "\x00", "x" * 3000]
PATHS = ["/opt/ml/checkpoints", "/opt/ml/processing/in", "/etc", "/opt/ml/../../etc", "/opt/ml/input/config", "", "x"]
TOKENS = ["", "x", "???", base64.b64encode(b"at:1").decode(), base64.b64encode(b"at:-5").decode(), "YXQ6" * 3]
WRONG: list[Any] = [None, True, False, 0, -1, 1.5, "", "text", [], [None], {}, {"a": None}, [[]], {"": ""}]
DEFINITIONS = [
    "", "{}", "[]", "not json", '{"Version": "2020-12-01", "Steps": []}',
    '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {}}]}',
    '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "a"}}}]}',
    '{"Version": "2020-12-01", "Parameters": 5, "Steps": {}}',
    '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Training", "Arguments": {"RoleArn": []}}]}',
    '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Condition", "Arguments": {"Conditions": [1]}}]}',
]  # fmt: skip
MAX_DEPTH = 7  # below it only what a shape requires


class Requests:
    """Strategies for one server; ``bucket`` exists, and so do the ARNs."""

    def __init__(self, operations: Operations, bucket: str, role: str, arns: list[str]) -> None:
        account = role.split(":")[4]
        elsewhere = f"arn:aws:sagemaker:us-east-1:{account}:training-job/missing"
        self._operations = operations
        uris = [
            f"s3://{bucket}/fuzz/", f"s3://{bucket}/fuzz/a.txt", f"s3://{bucket}/missing/", f"s3://{bucket}",
            "s3://no-such-bucket/x", "s3://", f"s3://{bucket}/../../x", "https://bucket/x", "file:///etc/passwd",
        ]  # fmt: skip
        arns = [*arns, elsewhere, elsewhere.replace("us-east-1", "eu-west-1"), role + "X", "arn:", "arn:aws:x"]
        self._palettes = (
            ("RoleArn", [role, role, role + "X"]), ("Arn", arns), ("Uri", uris), ("Url", uris), ("S3OutputPath", uris),
            ("Path", PATHS), ("NextToken", TOKENS), ("Image", ["tiny", "trainonly", "registry/other:1", ""]),
            ("MetricName", ["loss", "other"]), ("Name", NAMES), ("PipelineDefinition", DEFINITIONS),
            ("Entrypoint", ["true", "false", "/no/such"]), ("Arguments", ["a", ""]), ("ResourceId", arns),
        )  # fmt: skip

    def random(self, operation: str) -> st.SearchStrategy[Any]:
        """Anything that the operation's shape suggests."""
        shape = model.operation(operation).input_shape
        return st.just({}) if shape is None else members(self, shape, self._operations.emulated(operation), 0)

    def mutated(self, operation: str, request: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        """``request`` for a new name, with one or two members replaced, removed or added, at any depth."""
        shape, spec = model.operation(operation).input_shape, self._operations.emulated(operation)
        name = operation.removeprefix("Create") + "Name"
        made = [{**request, name: f"made-{n}"} if name in request else request for n in range(6)]
        return st.sampled_from([*made, request]).flatmap(lambda request: mutation(self, shape, spec, request))

    def value(self, name: str, shape: Shape, spec: Emulated, depth: int) -> st.SearchStrategy[Any]:
        """A value for a member; now and then of the wrong type."""
        right = self._right(name, shape, spec, depth)
        return st.integers(0, 59).flatmap(lambda die: right if die else st.sampled_from(WRONG))

    def _right(self, name: str, shape: Shape, spec: Emulated, depth: int) -> st.SearchStrategy[Any]:
        kind = shape.type_name
        if kind == "structure":
            return members(self, shape, spec, depth)
        if kind == "list":
            low = min(shape.metadata.get("min", 0), 3)
            return st.lists(self.value(name, shape.member, spec, depth + 1), min_size=low, max_size=max(low, 2))
        if kind == "map":
            values = self.value(name, shape.value, ANY, depth + 1)
            return st.dictionaries(self._leaf(name, shape.key), values, max_size=2)
        return st.sampled_from(sorted(spec, key=str)) if isinstance(spec, set) else self._leaf(name, shape)

    def _leaf(self, name: str, shape: Shape) -> st.SearchStrategy[Any]:
        """What fits the shape, if anything of the palette does, and sometimes what does not."""
        palette = self._palette(name, shape)
        fitting = [value for value in palette if fits(shape, value)] or palette
        return st.integers(0, 19).flatmap(lambda die: st.sampled_from(fitting if die else palette))

    def _palette(self, name: str, shape: Shape) -> list[Any]:
        kind = shape.type_name
        if kind == "boolean":
            return [True, False]
        if kind == "timestamp":
            return TIMES
        if kind in ("integer", "long"):
            return NUMBERS + [shape.metadata[end] for end in ("min", "max") if end in shape.metadata]
        if kind in ("float", "double"):
            return FLOATS
        if shape.metadata.get("enum"):
            return [*shape.metadata["enum"], "Nonsense"]
        return next((palette for ending, palette in self._palettes if name.endswith(ending)), TEXTS)


@st.composite
def members(draw: st.DrawFn, requests: Requests, shape: StructureShape, spec: Emulated, depth: int) -> dict[str, Any]:
    """A structure with what it requires, some of what is emulated, seldom something that is not."""
    known = shape.members if spec == ANY or draw(st.integers(0, 29)) == 0 else spec
    chance = 3 if shape.metadata.get("union") or depth < MAX_DEPTH else 0
    kept = [
        name for name in shape.members
        if name in shape.required_members or (chance and name in known and draw(st.integers(0, chance)) == 0)
    ]  # fmt: skip
    if kept and draw(st.integers(0, 59)) == 0:
        kept.pop()
    inner = spec if isinstance(spec, dict) else {}
    return {name: draw(requests.value(name, shape.members[name], inner.get(name, ANY), depth + 1)) for name in kept}


@st.composite
def mutation(
    draw: st.DrawFn, requests: Requests, shape: StructureShape, spec: Emulated, request: dict[str, Any]
) -> dict[str, Any]:
    """``request`` with one or two members changed."""
    changed, inner = dict(request), spec if isinstance(spec, dict) else {}
    names = sorted(inner) or sorted(shape.members)
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)):
        member, present = shape.members[name], changed.get(name)
        if isinstance(present, dict) and member.type_name == "structure" and draw(st.integers(0, 3)):
            changed[name] = draw(mutation(requests, member, inner.get(name, ANY), present))
        elif present is not None and draw(st.integers(0, 5)) == 0:
            del changed[name]
        else:
            changed[name] = draw(requests.value(name, member, inner.get(name, ANY), 1))
    return changed


def fits(shape: Shape, value: Any) -> bool:
    try:
        model.check(shape, value)
    except AwsError:
        return False
    return True
