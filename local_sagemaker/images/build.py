"""Build an image's environment: what `docker build` is to a Dockerfile, with uv and requirements.txt."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from local_sagemaker.images.registry import Image, ImageError, Registry

Progress = Callable[[str], None]


def build(images_toml: Path, name: str, progress: Progress = print) -> Path:
    """Build the environment of the image ``name`` unless it is built; the path of its Python.

    ``progress`` receives lines of text. Raises ImageError with the last lines of the step that failed;
    nothing half-built stays.
    """
    return build_image(Registry(images_toml).get(name), progress)


def build_image(image: Image, progress: Progress) -> Path:
    """As `build`, for an image that is at hand."""
    if not image.built:
        folder = image.folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock"), image, progress):
            if not image.built:
                _build(image, folder, progress)
    return image.interpreter


@contextlib.contextmanager
def _locked(path: Path, image: Image, progress: Progress) -> Iterator[None]:
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{image.name}: another process builds this image; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _build(image: Image, folder: Path, progress: Progress) -> None:
    steps = list(_steps(image, folder))
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for number, (title, argv) in enumerate(steps, 1):
            progress(f"{image.name}: step {number}/{len(steps)}: {title}")
            _run(argv, f"{image.name}: {title}", folder, progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / ".complete").touch()
    progress(f"{image.name}: built in {folder}")


def _steps(image: Image, folder: Path) -> Iterator[tuple[str, list[str]]]:
    uv = [sys.executable, "-m", "uv"]
    python = str(folder / "bin" / "python")
    yield f"environment with Python {image.python}", [*uv, "venv", "--python", _base(image.python), str(folder)]
    # Install programs and scripts of the SageMaker SDK call pip, as they may in any of AWS's images.
    yield "pip", [python, "-m", "ensurepip", "--upgrade", "--default-pip"]
    if image.requirements is not None:
        install = [*uv, "pip", "install", "--python", python, "-r", str(image.requirements)]
        yield f"packages of {image.requirements.name}", install
    if image.install:
        yield f"program {Path(image.install[0]).name}", [python, *image.install]


def _base(version: str) -> str:
    """This process's own interpreter when it is of the wanted version, else the version for uv to find."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return str(getattr(sys, "_base_executable", sys.executable)) if version == own else version


def _environment(folder: Path) -> dict[str, str]:
    """The caller's environment, with pip's settings told to uv, which does not read them."""
    environ = {**os.environ, "VIRTUAL_ENV": str(folder), "UV_NO_PROGRESS": "1", "PYTHONUNBUFFERED": "1"}
    environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}"
    environ.pop("PYTHONPATH", None)
    for pip, uv in (
        ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
    ):
        if value := environ.get(pip):
            environ.setdefault(uv, ",".join(value.split()) if uv == "UV_FIND_LINKS" else value)
    return environ


def _run(argv: list[str], title: str, folder: Path, progress: Progress) -> None:
    tail: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        stdin=subprocess.DEVNULL, env=_environment(folder),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            tail.append(line.rstrip())
            progress(f"  {line.rstrip()}")
    if process.returncode:
        raise ImageError(f"{title} failed (exit code {process.returncode}): " + "\n".join(tail))
