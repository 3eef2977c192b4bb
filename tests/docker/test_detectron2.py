"""The Detectron2 image as SageMaker runs it: `docker run IMAGE train`, then `docker run IMAGE serve`.

Set LABS_DOCKER_BASE to a CPU image with Python, torch and torchvision; the image is built on it.
"""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import free_port, wait_for
from unit.containers.made import configure, write_squares

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
IMAGE = "signal-labs-detectron2:test"

pytestmark = pytest.mark.docker


def docker(*arguments: str, timeout: float = 1800) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def image() -> str:
    base = os.environ.get("LABS_DOCKER_BASE")
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("no Docker engine answers")
    if not base:
        pytest.skip("LABS_DOCKER_BASE names no base image with torch")
    arguments = ["--build-arg", f"BASE={base}", "--build-arg", "DETECTRON2="]
    dockerfile = str(CONTAINERS / "detectron2" / "Dockerfile")
    docker("build", "--network", "host", *arguments, "--file", dockerfile, "--tag", IMAGE, str(CONTAINERS))
    return IMAGE


@pytest.fixture(scope="module")
def trained(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/opt/ml after a short training."""
    base = tmp_path_factory.mktemp("opt-ml")
    (base / "input/config").mkdir(parents=True)
    settings = {"model-type": "retinanet", "backbone": "small_fpn", "num-iter": "20", "batch-size": "4"}
    configure(base, hyperparameters=settings, resourceconfig={"current_host": "algo-1", "hosts": ["algo-1"]})
    write_squares(base, "training", 12)
    write_squares(base, "validation", 6, seed=1)
    docker("run", "--rm", "--network", "host", "--volume", f"{base}:/opt/ml", image, "train")
    return base


@pytest.fixture
def endpoint(image: str, trained: Path) -> Iterator[str]:
    """URL of the serving container."""
    port = free_port()
    variables = ["--env", f"SAGEMAKER_BIND_TO_PORT={port}", "--env", "SAGEMAKER_BIND_HOST=127.0.0.1"]
    options = ["--detach", "--rm", "--network", "host", *variables, "--volume", f"{trained}:/opt/ml"]
    container = docker("run", *options, image, "serve").strip()
    try:
        wait_for(f"http://127.0.0.1:{port}/ping")
        yield f"http://127.0.0.1:{port}"
    finally:
        docker("stop", container)


def test_training_leaves_a_model_and_no_failure(trained: Path) -> None:
    assert (trained / "model" / "model_best.pth").stat().st_size > 10_000
    assert not (trained / "output" / "failure").exists()


def test_serving_answers_in_the_pixels_of_the_image(endpoint: str, trained: Path) -> None:
    body = (trained / "input/data/training/1.png").read_bytes()
    request = urllib.request.Request(f"{endpoint}/invocations", body, {"Content-Type": "application/x-image"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)
    assert (found["image_width"], found["image_height"]) == (96, 64)
    assert len(found["pred_boxes"]) == len(found["scores"]) == len(found["pred_classes"])
