"""The edge example on this machine: time a picture and AP50, for float and int8 with 1, 2 and 4 threads.

The model is trained by a job as the lab trains it, and measured on held-out sequences.
"""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import lab_utils
import local_sagemaker
from bench.table import Row
from bench.training import train
from lab_utils import channels, metrics, prepare, s3
from lab_utils.dataset import DetectionDataset
from lab_utils.session import LabSession
from lab_utils.tfod import edge

KINDS, THREADS = ("float", "int8"), (1, 2, 4)
HYPERPARAMETERS = {"num-steps": "900", "eval-period": "300"}


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as home, patch.dict(os.environ, {"LABS_HOME": home}):
        try:
            lab = lab_utils.connect(workspace=Path(home, "sagemaker"))
            name = prepare.prepare(lab, "synthetic", profile="laptop")
            archive = _archive(lab, name, Path(home))
            return measure(archive, channels.fetch(lab, name, "test"), Path(home))
        finally:
            local_sagemaker.stop(Path(home, "sagemaker"))


def measure(archive: Path, dataset: DetectionDataset, folder: Path) -> list[Row]:
    """Rows for a job's model.tar.gz on a data set; `folder` gets the example's files."""
    rows, precision = [], {}
    for kind in KINDS:
        device = edge.copy_model(archive, folder / kind, kind)
        for threads in THREADS:
            predictions, milliseconds = edge.detect(device, dataset, threads=threads)
            goal = "<= 30 ms" if (kind, threads) == ("int8", 2) else ""
            rows.append(Row(f"edge: a picture, {kind}, {threads} thread(s)", milliseconds.tolist(), "ms", goal))
        precision[kind] = metrics.evaluate(dataset, predictions).ap50
        rows.append(Row(f"edge: AP50 on held-out sequences, {kind}", [precision[kind]], "", ">= 0.8"))
    loss = precision["float"] - precision["int8"]
    return [*rows, Row("edge: AP50 that int8 loses", [loss], "", "<= 0.05")]


def _archive(lab: LabSession, name: str, folder: Path) -> Path:
    image = lab_utils.build_image(lab, "tfod")
    trained = train(lab, image, channels.channels(lab, name), "edge", HYPERPARAMETERS)
    s3.download(lab, trained.model_data.rsplit("/", 1)[0], folder / "model")
    return folder / "model/model.tar.gz"
