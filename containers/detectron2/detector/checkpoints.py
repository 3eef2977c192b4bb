"""Files of a training: the best weights for serving, the whole state for going on after an interruption."""

import os
from pathlib import Path
from typing import Any

import torch
from detectron2.checkpoint import DetectionCheckpointer
from sagemaker_contract import UserError

STATE = "last.pth"


def save_weights(model: torch.nn.Module, path: Path) -> None:
    """The model's weights alone, written whole or not at all."""
    _save({"model": model.state_dict()}, path)


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """All that training needs to go on, written whole or not at all."""
    _save(state, folder / STATE)


def load_state(folder: Path) -> dict[str, Any] | None:
    """The state saved in `folder`, None if there is none. Raises UserError when it cannot be read."""
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the broken bytes lead to
        raise UserError(f"{path}: not a checkpoint ({error}); empty the folder to start anew") from error


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Put weights of the zoo or of an earlier job into the model; what has another shape keeps its own."""
    DetectionCheckpointer(model).load(str(path))


def _save(content: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(content, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
