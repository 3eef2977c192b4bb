"""Training a tracker and following with it in the image's own environment: whole jobs on made-up clips."""

import csv
import json
import shutil
import signal
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from unit.containers.conftest import CONTAINERS
from unit.containers.made import configure, write_clips
from unit.containers.mxnet_jobs import start
from unit.containers.programs import finish, summary
from unit.tracking.test_real_video import BOX, FILM

from lab_utils.errors import DataError
from lab_utils.tracking import Video, track
from lab_utils.tracking.fusion import FusionTracker
from lab_utils.tracking.siamrpn import SiamRPN
from lab_utils.tracking.thresholds import Thresholds
from local_sagemaker import images

pytestmark = pytest.mark.environment
TINY = {
    "task": "tracking",
    "iterations": "4",
    "batch_size": "2",
    "hidden": "16",
    "search_side": "159",
    "instance_side": "191",
    "shift": "8",
    "eval_period": "2",
    "log_period": "2",
}
FILES = ["search.onnx", "siamrpn.params", "template.onnx", "tracker.json", "training_summary.json"]


@pytest.fixture(scope="session")
def image_python() -> Path:
    """The Python of the image's environment, built when it is not there."""
    return images.build(CONTAINERS / "images.toml", "gluoncv")


@pytest.fixture
def job(base: Path) -> Path:
    """A job on three clips, two for validation."""
    write_clips(base / "input/data/training", 3)
    write_clips(base / "input/data/validation", 2, seed=1)
    configure(base, hyperparameters=TINY)
    return base


@pytest.fixture(scope="module")
def trained(image_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The /opt/ml of a finished job."""
    base = tmp_path_factory.mktemp("trained")
    (base / "input/config").mkdir(parents=True)
    write_clips(base / "input/data/training", 3)
    configure(base, hyperparameters={**TINY, "iterations": "20", "eval_period": "20", "lr": "0.003"})
    code, log = finish(start(image_python, base))
    assert code == 0, log
    return base


@pytest.fixture
def processing(trained: Path, base: Path) -> Path:
    """The /opt/ml of a processing job with that model and a clip of its own."""
    (base / "processing/input/model").mkdir(parents=True)
    with tarfile.open(base / "processing/input/model/model.tar.gz", "w:gz") as archive:
        archive.add(trained / "model", ".")
    write_clips(base / "processing/input/video", 1, seed=5)
    return base


def tracked(base: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    folder = base / "processing/output"
    with (folder / "track.csv").open() as stream:
        return list(csv.DictReader(stream)), json.loads((folder / "track.json").read_text())


def test_a_job_leaves_its_files_and_goes_on_from_its_checkpoint(image_python: Path, job: Path) -> None:
    (job / "checkpoints").mkdir()
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert sorted(path.name for path in (job / "model").iterdir()) == FILES
    config = json.loads((job / "model/tracker.json").read_text())
    assert (config["width"], config["hidden"], config["exemplar"], config["instance"]) == (0.25, 16, 127, 191)
    assert 0 <= config["scores"]["lost"] <= config["scores"]["found"] <= 1
    with (job / "output/data/history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["iteration"] for row in rows] == ["2", "4"]
    assert rows[0].keys() == {"iteration", "mean_iou", "auc"}
    assert log.count("[training] iter=") == log.count("[validation] iter=") == 2
    assert "[best] iter=" in log
    assert "[cost] iter=4" in log
    assert "template.onnx, search.onnx: differ from MXNet by" in log
    assert summary(job)["clips"] == {"training": ["0.mp4", "1.mp4", "2.mp4"], "validation": ["0.mp4", "1.mp4"]}

    configure(job, hyperparameters={**TINY, "iterations": "6"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "going on after iteration 4" in log
    assert [row["iteration"] for row in summary(job)["evaluations"]] == [2, 4, 6]
    assert summary(job)["outcome"]["made"] == 2


def test_an_interrupted_job_ends_as_one_that_was_not(image_python: Path, job: Path) -> None:
    """Without warm-up and at steps the rate does not depend on where the first run was to end."""
    steps = {**TINY, "lr_decay": "steps", "warm_up": "0", "iterations": "2"}
    (job / "checkpoints").mkdir()
    configure(job, hyperparameters=steps)
    assert finish(start(image_python, job))[0] == 0
    configure(job, hyperparameters={**steps, "iterations": "4"})
    assert finish(start(image_python, job))[0] == 0
    in_two = summary(job)["evaluations"][-1]
    shutil.rmtree(job / "checkpoints")
    assert finish(start(image_python, job))[0] == 0
    assert summary(job)["evaluations"][-1] == pytest.approx(in_two, rel=1e-3)


def test_sigterm_keeps_the_weights(image_python: Path, job: Path) -> None:
    (job / "checkpoints").mkdir()
    configure(job, hyperparameters={**TINY, "iterations": "10000", "eval_period": "5000", "log_period": "1"})
    process = start(image_python, job)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("[training]"):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    code, log = finish(process)
    assert code == 0, log
    assert summary(job)["outcome"]["reason"] == "stop requested"
    assert sorted(path.name for path in (job / "model").iterdir()) == FILES
    assert (job / "checkpoints/last.npz").is_file()


def test_it_stops_early_and_another_job_goes_on_from_its_model(image_python: Path, job: Path) -> None:
    still = {**TINY, "iterations": "40", "eval_period": "1", "early_stop": "1", "lr": "0.000000001"}
    configure(job, hyperparameters=still)
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert summary(job)["outcome"]["reason"] == "no better AUC in 1 evaluations"
    assert summary(job)["outcome"]["made"] < 40

    shutil.copytree(job / "model", job / "input/data/model")
    configure(job, hyperparameters={**TINY, "iterations": "1"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "siamrpn.params; new: none" in log

    configure(job, hyperparameters={**TINY, "hidden": "32"})
    assert finish(start(image_python, job))[0] == 2
    assert "of hidden 16, the job trains --hidden 32" in (job / "output/failure").read_text()


def test_the_zoos_network_is_trained_too(image_python: Path, job: Path) -> None:
    shutil.rmtree(job / "input/data/validation")
    zoo = {**TINY, "network": "siamrpn_alexnet_v2_otb15", "hidden": "256", "iterations": "1"}
    configure(job, hyperparameters=zoo)
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert json.loads((job / "model/tracker.json").read_text())["scores"] == {"lost": 0.5, "found": 0.5}


@pytest.mark.parametrize(
    ("settings", "harm", "reason"),
    [
        (TINY, "input/data/training/1.csv", "1.mp4: no 1.csv beside it"),
        (TINY, "input/data/validation/0.csv", "0.mp4: no 0.csv beside it"),
        ({**TINY, "task": "guessing"}, None, "choose from"),
        ({**TINY, "weights": "/nowhere.params"}, None, "--weights /nowhere.params: no such file"),
    ],
)
def test_a_bad_job_fails_with_its_reason_before_it_trains(
    image_python: Path, job: Path, settings: dict[str, str], harm: str | None, reason: str
) -> None:
    if harm:
        (job / harm).unlink()
    configure(job, hyperparameters=settings)
    code, log = finish(start(image_python, job))
    assert code == 2
    assert reason in (job / "output/failure").read_text()
    assert "Traceback" not in log
    assert "[training]" not in log


def test_onnx_in_the_lab_follows_as_gluoncvs_own_tracker_does(
    image_python: Path, trained: Path, processing: Path
) -> None:
    code, log = finish(start(image_python, processing, "gluoncv/track.py"))
    assert code == 0, log
    rows, told = tracked(processing)
    assert (len(rows), told["frames"], told["complete"]) == (24, 24, True)
    video = Video.open(processing / "processing/input/video/0.mp4")
    steps = list(track(video, tuple(told["first_box"]), SiamRPN(trained / "model")))
    boxes = [[float(row[name]) for name in ("xmin", "ymin", "width", "height")] for row in rows]
    np.testing.assert_allclose([step.observation.box for step in steps], boxes, atol=0.05)
    np.testing.assert_allclose([step.observation.score for step in steps], [float(r["score"]) for r in rows], atol=1e-3)
    moved = np.ptp(np.array(boxes), axis=0)
    assert moved.max() > 1  # a tracker that stays where it is would pass too

    annotated = Video.open(processing / "processing/output/track.mp4")
    assert (annotated.width, annotated.height) == (160, 120)
    assert len(list(annotated)) == 24


@pytest.mark.skipif(not FILM.is_file(), reason=f"no {FILM}")
def test_a_real_film_is_tracked_to_its_end_alone_and_with_a_detector_that_goes_blind(trained: Path) -> None:
    siamrpn = SiamRPN(trained / "model")
    alone = [step.observation for step in track(FILM, BOX, siamrpn)]
    assert len(alone) == 196
    assert all(said.box and 0 <= said.score <= 1 and np.isfinite(said.box).all() for said in alone)
    bag = pd.DataFrame([(0, 0.9, *BOX)], columns=["class_id", "score", "xmin", "ymin", "width", "height"])
    looks = iter([bag])
    fusion = FusionTracker(siamrpn, lambda frame: next(looks, bag[:0]), Thresholds(0, 0))
    fused = [step.observation.box for step in track(FILM, BOX, fusion)]
    assert len(fused) == 196
    assert fused[0] == BOX
    assert fused[10:] == [None] * 186  # it looked in vain and says so, where the tracker alone goes on


def test_a_stopped_processing_job_leaves_what_it_has(image_python: Path, processing: Path) -> None:
    shutil.rmtree(processing / "processing/input/video")
    write_clips(processing / "processing/input/video", 1, frames=2000)
    process = start(image_python, processing, "gluoncv/track.py")
    table = processing / "processing/output/track.csv"
    while not table.is_file() or table.read_text().count("\n") < 60:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    code, log = finish(process)
    assert code == 0, log
    rows, told = tracked(processing)
    assert told["complete"] is False
    assert 59 <= told["frames"] == len(rows) < 2000
    assert len(list(Video.open(processing / "processing/output/track.mp4"))) == len(rows)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--box=200,1,10,10"], "expected an area inside the video's 160x120 pixels"),
        (["--box=1,1,1"], "is not left,top,width,height"),
        (["--video=/nowhere"], "/nowhere: expected one video, found none"),
        (["--model=/nowhere"], "neither tracker.json nor a model.tar.gz"),
    ],
)
def test_a_bad_processing_job_leaves_its_reason_and_no_files(
    image_python: Path, processing: Path, arguments: list[str], reason: str
) -> None:
    code, log = finish(start(image_python, processing, "gluoncv/track.py", *arguments))
    assert code == 2
    assert reason in (processing / "output/message").read_text()
    assert "Traceback" not in log
    assert not list((processing / "processing/output").glob("track.*"))


@pytest.mark.parametrize("name", ["tracker.json", "template.onnx", "search.onnx"])
@pytest.mark.parametrize("content", [None, b"?"])
def test_a_model_folder_that_is_not_whole_is_refused(
    trained: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    folder = shutil.copytree(trained / "model", tmp_path / "model")
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        SiamRPN(folder)
