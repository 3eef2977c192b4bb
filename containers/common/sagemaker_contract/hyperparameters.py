"""Hyperparameters as a command line, so that a program has one parser for both."""

import json
from typing import List, Mapping

# Set by SageMaker's own tooling, not by the user.
RESERVED = ("sagemaker_", "_tuning_objective_metric")


def to_argv(hyperparameters: Mapping[str, str]) -> List[str]:
    """`{"lr": "0.1", "num_iter": "9"}` to `["--lr=0.1", "--num-iter=9"]`.

    SageMaker passes strings only. The SDK encodes values as JSON before, so `"\\"giou\\""` means `giou`;
    lists and objects stay JSON text for the argument's own parser.
    """
    return [
        f"--{name.replace('_', '-')}={decoded(value)}"
        for name, value in hyperparameters.items()
        if not name.startswith(RESERVED)
    ]


def decoded(value: str) -> str:
    """The text a value stands for: a quoted JSON string loses its quotes, everything else is left alone."""
    try:
        content = json.loads(value)
    except ValueError:
        return value
    return content if isinstance(content, str) else value
