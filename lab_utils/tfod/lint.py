"""A linter for TFOD's `pipeline.config`: what would train wrongly or not at all, found before it costs hours.

TFOD itself checks little: a label above `num_classes` trains as background, a schedule longer than the training never
decays, and a wrong path shows after the machine has started. The defaults are those of TFOD 2.8's `.proto` files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lab_utils.errors import ConfigError, DataError
from lab_utils.tfod import lint_files, lint_model, lint_schedule
from lab_utils.tfod.finding import Context, Finding
from lab_utils.tfod.textproto import Message, parse

DEVICES = ("cpu", "gpu", "tpu")
_SECTIONS = ("model", "train_config", "train_input_reader", "eval_config", "eval_input_reader")
_ORDER = {"error": 0, "warning": 1, "note": 2}


def lint(
    path: str | Path,
    *,
    steps: int | None = None,
    device: str = "gpu",
    mapping: Mapping[str, str] | None = None,
    extractors: Iterable[str] = (),
) -> list[Finding]:
    """Check a configuration; the findings, errors first.

    Args:
        path: the file.
        steps: training steps where the command line sets them (`--num_train_steps`); None: the file's `num_steps`.
        device: what trains: "cpu", "gpu" or "tpu".
        mapping: how paths begin on the training machine -> the folder here, such as
            `{"/opt/ml/input/data/training": "data/records"}`; paths below `/opt/ml` and buckets that it does not name
            are noted and not followed.
        extractors: feature extractors that the training program adds to TFOD's.

    Raises:
        DataError: not the text form of a configuration; with line and column.
        ConfigError: no such device.
    """
    if device not in DEVICES:
        raise ConfigError(f"device={device!r}: expected one of {', '.join(DEVICES)}")
    try:
        config = parse(Path(path).read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    given = steps if steps is not None else config.get("train_config.num_steps", 0)
    context = Context(config, given, device, dict(mapping or {}), frozenset(extractors))
    found = [*_sections(context), *lint_model.check(context), *lint_schedule.check(context), *lint_files.check(context)]
    return sorted(found, key=lambda finding: (_ORDER[finding.severity], finding.line))


def _sections(context: Context) -> Iterator[Finding]:
    for f in context.config.fields:
        if f.name not in (*_SECTIONS, "graph_rewriter"):
            fix = f"one of {', '.join(_SECTIONS)}"
            yield Finding("error", f.name, "", "no part of a pipeline.config", fix, f.line)
    for name in _SECTIONS:
        if not isinstance(context.config.get(name), Message):
            severity = "warning" if name.startswith("eval") else "error"
            yield Finding(severity, name, "missing", "this part is missing", f"add {name} {{ ... }}")
