"""Where a tracker's first weights come from: a URL, a file or an earlier job's model.tar.gz."""

import argparse
import json
from pathlib import Path

from sagemaker_contract import UserError
from ssd import weights

from .names import CONFIG, PARAMS


def resolve(arguments: argparse.Namespace) -> Path | None:
    """The .params file that `--weights` means; None to train from scratch.

    Raises UserError when the earlier job that made them trained a network of another size.
    """
    path = weights.resolve(arguments, PARAMS)
    if path is None or not (path.parent / CONFIG).is_file():
        return path
    earlier = json.loads((path.parent / CONFIG).read_text(encoding="utf-8"))
    for name in ("width", "hidden"):
        if earlier[name] != getattr(arguments, name):
            raise UserError(f"{path}: of {name} {earlier[name]}, the job trains --{name} {getattr(arguments, name)}")
    return path
