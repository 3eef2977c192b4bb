"""What a request may ask of a detector's answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sagemaker_contract import UserError

PREFIX = "SIGNAL_LABS_"  # of the environment variables that set the defaults of `Options`


@dataclass(frozen=True)
class Options:
    """`score_threshold`: boxes scored lower are left out; `agnostic_nms`: IoU above which the worse of two
    boxes goes whatever their classes, 0 = within a class only."""

    score_threshold: float = 0.0
    agnostic_nms: float = 0.0

    def updated(self, texts: Mapping[str, str]) -> "Options":
        """With the values that `texts` has for these names. Raises UserError for what is not within 0 to 1."""
        return replace(self, **{name: _share(name, texts[name]) for name in vars(self) if texts.get(name)})


def defaults(variables: Mapping[str, str]) -> Options:
    """As the environment's variables say. Raises UserError."""
    return Options().updated({name.removeprefix(PREFIX).lower(): value for name, value in variables.items()})


def _share(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f"{name}: {text!r}, expected a number within 0 to 1")
    return value
