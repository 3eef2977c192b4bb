"""The GluonCV programs in their own environment: networks, and whole jobs on made-up pictures."""

import csv
import io
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from unit.containers.conftest import CONTAINERS
from unit.containers.made import configure, write_squares
from unit.containers.mxnet_jobs import start, variables
from unit.containers.programs import finish, free_port, invoke, serving, summary

from local_sagemaker import images

pytestmark = pytest.mark.environment
CHECKS = sorted((Path(__file__).parent / "in_gluoncv").glob("check_*.py"))
TINY = {
    "epochs": "4",
    "batch_size": "4",
    "shortest_side": "64",
    "longest_side": "96",
    "crop": "64",
    "eval_period": "2",
    "log_period": "3",
}
FILES = [
    "model-0000.params",
    "model-symbol.json",
    "model.json",
    "model.onnx",
    "model_best.params",
    "training_summary.json",
]


@pytest.fixture(scope="session")
def image_python() -> Path:
    """The Python of the image's environment, built when it is not there."""
    return images.build(CONTAINERS / "images.toml", "gluoncv")


@pytest.fixture
def job(base: Path) -> Path:
    """A job on 12 pictures, 6 for validation."""
    write_squares(base, "training", 12)
    write_squares(base, "validation", 6, seed=1)
    configure(base, hyperparameters=TINY)
    return base


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_check(image_python: Path, check: Path, tmp_path: Path) -> None:
    done = subprocess.run([image_python, check], env=variables(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_job_leaves_its_files_and_goes_on_from_its_checkpoint(image_python: Path, job: Path) -> None:
    (job / "checkpoints").mkdir()
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert sorted(path.name for path in (job / "model").iterdir()) == FILES
    config = json.loads((job / "model/model.json").read_text())
    assert (config["classes"], config["letter_box"]["longest"]) == (["square", "bar"], 96)
    with (job / "output/data/history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["iteration"], row["epoch"]) for row in rows] == [("6", "2"), ("12", "4")]
    assert {"voc07", "voc12", "AP", "AP50", "AP75", "loss"} <= rows[0].keys()
    assert log.count("[training] iter=") == 4
    assert "model.onnx: input 96x64, differs from MXNet by" in log

    configure(job, hyperparameters={**TINY, "epochs": "6"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "going on after epoch 4, iteration 12" in log
    assert [row["iteration"] for row in summary(job)["evaluations"]] == [6, 12, 18]
    assert summary(job)["outcome"]["made"] == 6


def test_an_interrupted_job_ends_as_one_that_was_not(image_python: Path, job: Path) -> None:
    """Two devices share each batch; SGD's rate falls in steps, at epochs that do not depend on their number."""
    steps = {**TINY, "num_devices": "2", "optimizer": "sgd", "lr": "0.01", "lr_decay": "steps", "warm_up": "0"}
    steps = {**steps, "lr_decay_epochs": "[3]", "onnx": "false", "eval_period": "1"}
    (job / "checkpoints").mkdir()
    configure(job, hyperparameters={**steps, "epochs": "2"})
    assert finish(start(image_python, job))[0] == 0
    configure(job, hyperparameters=steps)
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "[cpu(0), cpu(1)]" in log
    assert [float(line.split(" lr=")[1].split()[0]) for line in log.splitlines() if line.startswith("[tr")] == [
        0.01,
        0.001,
    ]
    in_two = [row["loss"] for row in summary(job)["evaluations"]]
    shutil.rmtree(job / "checkpoints")
    assert finish(start(image_python, job))[0] == 0
    assert [row["loss"] for row in summary(job)["evaluations"]] == pytest.approx(in_two, rel=1e-4)


def test_sigterm_keeps_the_weights(image_python: Path, job: Path) -> None:
    (job / "checkpoints").mkdir()
    configure(job, hyperparameters={**TINY, "epochs": "10000", "eval_period": "5000", "log_period": "1"})
    process = start(image_python, job)
    assert process.stdout is not None
    while not process.stdout.readline().startswith("[training]"):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    code, log = finish(process)
    assert code == 0, log
    assert summary(job)["outcome"]["reason"] == "stop requested"
    assert (job / "model/model_best.params").is_file()
    assert (job / "checkpoints/last.npz").is_file()


def test_it_stops_early_and_another_job_goes_on_from_its_model(image_python: Path, job: Path) -> None:
    """A rate of almost nothing brings nothing better after the first evaluations, whose scores are equal."""
    configure(job, hyperparameters={**TINY, "epochs": "40", "eval_period": "1", "early_stop": "1", "lr": "0.0000001"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert summary(job)["outcome"]["reason"] == "no better AP50 in 1 evaluations"
    earlier = json.loads((job / "model/model.json").read_text())["anchors"]

    shutil.copytree(job / "model", job / "input/data/model")
    configure(job, hyperparameters={**TINY, "anchors_per_level": "2", "epochs": "1"})
    code, log = finish(start(image_python, job))
    assert code == 0, log
    assert "; new: none" in log
    assert json.loads((job / "model/model.json").read_text())["anchors"] == earlier

    configure(job, hyperparameters={**TINY, "network": "ssd_300_mobilenet0.25_custom"})
    code, log = finish(start(image_python, job))
    assert code == 2
    assert "of small, the job trains --network ssd_300_mobilenet0.25_custom" in (job / "output/failure").read_text()


def test_a_network_of_the_zoo_trains_too(image_python: Path, job: Path) -> None:
    settings = {"network": "ssd_300_mobilenet0.25_voc", "epochs": "1", "batch_size": "6", "onnx": "false"}
    configure(job, hyperparameters=settings)
    code, log = finish(start(image_python, job))
    assert code == 0, log
    config = json.loads((job / "model/model.json").read_text())
    assert config["letter_box"] == {"shortest": 300, "longest": 300, "multiple": 300, "squash": False}


def test_two_hosts_train_one_network(image_python: Path, job: Path) -> None:
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    hosts = ["algo-1", "algo-2"]
    processes = []
    for host in hosts:
        own = job.with_name(f"{job.name}-{host}")
        (own / "input/config").mkdir(parents=True)
        (own / "checkpoints").mkdir()
        (own / "input/data").symlink_to(job / "input/data")
        resources = {"current_host": host, "hosts": hosts, "network_interface_name": "lo"}
        configure(own, hyperparameters={**TINY, "early_stop": "9"}, resourceconfig=resources)
        processes.append((own, start(image_python, own, **meeting)))
    logs = []
    for base, process in processes:
        code, log = finish(process)
        assert code == 0, log
        logs.append(log)
        assert (base / "model/model_best.params").exists() == base.name.endswith("algo-1")
    assert "small, 2 host(s)" in logs[0]
    assert "[training]" not in logs[1]
    assert summary(processes[0][0])["outcome"]["iteration"] == 12


def test_a_missing_picture_fails_the_job_with_its_name(image_python: Path, job: Path) -> None:
    (job / "input/data/training/3.png").unlink()
    code, log = finish(start(image_python, job))
    assert code == 2
    reason = (job / "output/failure").read_text()
    assert reason.startswith("training.manifest, line 4: no picture s3://bucket/prefix/training/3.png in")
    assert "Traceback" not in log


def test_a_file_that_holds_no_weights_is_refused(image_python: Path, job: Path) -> None:
    (job / "x.params").write_bytes(b"nothing")
    configure(job, hyperparameters={**TINY, "weights": str(job / "x.params")})
    assert finish(start(image_python, job))[0] == 2
    assert "x.params: not MXNet parameters" in (job / "output/failure").read_text()


@pytest.fixture
def endpoint(image_python: Path, job: Path) -> Iterator[str]:
    """The address of a server with a model that was trained for a moment."""
    code, log = finish(start(image_python, job))
    assert code == 0, log
    with serving(partial(start, image_python, job, "gluoncv/serve.py")) as address:
        yield address


def test_an_endpoint_answers_pictures_and_arrays_alike(endpoint: str, job: Path) -> None:
    picture = Image.open(job / "input/data/validation/1.png").convert("RGB").resize((192, 100))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    status, answer = invoke(endpoint, stream.getvalue(), "image/png")
    assert (status, answer["image_height"], answer["image_width"]) == (200, 100, 192)
    assert answer["scores"] == sorted(answer["scores"], reverse=True)
    assert len(answer["pred_boxes"]) == len(answer["scores"]) == len(answer["pred_classes"]) > 0
    for left, top, right, bottom in answer["pred_boxes"]:
        assert 0 <= left <= right <= 192
        assert 0 <= top <= bottom <= 100
    rows = np.asarray(picture).tolist()
    assert invoke(endpoint, json.dumps(rows).encode(), "application/json") == (200, answer)
    assert invoke(endpoint, stream.getvalue(), "image/png", "score_threshold=1")[1]["scores"] == []
    assert invoke(endpoint, b"[1]", "application/json")[0] == 400
    assert invoke(endpoint, b"garbage", "image/jpeg")[0] == 400
    assert invoke(endpoint, stream.getvalue(), "text/csv")[0] == 415
