"""A read-only snapshot of what SageMaker tells a training program: /opt/ml and the SM_* variables."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from .errors import UserError

DEFAULT_BASE = "/opt/ml"


@dataclass(frozen=True)
class Environment:
    """Where a job's files are and who takes part in it.

    `base` is /opt/ml or wherever SAGEMAKER_BASE_DIR puts it; `channels` maps a channel's name to its folder, and
    `channel_configs` to what inputdataconfig.json says of it (ContentType, TrainingInputMode ...);
    `hyperparameters` are the job's, every value a string; `hosts` are sorted, `current_host` is one of them.
    """

    base: Path
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, Path] = field(default_factory=dict)
    channel_configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hosts: Tuple[str, ...] = ("algo-1",)
    current_host: str = "algo-1"
    network_interface: str = "eth0"
    num_gpus: Optional[int] = None
    job_name: str = ""

    @classmethod
    def load(cls, base: Optional[str] = None, variables: Mapping[str, str] = os.environ) -> "Environment":
        """Read the snapshot below `base` (default: SAGEMAKER_BASE_DIR, else /opt/ml).

        Raises UserError when a configuration file is not JSON.
        """
        root = Path(base or variables.get("SAGEMAKER_BASE_DIR") or DEFAULT_BASE)
        resource = _read_object(root / "input/config/resourceconfig.json")
        hosts = tuple(sorted(resource.get("hosts", ["algo-1"])))
        inputs = _read_object(root / "input/config/inputdataconfig.json")
        gpus = variables.get("SM_NUM_GPUS", "")
        return cls(
            base=root,
            hyperparameters={
                name: str(value) for name, value in _read_object(root / "input/config/hyperparameters.json").items()
            },
            channels=_channels(root, inputs, variables),
            channel_configs={name: config or {} for name, config in inputs.items()},
            hosts=hosts,
            current_host=resource.get("current_host", hosts[0]),
            network_interface=resource.get("network_interface_name", "eth0"),
            num_gpus=int(gpus) if gpus.isdigit() else None,
            job_name=variables.get("TRAINING_JOB_NAME", ""),
        )

    @property
    def model_dir(self) -> Path:
        """What becomes model.tar.gz; at serving time the unpacked model."""
        return self.base / "model"

    @property
    def checkpoint_dir(self) -> Path:
        """Kept in step with the job's CheckpointConfig; there again when the job is restarted."""
        return self.base / "checkpoints"

    @property
    def output_data_dir(self) -> Path:
        """What becomes output.tar.gz."""
        return self.base / "output/data"

    @property
    def failure_file(self) -> Path:
        """Its first 1,024 characters become the job's FailureReason."""
        return self.base / "output/failure"

    @property
    def message_file(self) -> Path:
        """Its first 1,024 characters become a processing job's ExitMessage."""
        return self.base / "output/message"

    @property
    def host_rank(self) -> int:
        """This host's place among the hosts, from 0."""
        return self.hosts.index(self.current_host)


def _channels(root: Path, inputs: Mapping[str, Any], variables: Mapping[str, str]) -> Dict[str, Path]:
    """From inputdataconfig.json; SM_CHANNEL_<NAME> says where a channel lies if it is not the usual place."""
    names = inputs or _folders(root / "input/data")
    channels = {name: root / "input/data" / name for name in names}
    prefix = "SM_CHANNEL_"
    for variable, folder in variables.items():
        if variable.startswith(prefix):
            channels[variable[len(prefix) :].lower()] = Path(folder)
    return channels


def _folders(parent: Path) -> Dict[str, Any]:
    return {folder.name: None for folder in sorted(parent.iterdir())} if parent.is_dir() else {}


def _read_object(path: Path) -> Dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content
