"""Start, find and stop the server of a workspace."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_sagemaker import overview
from local_sagemaker.workspace import DEFAULT_REGION, Connection, ServerError, Workspace, code_digest

_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 15.0
_HEALTH_PATH = "/_local_sagemaker/health"
_ACTIVE = frozenset(("InProgress", "Stopping", "Executing", "Creating", "Updating", "InService", "Deleting"))

log = logging.getLogger(__name__)


def start(workspace: Path, images: Path, *, region: str = DEFAULT_REGION) -> Connection:
    """Start the server of ``workspace`` unless it runs; return once it answers.

    ``images`` is the registry, an images.toml. ``region`` counts for a new workspace only. A server with other images
    or of an older version of this package is replaced when nothing runs in it; else the one is an error, the other a
    warning. A server that takes another's place keeps its port if it can.
    Raises ServerError with the reason when the server cannot start.
    """
    images = Path(images).expanduser().absolute()
    if not images.is_file():
        raise ServerError(f"there is no image registry {images}")
    place = Workspace(workspace)
    place.prepare(region)
    with _exclusive(place.start_lock):
        running = _running(place)
        if running is None or _outdated(place, running, images):
            earlier = running or place.server() or {}
            _spawn(place, images, earlier.get("port", 0))
    return place.connection()


def connection(workspace: Path) -> Connection | None:
    """The connection to the running server of ``workspace``; None when none runs."""
    place = Workspace(workspace)
    return place.connection() if _running(place) else None


def status(workspace: Path) -> dict[str, Any]:
    """What runs in ``workspace``: ``running``, ``pid``, ``endpoint_url``, and its ``jobs`` and ``endpoints``.

    Jobs and endpoints are dicts as `overview.Thing` describes them, the oldest first.
    """
    place = Workspace(workspace)
    running = _running(place)
    about: dict[str, Any] = {"workspace": str(place.root), "running": running is not None}
    if running is not None:
        about |= {"pid": running["pid"], "endpoint_url": f"http://127.0.0.1:{running['port']}"}
    return about | overview.summary(place.root)


def stop(workspace: Path) -> bool:
    """End the server of ``workspace``, its jobs and its endpoints; False when there was no server.

    No process of the workspace is left behind, also those that a killed server left.
    """
    from local_sagemaker.jobs.process import kill_strays

    place = Workspace(workspace)
    if not place.root.exists():
        return False
    with _exclusive(place.start_lock):
        running = _running(place)
        if running is not None:
            _end(running["pid"])
        kill_strays(place.root)
        place.server_file.unlink(missing_ok=True)
    return running is not None


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _outdated(place: Workspace, running: dict[str, Any], images: Path) -> bool:
    """Whether the running server was ended because it is not the one that is asked for."""
    other_images, other_code = running["images"] != str(images), running.get("code") != code_digest()
    if not other_images and not other_code:
        return False
    if busy := _busy(place):
        if other_images:
            raise ServerError(
                f"the server of {place.root} runs with the images of {running['images']}, and {busy} is not at its "
                "end; stop it first"
            )
        log.warning("the server of %s runs older code, because %s is not at its end", place.root, busy)
        return False
    _end(running["pid"])
    return True


def _busy(place: Workspace) -> str | None:
    """The name of something that runs, or serves, in the workspace."""
    from local_sagemaker.store import Store

    store = Store(place.records)
    for kind in store.kinds():
        for record in store.all(kind):
            for name, value in record.items():
                if name.endswith("Status") and isinstance(value, str) and value in _ACTIVE:
                    return f"{kind} {record.get(f'{kind}Name', '')}".strip()
    return None


def _running(place: Workspace) -> dict[str, Any] | None:
    """What the server wrote about itself, if it is alive and the one that answers on its port."""
    about = place.server()
    if about is None or not _alive(about):
        return None
    return about if _healthy(about) else None


def _alive(about: dict[str, Any]) -> bool:
    import psutil

    try:
        return abs(psutil.Process(about["pid"]).create_time() - about["created"]) < 1
    except psutil.Error:
        return False


def _healthy(about: dict[str, Any], timeout: float = 10.0) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", about["port"], timeout=timeout)
    try:
        client.request("GET", _HEALTH_PATH)
        return json.loads(client.getresponse().read()).get("instance") == about["instance"]
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        client.close()


def _spawn(place: Workspace, images: Path, port: int) -> None:
    """Start the server process, at ``port`` if that is free, and wait until it answers."""
    place.server_file.unlink(missing_ok=True)
    package = str(Path(__file__).parent.parent)
    code = f"import sys; sys.path.insert(0, {package!r}); from local_sagemaker.server import main; main(*sys.argv[1:])"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ["OPENBLAS_NUM_THREADS"] = "1"  # tuning's matrices are small: more threads only wait for each other
    with place.server_log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(place.root), str(images), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=place.root,
            env=environ,
            start_new_session=True,
        )
    until = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < until:
        about = place.server()
        if about is not None and _healthy(about):
            return
        if process.poll() is not None:
            raise ServerError(f"the server did not start: {_last_line(place.server_log)}")
        time.sleep(0.01)
    process.kill()
    raise ServerError(f"the server did not answer within {_START_TIMEOUT:.0f} s; see {place.server_log}")


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"


def _end(pid: int) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOP_TIMEOUT)
