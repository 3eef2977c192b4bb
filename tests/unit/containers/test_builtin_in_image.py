"""The built-in algorithm's programs in their environment: whole jobs on made-up pictures."""

import io
import json
import re
import shutil
import subprocess
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from unit.containers import mxnet_jobs
from unit.containers.conftest import CONTAINERS
from unit.containers.made import configure
from unit.containers.mxnet_jobs import variables
from unit.containers.programs import finish, free_port, invoke, summary

from lab_utils.dataset import DetectionDataset
from lab_utils.formats import recordio, sagemaker_json
from local_sagemaker import images

pytestmark = pytest.mark.environment
TINY = {"num_classes": "2", "base_network": "small", "optimizer": "adam", "learning_rate": "0.001", "epochs": "2"}
TINY = {**TINY, "mini_batch_size": "4", "num_training_samples": "8"}
METRICS = tomllib.loads((CONTAINERS / "images.toml").read_text())["images"]["object-detection"]["metrics"]
FILES = ["model-0000.params", "model-symbol.json", "model.json", "model_best.params", "training_summary.json"]


@pytest.fixture(scope="session")
def image_python() -> Path:
    """The Python of the image's environment, built when it is not there."""
    return images.build(CONTAINERS / "images.toml", "object-detection")


start = partial(mxnet_jobs.start, program="object_detection/train.py")


def squares(folder: Path, count: int) -> DetectionDataset:
    """Dark pictures with a bright square or bar on all but the first."""
    import pandas as pd

    rng = np.random.default_rng(count)
    folder.mkdir(parents=True)
    boxes = []
    for number in range(count):
        pixels = rng.integers(0, 40, (64, 96, 3), dtype=np.uint8)
        if number:
            width, height = ((16, 16), (32, 10))[number % 2]
            left, top = int(rng.integers(0, 96 - width)), int(rng.integers(0, 64 - height))
            pixels[top : top + height, left : left + width] = 230
            boxes.append((number, number % 2, left, top, width, height))
        Image.fromarray(pixels).save(folder / f"{number}.png")
    names = [f"{i}.png" for i in range(count)]
    frame = pd.DataFrame({"image_id": range(count), "file_name": names, "width": 96, "height": 64})
    columns = ["image_id", "class_id", "xmin", "ymin", "width", "height"]
    return DetectionDataset.from_frames(frame, pd.DataFrame(boxes, columns=columns), ["square", "bar"], root=folder)


@pytest.fixture
def job(base: Path, tmp_path: Path) -> Path:
    """A job with JSON files for 8 pictures, 4 for validation."""
    splits = {"training": squares(tmp_path / "a", 8), "validation": squares(tmp_path / "b", 4)}
    sagemaker_json.write_channels(splits, base / "input/data")
    kind = {"TrainingInputMode": "File", "ContentType": "image/png"}
    names = ("train", "validation", "train_annotation", "validation_annotation")
    configure(base, hyperparameters=TINY, inputdataconfig=dict.fromkeys(names, kind))
    return base


def test_the_networks(image_python: Path, tmp_path: Path) -> None:
    check = Path(__file__).parent / "in_builtin/check_networks.py"
    done = subprocess.run([image_python, check], env=variables(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def scraped(log: str, metric: str) -> list[float]:
    return [float(value) for value in re.findall(METRICS[metric], log)]


def test_a_job_then_one_that_goes_on_with_recordio(image_python: Path, job: Path, tmp_path: Path) -> None:
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "INFO" in (first := log.splitlines()[0])
    assert "Local equivalent of SageMaker's built-in object-detection" in first
    assert sorted(path.name for path in (job / "model").iterdir()) == FILES
    for metric in ("train:cross_entropy", "train:smooth_l1", "validation:mAP", "train:throughput"):
        assert len(scraped(log, metric)) == 2, metric
    assert scraped(log, "train:progress") == [50, 100]
    assert scraped(log, "validation:mAP") == pytest.approx([row["voc12"] for row in summary(job)["evaluations"]], 1e-4)
    anchors = json.loads((job / "model/model.json").read_text())["anchors"]

    shutil.copytree(job / "model", job / "input/data/model")
    for channel in ("train", "validation"):
        split = squares(tmp_path / f"more-{channel}", 8)
        recordio.write(split, job / f"input/data/{channel}/x.rec")
    kind = {"TrainingInputMode": "File", "ContentType": "application/x-recordio"}
    configure(job, inputdataconfig={"train": kind, "validation": kind, "model": {}})
    configure(job, hyperparameters={**TINY, "num_training_samples": "9", "lr_scheduler_step": "1"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "tensors of the earlier model, new: none" in log
    assert "num_training_samples is 9, but channel train has 8 pictures" in log
    assert json.loads((job / "model/model.json").read_text())["anchors"] == anchors

    configure(job, hyperparameters={**TINY, "num_classes": "3"})
    code, log = finish(start(image_python, job))
    assert code == 2
    assert (job / "output/failure").read_text() == (
        "channel model: num_classes of the earlier job was 2, now it is 3: it must be the same"
    )


def test_a_documented_network_trains_and_stops_early(image_python: Path, job: Path) -> None:
    """A rate of almost nothing brings nothing better."""
    stopping = {"early_stopping": "True", "early_stopping_min_epochs": "1", "early_stopping_patience": "1"}
    network = {"base_network": "resnet-50", "use_pretrained_model": "0", "learning_rate": "0.0000001"}
    rest = {"mini_batch_size": "8", "epochs": "5", "freeze_layer_pattern": ".*stage1", "kv_store": "dist_async"}
    configure(job, hyperparameters={**TINY, **stopping, **network, **rest})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "Early stopping condition met" in log
    assert "kv_store dist_async: the local equivalent keeps its hosts in step" in log
    assert "tensors of the base network stay as they are" in log
    assert json.loads((job / "model/model.json").read_text())["letter_box"]["squash"] is True


def test_a_mistake_ends_the_job_before_the_frameworks_are_imported(image_python: Path, job: Path) -> None:
    configure(job, hyperparameters={**TINY, "learning_rate": "2"})
    code, log = finish(start(image_python, job))
    assert code == 2
    reason = "hyperparameter learning_rate: '2', expected a number above 0 and up to 1"
    assert (job / "output/failure").read_text() == reason
    assert "Traceback" not in log


def test_an_endpoint_answers_as_documented(image_python: Path, job: Path) -> None:
    code, log = finish(start(image_python, job))
    assert code == 0, log
    port = free_port()
    process = start(
        image_python,
        job,
        program="object_detection/serve.py",
        SAGEMAKER_BIND_HOST="127.0.0.1",
        SAGEMAKER_BIND_TO_PORT=port,
    )
    assert process.stdout is not None
    while "Booting worker" not in process.stdout.readline():
        assert process.poll() is None
    stream = io.BytesIO()
    Image.open(job / "input/data/validation/1.png").convert("RGB").resize((192, 100)).save(stream, "JPEG")
    status, answer = invoke(f"http://127.0.0.1:{port}", stream.getvalue(), "image/jpeg")
    assert (status, list(answer)) == (200, ["prediction"])
    rows = np.array(answer["prediction"])
    assert rows.shape == (len(rows), 6)
    assert len(rows)
    assert set(rows[:, 0]) <= {0.0, 1.0}
    assert (np.diff(rows[:, 1]) <= 0).all()
    assert ((rows[:, 2:] >= 0) & (rows[:, 2:] <= 1)).all()
    assert (rows[:, 2:4] <= rows[:, 4:]).all()
    assert invoke(f"http://127.0.0.1:{port}", b"[]", "application/json")[0] == 415
    process.terminate()
    assert finish(process)[0] == 0
