"""Where a model's first weights come from: an archive of the zoo, a folder, or an earlier job's model.tar.gz.

All three have the same layout: pipeline.config and checkpoint/ckpt-0.*.
"""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

from detection.weights import cache_dir, download, unpack
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig
from sagemaker_contract import UserError

from . import config, label_map
from .names import CHECKPOINT, LABELS, PIPELINE


@dataclass(frozen=True)
class Weights:
    """A checkpoint (its path without `.index`), the configuration it belongs to, the class names if they are known."""

    checkpoint: str
    config: TrainEvalPipelineConfig
    classes: list[str] | None


def resolve(arguments: argparse.Namespace) -> Weights | None:
    """What `--weights` means, downloaded and unpacked if need be; None to train from scratch. Raises UserError."""
    wanted = arguments.weights or ("model" if arguments.model_channel else "")
    if not wanted:
        return None
    index = unpack(_folder(wanted, arguments), CHECKPOINT)
    root = index.parents[1]
    labels = root / LABELS
    classes = label_map.read(labels) if labels.is_file() else None
    return Weights(str(index.with_suffix("")), config.read(root / PIPELINE), classes)


def use(wanted: Weights, job: TrainEvalPipelineConfig, classes: list[str]) -> str:
    """Set the configuration's first weights; returns a line about them. Raises UserError if they are of another model.

    An earlier job's model of the same classes is taken whole, else all but the layers that tell classes apart.
    """
    theirs, ours = (config.model_of(each).feature_extractor for each in (wanted.config, job))
    for name in ("type", "depth_multiplier"):
        if hasattr(ours, name) and getattr(theirs, name) != getattr(ours, name):
            raise UserError(
                f"{wanted.checkpoint}: weights of a feature extractor of {name} {getattr(theirs, name)!r}, the job"
                f" trains {getattr(ours, name)!r}"
            )
    whole = wanted.classes == classes
    train = job.train_config
    train.fine_tune_checkpoint, train.fine_tune_checkpoint_type = wanted.checkpoint, "full" if whole else "detection"
    return f"weights: {wanted.checkpoint}; new: {'none' if whole else 'the layers that predict'}"


def _folder(wanted: str, arguments: argparse.Namespace) -> Path:
    if wanted == "model":
        if not arguments.model_channel:
            raise UserError("--weights model: the job has no channel 'model'")
        return Path(arguments.model_channel)
    if wanted.startswith(("http://", "https://")):
        folder = cache_dir() / hashlib.sha256(wanted.encode()).hexdigest()[:12]
        download(wanted, folder, arguments.weights_sha256)
        return folder
    if not Path(wanted).is_dir():
        raise UserError(f"--weights {wanted}: no such folder")
    return Path(wanted)
