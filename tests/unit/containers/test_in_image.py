"""The Detectron2 programs in their own environment: operators, models, and whole jobs on made-up pictures."""

import csv
import io
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from unit.containers import programs
from unit.containers.conftest import CONTAINERS
from unit.containers.made import configure, write_squares
from unit.containers.programs import finish, invoke, serving, summary

from local_sagemaker import images

pytestmark = pytest.mark.environment
CHECKS = sorted((Path(__file__).parent / "in_image").glob("check_*.py"))
TINY = {
    "num_iter": "12",
    "batch_size": "4",
    "shortest_side": "64",
    "longest_side": "96",
    "eval_period": "6",
    "log_period": "4",
}


@pytest.fixture(scope="session")
def image_python() -> Path:
    """The Python of the image's environment, built when it is not there."""
    return images.build(CONTAINERS / "images.toml", "detectron2")


@pytest.fixture
def job(base: Path) -> Path:
    """A job on 12 pictures, 6 for validation."""
    write_squares(base, "training", 12)
    write_squares(base, "validation", 6, seed=1)
    configure(base, hyperparameters=TINY)
    return base


variables = partial(programs.variables, folders=("common", "detectron2"))


def start(python: Path, base: Path, program: str = "train.py", **further: str) -> "subprocess.Popen[str]":
    return programs.start(python, f"detectron2/{program}", variables(base, **further))


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_check(image_python: Path, check: Path, tmp_path: Path) -> None:
    done = subprocess.run([image_python, check], env=variables(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_job_leaves_its_files_and_goes_on_from_its_checkpoint(image_python: Path, job: Path) -> None:
    (job / "checkpoints").mkdir()
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert sorted(path.name for path in (job / "model").iterdir()) == [
        "classes.json",
        "config.yaml",
        "model_best.pth",
        "training_summary.json",
    ]
    assert json.loads((job / "model/classes.json").read_text()) == ["square", "bar"]
    with (job / "output/data/history.csv").open() as stream:
        assert [row["iteration"] for row in csv.DictReader(stream)] == ["6", "12"]
    assert log.count("[training] iter=") == 3
    assert "training: 12 pictures (1 without a box), 11 boxes: square 5, bar 6" in log

    configure(job, hyperparameters={**TINY, "num_iter": "18"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "going on after iteration 12" in log
    assert [row["iteration"] for row in summary(job)["evaluations"]] == [6, 12, 18]
    assert summary(job)["outcome"]["made"] == 6


def test_the_same_seed_trains_the_same_model(image_python: Path, job: Path) -> None:
    losses = []
    for _ in range(2):
        code, log = finish(start(image_python, job))
        assert code == 0, log
        losses.append([line.split(" images_per_second")[0] for line in log.splitlines() if line.startswith("[tr")])
    assert losses[0] == losses[1]


def test_sigterm_keeps_the_weights(image_python: Path, job: Path) -> None:
    configure(job, hyperparameters={**TINY, "num_iter": "100000", "eval_period": "50000", "log_period": "1"})
    process = start(image_python, job)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("[training]"):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    code, log = finish(process)
    assert code == 0, log
    assert summary(job)["outcome"]["reason"] == "stop requested"
    assert (job / "model/model_best.pth").is_file()


def test_two_hosts_train_a_faster_rcnn_without_validation(image_python: Path, job: Path) -> None:
    (job / "input/data/validation").rename(job / "unused")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    hosts = ["algo-1", "algo-2"]
    processes = []
    for host in hosts:
        own = job.with_name(f"{job.name}-{host}")
        (own / "input").mkdir(parents=True)
        (own / "input/data").symlink_to(job / "input/data")
        (own / "input/config").mkdir()
        given = {**TINY, "model_type": "faster_rcnn", "num_iter": "3", "current_host": host}
        configure(own, hyperparameters=given, resourceconfig={"current_host": host, "hosts": hosts})
        processes.append((own, start(image_python, own, **meeting)))
    for base, process in processes:
        code, log = finish(process)
        assert code == 0, log
        first = base.name.endswith("algo-1")
        assert (base / "model/model_best.pth").exists() == first
        assert ("nothing is evaluated" in log) == first


def test_a_missing_picture_fails_the_job_with_its_name(image_python: Path, job: Path) -> None:
    (job / "input/data/training/3.png").unlink()
    code, log = finish(start(image_python, job))
    assert code == 2
    reason = (job / "output/failure").read_text()
    assert reason.startswith("training.manifest, line 4: no picture s3://bucket/prefix/training/3.png in")
    assert "Traceback" not in log


def test_a_truncated_picture_fails_the_job_with_its_name(image_python: Path, job: Path) -> None:
    broken = job / "input/data/training/3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    code, log = finish(start(image_python, job))
    assert code == 2
    assert "3.png: not a readable picture" in (job / "output/failure").read_text()
    assert "Traceback" not in log


@pytest.fixture
def endpoint(image_python: Path, job: Path) -> Iterator[str]:
    """The address of a server with a model that was trained for a moment."""
    code, log = finish(start(image_python, job))
    assert code == 0, log
    with serving(partial(start, image_python, job, "serve.py")) as address:
        yield address


def test_an_endpoint_answers_pictures_of_every_kind(endpoint: str, job: Path) -> None:
    picture = Image.open(job / "input/data/validation/1.png")
    for mode, kind in (("RGB", "application/x-image"), ("RGBA", "image/png"), ("L", "image/png"), ("P", "image/png")):
        stream = io.BytesIO()
        picture.convert(mode).resize((192, 128)).save(stream, "PNG")
        status, answer = invoke(endpoint, stream.getvalue(), kind)
        assert (status, answer["image_height"], answer["image_width"]) == (200, 128, 192)
        assert answer["scores"] == sorted(answer["scores"], reverse=True)
        assert len(answer["pred_boxes"]) == len(answer["scores"]) == len(answer["pred_classes"])
        for left, top, right, bottom in answer["pred_boxes"]:
            assert 0 <= left <= right <= 192
            assert 0 <= top <= bottom <= 128
    assert invoke(endpoint, stream.getvalue(), "image/png", "score_threshold=1")[1]["scores"] == []
    assert invoke(endpoint, stream.getvalue(), "image/png", "agnostic_nms=x")[0] == 400
    assert invoke(endpoint, b"garbage", "image/jpeg")[0] == 400
    assert invoke(endpoint, stream.getvalue(), "text/csv")[0] == 415
