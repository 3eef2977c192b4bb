"""What a serving container runs for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_sagemaker.aws.cloudwatch import LogStream


@dataclass(frozen=True)
class Serving:
    """What a container serves for: an endpoint's production variant, or a transform job.

    ``title`` is what failures call it, ``log_hint`` where they send the reader; ``definition`` is the model's
    ContainerDefinition, ``environ`` adds to its Environment; ``startup`` is how many seconds the program has
    until /ping answers 200.
    """

    title: str
    log_hint: str
    root: Path
    log: LogStream
    definition: Mapping[str, Any]
    environ: Mapping[str, str] = field(default_factory=dict)
    startup: float = 240.0
