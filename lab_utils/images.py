"""Container images: built and pushed with Docker on AWS, as a local environment on the embedded SageMaker."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab_utils import paths
from lab_utils.errors import ConfigError, LabError
from lab_utils.session import LabSession


class ImageBuildError(LabError):
    """An image could not be built or pushed."""


def metric_definitions(image: str) -> list[dict[str, str]]:
    """The metrics that an image's training program prints: `Name` and anchored `Regex`, as SageMaker wants them.

    Raises:
        ConfigError: no image of that name.
    """
    return json.loads((_folder(image) / "metrics.json").read_text(encoding="utf-8"))


def build_image(lab: LabSession, image: str, *, progress: Callable[[str], None] = print) -> str:
    """Build an image of `containers/` and push it to ECR; return its URI.

    On the embedded SageMaker the same URI names a Python environment built from the image's `requirements.txt`.
    Both are cached: a second call only checks.

    Args:
        lab: the session.
        image: folder name in `containers/`.
        progress: receives one line a step.

    Raises:
        ConfigError: no image of that name, or no Docker on AWS.
        ImageBuildError: a build step failed.
    """
    folder = _folder(image)
    uri = f"{_repository(lab, f'signal-labs-{image}')}:latest"
    if lab.backend == "local":
        from local_sagemaker import images

        images.build(paths.project() / "containers" / "images.toml", image, progress)
    else:
        _docker_build_and_push(lab, folder, uri, progress)
    return uri


def _folder(image: str) -> Path:
    containers = paths.project() / "containers"
    if not (containers / image / "train.py").is_file():
        known = sorted(f.parent.name for f in containers.glob("*/train.py"))
        raise ConfigError(f"unknown image {image!r}: expected one of {', '.join(known)}")
    return containers / image


def _repository(lab: LabSession, name: str) -> str:
    ecr = lab.client("ecr")
    try:
        found: Any = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except ecr.exceptions.RepositoryNotFoundException:
        found = ecr.create_repository(repositoryName=name)["repository"]
    return found["repositoryUri"]


def _docker_build_and_push(lab: LabSession, folder: Path, uri: str, progress: Callable[[str], None]) -> None:
    if shutil.which("docker") is None:
        raise ConfigError("building an image for AWS needs Docker: in Studio enable Docker access for the domain")
    base = os.environ.get("LABS_BASE_IMAGE")  # another base than the Dockerfile's, such as a CPU one
    arguments = ["--build-arg", f"BASE={base}"] if base else []
    dockerfile = ["--file", str(folder / "Dockerfile")]
    _run(["docker", "build", "--tag", uri, *dockerfile, *arguments, str(folder.parent)], progress)
    token = lab.client("ecr").get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
    _run(
        ["docker", "login", "--username", user, "--password-stdin", token["proxyEndpoint"]],
        progress,
        text=password,
    )
    _run(["docker", "push", uri], progress)


def _run(argv: list[str], progress: Callable[[str], None], text: str | None = None) -> None:
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        if text:
            process.stdin.write(text)
        process.stdin.close()
        for line in process.stdout:
            progress(line.rstrip())
    if process.returncode:
        raise ImageBuildError(f"`{' '.join(argv[:2])}` failed with exit code {process.returncode}")
