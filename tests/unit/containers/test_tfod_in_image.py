"""The TFOD programs in their own environment: whole jobs on made-up pictures. Building a model takes the API half a
minute, so that the tests share jobs."""

import base64
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from unit.containers import programs
from unit.containers.conftest import CONTAINERS
from unit.containers.made import configure, write_squares
from unit.containers.programs import free_port, invoke, serving, summary

from local_sagemaker import images

finish = partial(programs.finish, seconds=600)  # exporting takes minutes
pytestmark = [pytest.mark.environment, pytest.mark.images_check]
CHECKS = sorted((Path(__file__).parent / "in_tfod").glob("check_*.py"))
EDGE = CONTAINERS.parent / "edge"
TINY = {"num_steps": "4", "batch_size": "2", "image_size": "96", "eval_period": "2", "log_period": "2"}
FAST = {**TINY, "quantize": "false", "onnx": "false"}
FILES = [
    "checkpoint",
    "label_map.pbtxt",
    "model.onnx",
    "model_float.tflite",
    "model_fp16.tflite",
    "model_int8.tflite",
    "pipeline.config",
    "saved_model",
    "training_summary.json",
]


@pytest.fixture(scope="session")
def image_python() -> Path:
    """The Python of the image's environment, built when it is not there."""
    return images.build(CONTAINERS / "images.toml", "tfod")


def new_base(folder: Path, **hyperparameters: str) -> Path:
    """A job on 12 pictures, 6 for validation."""
    (folder / "input/config").mkdir(parents=True)
    write_squares(folder, "training", 12)
    write_squares(folder, "validation", 6, seed=1)
    configure(folder, hyperparameters={**TINY, **hyperparameters})
    return folder


def start(python: Path, base: Path, program: str = "train.py", **further: str) -> "subprocess.Popen[str]":
    return programs.start(python, f"tfod/{program}", programs.variables(base, **further))


@pytest.fixture(scope="module")
def trained(image_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished job with a CheckpointConfig, and its log."""
    base = new_base(tmp_path_factory.mktemp("trained"))
    (base / "checkpoints").mkdir()
    code, log = finish(start(image_python, base))
    assert code == 0, log
    return base, log


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_check(image_python: Path, check: Path, tmp_path: Path) -> None:
    paths = os.pathsep.join(str(CONTAINERS / folder) for folder in ("common", "tfod"))
    variables = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([image_python, check], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["object_detection.builders.model_builder_tf2_test"])
def test_the_apis_own_test_passes(image_python: Path, module: str) -> None:
    variables = {**os.environ, "PYTHONPATH": str(CONTAINERS / "tfod")}
    command = [image_python, "-m", "pipeline.compat", module]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "OK" in done.stderr


@pytest.mark.parametrize("family", ["faster_rcnn_resnet50_640", "efficientdet_d0"])
def test_a_family_of_the_zoos_size_trains_too(image_python: Path, tmp_path: Path, family: str) -> None:
    small = {"model": family, "image_size": "256", "num_steps": "1", "batch_size": "1"}
    base = new_base(tmp_path / "job", **{**FAST, **small})
    code, log = finish(start(image_python, base))
    assert code == 0, log
    assert (base / "model/saved_model/saved_model.pb").is_file()


def test_a_job_leaves_its_files(trained: tuple[Path, str]) -> None:
    base, log = trained
    model = base / "model"
    assert sorted(path.name for path in model.iterdir()) == FILES
    assert (model / "checkpoint/ckpt-0.index").is_file()
    with (base / "output/data/history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["iteration"] for row in rows] == ["2", "4"]
    assert {"AP", "AP50", "AP75", "AP50/square", "loss", "loss_cls", "loss_box"} <= rows[0].keys()
    assert log.count("[training] iter=") == 2
    assert "[export] iter=4 AP50_float=" in log
    assert "model.onnx: input 96x64, differs from TensorFlow by" in log
    sizes = {kind: (model / f"model_{kind}.tflite").stat().st_size for kind in ("float", "fp16", "int8")}
    assert sizes["int8"] <= sizes["float"] / 2
    assert sizes["fp16"] < 0.6 * sizes["float"]
    for split in ("train", "eval"):
        assert list((base / "checkpoints" / split).glob("events.out.tfevents.*"))


def test_an_interrupted_job_goes_on_and_sigterm_keeps_the_weights(
    image_python: Path, trained: tuple[Path, str], tmp_path: Path
) -> None:
    base = new_base(tmp_path / "job", **{**FAST, "num_steps": "10000", "eval_period": "5000", "log_period": "1"})
    shutil.copytree(trained[0] / "checkpoints", base / "checkpoints")
    process = start(image_python, base)
    assert process.stdout is not None
    seen = [""]
    while not seen[-1].startswith("[training]"):
        seen.append(process.stdout.readline())
        assert process.poll() is None, seen
    assert "going on after step 4\n" in seen
    process.send_signal(signal.SIGTERM)
    code, log = finish(process)
    assert code == 0, log
    assert summary(base)["outcome"]["reason"] == "stop requested"
    assert [row["iteration"] for row in summary(base)["evaluations"]] == [2, 4]
    assert list((base / "checkpoints").glob(f"ckpt-{summary(base)['outcome']['iteration']}.index"))
    assert (base / "model/saved_model/saved_model.pb").is_file()


def test_records_a_pipeline_config_and_an_earlier_model(
    image_python: Path, trained: tuple[Path, str], tmp_path: Path
) -> None:
    """Training channel as in the courses before: train.record, eval.record, label map and pipeline.config."""
    base, earlier = tmp_path, trained[0] / "model"
    (base / "input/config").mkdir(parents=True)
    training = base / "input/data/training"
    training.mkdir(parents=True)
    script = (
        "from pipeline import compat; compat.prepare()\n"
        "import sys; from pathlib import Path; from detection import manifest; from pipeline import records\n"
        "source, target = map(Path, sys.argv[1:])\n"
        "for split, name in (('training', 'train.record'), ('validation', 'eval.record')):\n"
        "    entries = manifest.read(source / f'annotation/{split}.manifest')\n"
        "    found = manifest.records(entries, source / split, ['square', 'bar'])\n"
        "    records.write(records.encode(found, ['square', 'bar']), target / name, 1)\n"
    )
    paths = os.pathsep.join(str(CONTAINERS / folder) for folder in ("common", "tfod"))
    command = [image_python, "-c", script, trained[0] / "input/data", training]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=True)
    for name in ("label_map.pbtxt", "pipeline.config"):
        shutil.copy(earlier / name, training)
    (base / "input/data/model").mkdir()
    with tarfile.open(base / "input/data/model/model.tar.gz", "w:gz") as archive:
        archive.add(earlier, ".")
    settings = {"pipeline_config": "pipeline.config", "override": "train_config { num_steps: 6 }", "early_stop": "1"}
    own = {"sample_1_of_n_eval_examples": "2", "eval_period": "1", "lr": "0.0000001"}
    configure(base, hyperparameters={"quantize": "false", "onnx": "false", **settings, **own})
    code, log = finish(start(image_python, base))
    assert code == 0, log
    assert "; new: none" in log
    assert "pipeline.config, 1 replica(s)" in log
    assert "validation: 3 pictures" in log
    assert summary(base)["outcome"]["reason"] == "no better AP50 in 1 evaluations"
    assert summary(base)["arguments"]["batch_size"] == 2


def test_two_hosts_train_one_model(image_python: Path, tmp_path: Path) -> None:
    job = new_base(tmp_path / "job")
    hosts = ["algo-1", "algo-2"]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    processes = []
    for host in hosts:
        own = tmp_path / host
        (own / "input/config").mkdir(parents=True)
        (own / "input/data").symlink_to(job / "input/data")
        resources = {"current_host": host, "hosts": hosts, "network_interface_name": "lo"}
        configure(own, hyperparameters={**FAST, "early_stop": "9"}, resourceconfig=resources)
        processes.append((own, start(image_python, own, **meeting)))
    logs = []
    for base, process in processes:
        code, log = finish(process)
        assert code == 0, log
        logs.append(log)
        assert (base / "model").exists() == (base.name == "algo-1")
    assert "2 replica(s)" in logs[0]
    assert "[training]" not in logs[1]
    assert summary(processes[0][0])["outcome"]["iteration"] == 4


@pytest.mark.parametrize(
    ("hyperparameters", "break_it", "reason"),
    [
        ({}, "input/data/training/3.png", "training.manifest, line 4: no picture s3://bucket/prefix/training/3.png in"),
        ({"override": "train_config { batch_sise: 3 }"}, "", "--override: not the text of a pipeline.config (1:16"),
        ({"override": "model { ssd { num_classes: 3 } }"}, "", "num_classes 3, the label map has 2"),
    ],
)
def test_bad_input_fails_the_job_with_its_name(
    image_python: Path, tmp_path: Path, hyperparameters: dict[str, str], break_it: str, reason: str
) -> None:
    base = new_base(tmp_path / "job", **hyperparameters)
    if break_it:
        (base / break_it).unlink()
    code, log = finish(start(image_python, base))
    assert code == 2, log
    assert reason in (base / "output/failure").read_text()
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def endpoint(image_python: Path, trained: tuple[Path, str]) -> Iterator[str]:
    """The address of a server with the trained model."""
    with serving(partial(start, image_python, trained[0], "serve.py")) as address:
        yield address


def test_an_endpoint_answers_in_both_forms(endpoint: str, trained: tuple[Path, str]) -> None:
    picture = Image.open(trained[0] / "input/data/validation/1.png").convert("RGB").resize((192, 100))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    png, rows = stream.getvalue(), np.asarray(picture).tolist()
    status, answer = invoke(endpoint, png, "image/png")
    assert (status, answer["image_height"], answer["image_width"]) == (200, 100, 192)
    assert answer["scores"] == sorted(answer["scores"], reverse=True)
    assert len(answer["pred_boxes"]) == len(answer["scores"]) == len(answer["pred_classes"]) > 0
    assert set(answer["pred_classes"]) <= {0, 1}
    for left, top, right, bottom in answer["pred_boxes"]:
        assert 0 <= left <= right <= 192
        assert 0 <= top <= bottom <= 100
    assert invoke(endpoint, json.dumps(rows).encode(), "application/json") == (200, answer)
    assert invoke(endpoint, png, "image/png", "score_threshold=1")[1]["scores"] == []

    instances = [rows, {"b64": base64.b64encode(png).decode()}, {"input_tensor": rows}]
    status, served = invoke(endpoint, json.dumps({"instances": instances}).encode(), "application/json")
    first, *others = served["predictions"]
    assert (status, len(others)) == (200, 2)
    assert all(other == first for other in others)
    top = first["detection_boxes"][0]
    np.testing.assert_allclose(
        np.clip(top, 0, 1) * np.array([100, 192, 100, 192]), np.array(answer["pred_boxes"][0])[[1, 0, 3, 2]], atol=1e-3
    )
    assert first["detection_classes"][0] == answer["pred_classes"][0] + 1


@pytest.mark.parametrize(
    ("body", "kind", "status", "error"),
    [
        (b'{"instances": []}', "application/json", 400, "at least one picture"),
        (b'{"instances": [{"b64": "?"}]}', "application/json", 400, "instance 0: not base64"),
        (b'{"instances": [[[1, 2]]]}', "application/json", 400, "instance 0: an array of shape (1, 2)"),
        (b"{", "application/json", 400, "not JSON"),
        (b"[1]", "application/json", 400, "height x width x 3"),
        (b"garbage", "image/jpeg", 400, "not a JPEG or PNG"),
        (b"1,2", "text/csv", 415, "expected one of"),
    ],
)
def test_bad_requests_are_told_apart(endpoint: str, body: bytes, kind: str, status: int, error: str) -> None:
    found, answer = invoke(endpoint, body, kind)
    assert (found, error in answer["error"]) == (status, True), answer


def test_a_device_finds_what_the_job_found(trained: tuple[Path, str], tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(trained[0] / "model", ".")
    copied = [sys.executable, EDGE / "copy_model.py", tmp_path / "model.tar.gz", tmp_path / "device"]
    subprocess.run(copied, check=True)
    command = [sys.executable, tmp_path / "device/detect.py", trained[0] / "input/data/validation", "--score", "0"]
    done = subprocess.run([*command, "--draw", tmp_path / "drawn"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["frame"] for row in rows] == [f"{number}.png" for number in range(6)]
    assert all(set(row["classes"]) <= {"square", "bar"} and row["ms"] > 0 for row in rows)
    assert "FPS" in done.stderr
    assert len(list((tmp_path / "drawn").iterdir())) == 6
