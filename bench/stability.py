"""Many short trainings of the gluoncv image in a row, and how many of them completed: MXNet can crash at random."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import lab_utils
import local_sagemaker
from bench.table import Row
from bench.training import train
from lab_utils import channels, prepare
from lab_utils.jobs import TrainingFailedError
from lab_utils.session import LabSession

RUNS = 20
HYPERPARAMETERS = {"epochs": "2", "batch-size": "8", "eval-period": "2"}  # as Lab 02's smoke profile


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="signal-labs-") as home, patch.dict(os.environ, {"LABS_HOME": home}):
        try:
            return _rows(lab_utils.connect(workspace=Path(home, "sagemaker")))
        finally:
            local_sagemaker.stop(Path(home, "sagemaker"))


def _rows(lab: LabSession) -> list[Row]:
    image = lab_utils.build_image(lab, "gluoncv")
    data = channels.channels(lab, prepare.prepare(lab, "synthetic", profile="smoke"))
    completed = sum(_completes(lab, image, data, f"stability-{number}") for number in range(RUNS))
    return [Row(f"gluoncv: smoke trainings completed, of {RUNS}", [completed], "", f"{RUNS}")]


def _completes(lab: LabSession, image: str, data: dict[str, str], name: str) -> bool:
    try:
        return train(lab, image, data, name, HYPERPARAMETERS).description["TrainingJobStatus"] == "Completed"
    except TrainingFailedError as error:
        print(error)
        return False
