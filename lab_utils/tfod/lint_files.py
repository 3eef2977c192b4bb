"""Checks of the files that a configuration names: records, label maps, the checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lab_utils.errors import DataError
from lab_utils.tfod import label_map
from lab_utils.tfod.finding import Context, Finding
from lab_utils.tfod.textproto import Message

_CHECKPOINT = "train_config.fine_tune_checkpoint"
_PLACEHOLDER = "PATH_TO_BE_CONFIGURED"


def check(context: Context) -> Iterator[Finding]:
    """Everything about files."""
    for reader in ("train_input_reader", "eval_input_reader"):
        if isinstance(context.config.get(reader), Message):
            yield from _label_map(context, f"{reader}.label_map_path")
            yield from _records(context, f"{reader}.tf_record_input_reader.input_path")
    yield from _labels(context)
    yield from _apart(context)
    yield from _checkpoint(context)


def _label_map(context: Context, path: str) -> Iterator[Finding]:
    yield from _named(context, path, "label_map.pbtxt")
    file = _here(context, path)
    if file is None:
        return
    if not file.is_file():
        yield context.finding("error", path, "no such file", "the path of the label map")
        return
    try:
        label_map.read(file)
    except DataError as error:
        yield context.finding("error", path, f"not a label map that TFOD reads: {error}", "put the label map right")


def _labels(context: Context) -> Iterator[Finding]:
    """`num_classes` against the ids of the label maps."""
    path = f"model.{context.kind}.num_classes"
    count = context.number(path, 0)
    maps = {reader: context.items(reader) for reader in ("train_input_reader", "eval_input_reader")}
    for reader, items in maps.items():
        above = [item for item in items or () if item.id > count]
        if above:
            what = ", ".join(f"{item.id} {item.name!r}" for item in above[:3])
            problem = f"{reader}'s label map has {what}: such boxes train as background and are scored as class 1"
            fix = f"{max(item.id for item in above)}, or number the classes 1 to {len(items or ())}"
            yield context.finding("error", path, problem, fix)
            return
        missing = sorted(set(range(1, int(count) + 1)) - {item.id for item in items}) if items else []
        if missing:
            problem = f"no class has id {missing[0]}: {len(missing)} of the model's outputs never train"
            yield context.finding("warning", path, problem, f"{len(items or ())}, with ids 1 to {len(items or ())}")
            return
    if all(maps.values()) and len(set(maps.values())) > 1:
        problem = "another label map than train_input_reader's: what is learnt is scored under other names"
        yield context.finding("error", "eval_input_reader.label_map_path", problem, "the same label map for both")


def _records(context: Context, path: str) -> Iterator[Finding]:
    values = _input_paths(context, path.partition(".")[0])
    yield from _named(context, path, "the TFRecord files")
    for value in values:
        file = context.here(value) if _PLACEHOLDER not in value else None
        found = [f for f in file.parent.glob(file.name) if f.is_file()] if file else []
        if file and not found:
            problem = f"no file of the name or pattern {value}"
            yield context.finding("error", path, problem, "the path of the TFRecord files")
        if empty := next((f for f in found if not f.stat().st_size), None):
            yield context.finding("error", path, f"{empty} is empty", "write the records again")


def _input_paths(context: Context, reader: str) -> list[str]:
    found = context.config.get(f"{reader}.tf_record_input_reader")
    values = [f.value for f in found.all("input_path")] if isinstance(found, Message) else []
    return [value for value in values if isinstance(value, str) and value]


def _apart(context: Context) -> Iterator[Finding]:
    train, evaluation = (_input_paths(context, f"{reader}_input_reader") for reader in ("train", "eval"))
    if set(train) & set(evaluation):
        problem = "what is trained on is also what is scored: the score says nothing of new images"
        path = "eval_input_reader.tf_record_input_reader.input_path"
        yield context.finding("error", path, problem, "records of other images")


def _checkpoint(context: Context) -> Iterator[Finding]:
    if not context.text(_CHECKPOINT):
        return
    yield from _named(context, _CHECKPOINT, "the checkpoint")
    file = _here(context, _CHECKPOINT)
    if file is None:
        return
    index = file.with_name(f"{file.name}.index")
    if file.suffix in (".index", ".meta") or ".data-" in file.name:
        problem = "a file of the checkpoint, where TFOD wants what their names have in common"
        yield context.finding("error", _CHECKPOINT, problem, f"{file.with_suffix('')}, without the ending")
    elif not index.is_file():
        inside = sorted(file.glob("**/*.index")) if file.is_dir() else []
        fix = str(inside[0].with_suffix("")) if inside else "the path of a checkpoint without .index"
        yield context.finding("error", _CHECKPOINT, f"no checkpoint: {index.name} is not there", fix)


def _named(context: Context, path: str, what: str) -> Iterator[Finding]:
    """A path that is missing, left to be filled in, or elsewhere."""
    value = context.text(path)
    if not value:
        yield context.finding("error", path, "no path", f"the path of {what}")
    elif _PLACEHOLDER in value:
        yield context.finding("error", path, "left to be filled in", f"the path of {what}")
    elif context.here(value) is None:
        fix = "to have it checked, say which folder here stands for it"
        yield context.finding("note", path, "not on this machine, not checked", fix)


def _here(context: Context, path: str) -> Path | None:
    value = context.text(path)
    return context.here(value) if value and _PLACEHOLDER not in value else None
