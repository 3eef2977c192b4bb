"""An override of a `pipeline.config`: a text of the same form that names only what is to change."""

from __future__ import annotations

from lab_utils.tfod.textproto import Field, Message, parse

_REPEATED = {"data_augmentation_options", "input_path", "schedule"}  # what an override says of these is added
_ONE_KIND = {  # each holds one message of several kinds, and another kind takes its place
    "anchor_generator",
    "classification_loss",
    "first_stage_anchor_generator",
    "image_resizer",
    "learning_rate",
    "localization_loss",
    "model",
    "optimizer",
}


def overridden(config: Message, text: str, where: str = "override") -> Message:
    """A copy of the configuration with the text's fields, as the training program's `--override` takes them.

    Args:
        config: what `textproto.parse` or `pipeline.build` made.
        text: such as `train_config { batch_size: 1 }`.
        where: what to call the text in errors.

    Raises:
        DataError: not the text form; with line and column.
    """
    made = parse(str(config))
    _merge(made, parse(text, where), "")
    return made


def _merge(into: Message, changes: Message, name: str) -> None:
    """Put the fields of `changes` into the message called `name`."""
    for change in changes.fields:
        found = into.find(change.name)
        if name in _ONE_KIND and isinstance(change.value, Message):
            into.fields = [f for f in into.fields if f is found or not isinstance(f.value, Message)]
        if found is None or change.name in _REPEATED:
            into.fields.append(Field(change.name, change.value))
        elif isinstance(found.value, Message) and isinstance(change.value, Message):
            _merge(found.value, change.value, change.name)
        else:
            found.value = change.value
