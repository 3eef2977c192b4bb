"""A job's channels, in whichever of the algorithm's three input formats they come.

Source: "Input/Output Interface for the Object Detection Algorithm" in SageMaker's documentation. `train` and
`validation` hold RecordIO files (File or Pipe), an augmented manifest (Pipe), or pictures, which have their JSON files
in `train_annotation` and `validation_annotation` (File). `model` may hold an earlier job's artifact.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detection.datasets import Data
from sagemaker_contract import Environment, UserError

from . import json_files, streams
from .hyperparameters import Settings

SPLITS = ("train", "validation")
RECORDIO, IMAGES = "application/x-recordio", ("image/jpeg", "image/png", "application/x-image")


def load(environment: Environment, settings: Settings) -> Data:
    """Read and check all records. Raises UserError naming channel, record and field of the first mistake."""
    for split in SPLITS:
        if split not in environment.channels:
            raise UserError(f"the job has no channel {split!r}, expected train and validation")
    scratch = Path(tempfile.mkdtemp(prefix="pictures-"))
    found = {split: _read(split, environment, settings, scratch / split) for split in SPLITS}
    for split, records in found.items():
        if not any(record["annotations"] for record in records):
            raise UserError(f"channel {split}: no box in {len(records)} pictures")
    _check_first_class(found["train"])
    return Data([f"class {i}" for i in range(settings.num_classes)], found["train"], found["validation"])


def _read(split: str, environment: Environment, settings: Settings, scratch: Path) -> list[dict[str, Any]]:
    folder, config = environment.channels[split], environment.channel_configs.get(split, {})
    if config.get("S3DistributionType") == "ShardedByS3Key":
        raise UserError(f"channel {split}: ShardedByS3Key, expected FullyReplicated: each epoch is shared out here")
    kind, piped = config.get("ContentType", ""), config.get("TrainingInputMode") == "Pipe"
    if kind in IMAGES and not piped:
        annotations = environment.channels.get(f"{split}_annotation")
        if annotations is None:
            raise UserError(f"the job has no channel '{split}_annotation', which holds the boxes of {split}'s pictures")
        return json_files.read(folder, annotations, settings)
    if kind != RECORDIO:
        where = "piped " if piped else ""
        raise UserError(f"{where}channel {split}: content type {kind or '(none)'}, expected {_expected(piped)}")
    kept = streams.Kept(scratch)
    if piped:
        _read_pipe(split, folder, config, kept, settings)
    else:
        _read_files(split, folder, kept, settings)
    kept.close()
    return kept.records


def _read_pipe(split: str, folder: Path, config: Mapping[str, str], kept: streams.Kept, settings: Settings) -> None:
    keep = streams.keep_pairs if config.get("RecordWrapperType") == "RecordIO" else streams.keep_packed
    with folder.with_name(f"{folder.name}_0").open("rb") as stream:
        keep(stream, f"channel {split}", kept, settings)


def _read_files(split: str, folder: Path, kept: streams.Kept, settings: Settings) -> None:
    files = sorted(folder.rglob("*.rec"))
    if not files:
        raise UserError(f"channel {split}: no file *.rec")
    for file in files:
        with file.open("rb") as stream:
            positions = streams.keep_packed(stream, f"channel {split}: {file.relative_to(folder)}", kept, settings)
        streams.check_index(file, positions)


def _expected(piped: bool) -> str:
    return RECORDIO if piped else f"{RECORDIO}, {' or '.join(IMAGES[:2])}"


def _check_first_class(records: list[dict[str, Any]]) -> None:
    """Refuse class ids that begin at 1, which no range shows when num_classes is one too large."""
    used = {box["category_id"] for record in records for box in record["annotations"]}
    if used == set(range(1, max(used) + 1)) and len(used) > 1:
        raise UserError(f"channel train: class ids run from 1 to {max(used)}, expected from 0: subtract 1 from each")
