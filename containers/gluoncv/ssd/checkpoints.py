"""Files of a training: weights alone, and the whole state for going on after an interruption."""

import json
import os
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock
from sagemaker_contract import UserError

STATE = "last.npz"


def save_weights(network: HybridBlock, path: Path) -> None:
    """The network's weights, written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    network.save_parameters(str(temporary))
    temporary.replace(path)


def load_weights(network: HybridBlock, path: Path, body: str = "features.") -> tuple[int, list[str]]:
    """Put weights of the zoo or of an earlier job into the network, the names in whose body start with `body`.

    Returns how many tensors were taken, and the names of those that were missing or have another shape: they keep
    their first values. Raises UserError when the file cannot be read or nothing in it fits.
    """
    try:
        stored = mx.nd.load(str(path))
    except (mx.MXNetError, OSError) as error:
        raise UserError(f"{path}: not MXNet parameters") from error
    stored = {name.split(":", 1)[-1]: value for name, value in stored.items()} if isinstance(stored, dict) else {}
    own = network._collect_params_with_prefix()
    fitting = [name for name, parameter in own.items() if name in stored and stored[name].shape == parameter.shape]
    if not any(name.startswith(body) for name in fitting):
        raise UserError(f"{path}: no weights of this network's body")
    for name in fitting:
        own[name].set_data(stored[name])
    return len(fitting), sorted(set(own) - set(fitting))


def save_state(folder: Path, network: HybridBlock, trainer: mx.gluon.Trainer, meta: dict[str, Any]) -> None:
    """All that training needs to go on, written whole or not at all; `meta` is anything that JSON holds."""
    optimizer, temporary = (folder / f".{STATE}.{kind}.{os.getpid()}" for kind in ("optimizer", "whole"))
    trainer.save_states(str(optimizer))
    arrays = {f"weight/{name}": p.list_data()[0].asnumpy() for name, p in network._collect_params_with_prefix().items()}
    arrays["optimizer"] = np.frombuffer(optimizer.read_bytes(), np.uint8)
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with temporary.open("wb") as stream:
        np.savez(stream, **arrays)
    optimizer.unlink()
    temporary.replace(folder / STATE)


def load_state(folder: Path, network: HybridBlock, trainer: mx.gluon.Trainer) -> dict[str, Any] | None:
    """Put the state saved in `folder` back and return its `meta`; None if there is none. Raises UserError when it
    cannot be read or is of another network."""
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        with np.load(path) as stored:
            for name, parameter in network._collect_params_with_prefix().items():
                parameter.set_data(mx.nd.array(stored[f"weight/{name}"]))
            optimizer = folder / f".{STATE}.loading.{os.getpid()}"
            optimizer.write_bytes(stored["optimizer"].tobytes())
            trainer.load_states(str(optimizer))
            optimizer.unlink()
            return json.loads(stored["meta"].tobytes())
    except Exception as error:  # NumPy and MXNet raise whatever the broken bytes lead to
        raise UserError(
            f"{path}: not a checkpoint of this network ({error}); empty the folder to start anew"
        ) from error
