"""The GluonCV and the TFOD image as SageMaker runs it: `docker run IMAGE train`, then `docker run IMAGE serve`.

Set LABS_DOCKER_PYTHON to a Debian image with Python 3.11 and pip; the images are built on it.
"""

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from servers import free_port, wait_for
from unit.containers.made import configure, write_squares

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
SETTINGS = {
    "gluoncv": {"epochs": "2", "batch_size": "4", "shortest_side": "64", "longest_side": "96", "crop": "64"},
    "tfod": {"num_steps": "2", "batch_size": "2", "image_size": "96", "eval_period": "2"},
}

pytestmark = pytest.mark.docker


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def tag(image: str) -> str:
    return f"signal-labs-{image}:test"


@pytest.fixture(scope="module", params=SETTINGS)
def image(request: pytest.FixtureRequest) -> str:
    """The name of an image that was built, without its prefix and tag."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("no Docker engine answers")
    base = os.environ.get("LABS_DOCKER_PYTHON")
    if not base:
        pytest.skip("LABS_DOCKER_PYTHON names no base image with Python 3.11")
    dockerfile = str(CONTAINERS / request.param / "Dockerfile")
    arguments = ["--network", "host", "--build-arg", f"BASE={base}", "--file", dockerfile, "--tag", tag(request.param)]
    docker("build", *arguments, str(CONTAINERS))
    return request.param


def test_it_trains_then_serves(image: str, tmp_path: Path) -> None:
    (tmp_path / "input/config").mkdir(parents=True)
    configure(tmp_path, hyperparameters=SETTINGS[image], resourceconfig={"current_host": "algo-1", "hosts": ["algo-1"]})
    write_squares(tmp_path, "training", 12)
    write_squares(tmp_path, "validation", 6, seed=1)
    volume = ["--volume", f"{tmp_path}:/opt/ml", "--network", "host"]
    docker("run", "--rm", *volume, tag(image), "train")
    assert not (tmp_path / "output/failure").exists()

    port = free_port()
    variables = ["--env", f"SAGEMAKER_BIND_TO_PORT={port}", "--env", "SAGEMAKER_BIND_HOST=127.0.0.1"]
    container = docker("run", "--detach", "--rm", *variables, *volume, tag(image), "serve").strip()
    try:
        wait_for(f"http://127.0.0.1:{port}/ping")
        body = (tmp_path / "input/data/training/1.png").read_bytes()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "image/png"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert (found["image_width"], found["image_height"]) == (96, 64)
    finally:
        docker("stop", container)
