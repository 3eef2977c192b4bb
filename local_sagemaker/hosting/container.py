"""One model container that serves: started, watched, restarted when it dies."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

import urllib3

from local_sagemaker.api.context import Context
from local_sagemaker.aws.objects import ObjectError
from local_sagemaker.errors import AwsError
from local_sagemaker.hosting import model_data
from local_sagemaker.hosting.program import ContainerFailure, Program
from local_sagemaker.hosting.serving import Serving
from local_sagemaker.images import Image, ImageError
from local_sagemaker.images.build import build_image
from local_sagemaker.jobs import environment
from local_sagemaker.jobs.archive import ArchiveError
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.limits import MEMORY, Limits
from local_sagemaker.jobs.process import ContainerProcess

_PING_TIMEOUT = 2.0
_PING_PERIOD = 0.05
_GRACE = 30.0  # seconds between SIGTERM and SIGKILL
_MAX_RESTARTS = 3
_STEADY = 300.0  # seconds: a container that ran longer does not keep dying

log = logging.getLogger(__name__)


class ServingContainer:
    """The serve program of one model."""

    def __init__(self, context: Context, serving: Serving) -> None:
        self._context, self._serving = context, serving
        self._folder = ContainerFolder(serving.root)
        self._limits = Limits.read(os.environ)
        self.log = serving.log
        self._stop, self._ready = threading.Event(), threading.Event()
        self._failure: ContainerFailure | None = None
        self._program: Program | None = None
        self._on_change: Callable[[str | None], None] = lambda failure: None
        self._thread = threading.Thread(target=self._supervise, name=f"serve {serving.title}", daemon=True)

    def start(self, on_change: Callable[[str | None], None] = lambda failure: None) -> None:
        """Start in the background; ``on_change(None)`` when it serves, ``on_change(reason)`` when it cannot."""
        self._on_change = on_change
        self._thread.start()

    def request_stop(self) -> None:
        """Let the process group end."""
        self._stop.set()

    def stop(self) -> None:
        """End the process group and wait for it."""
        self.request_stop()
        self._thread.join(_GRACE + 5)
        self._folder.remove_contents()

    @property
    def failed(self) -> bool:
        """Whether it can no longer serve."""
        return self._failure is not None

    def program(self, timeout: float) -> Program:
        """The program and connections to it, which may take up to ``timeout`` seconds to be healthy (again).

        Raises ContainerFailure.
        """
        until = time.monotonic() + timeout
        while not (self._ready.wait(_PING_PERIOD) and self._program is not None and self._program.alive):
            if self._failure is not None:
                raise ContainerFailure(str(self._failure), self._failure.side)
            if time.monotonic() > until or self._stop.is_set():
                raise ContainerFailure("the container is not ready")
            time.sleep(_PING_PERIOD / 10)
        return self._program

    def _supervise(self) -> None:
        try:
            image = self._prepare()
            restarts = 0
            while restarts <= _MAX_RESTARTS:
                started = time.monotonic()
                healthy = self._run(image)
                if self._stop.is_set():
                    return
                restarts = 1 if time.monotonic() - started > _STEADY else restarts + 1
                if not healthy:
                    raise ContainerFailure(
                        f"The primary container for {self._serving.title} did not pass the ping health check. "
                        f"Please check CloudWatch logs for this {self._serving.log_hint} ({self.log.group})."
                    )
                self.log.write(["The container ended; starting it again."])
            raise ContainerFailure(f"The container of {self._serving.title} keeps ending.")
        except ContainerFailure as failure:
            self._fail(failure)
        except Exception as error:
            log.exception("serving container %s", self._folder.root)
            self._fail(ContainerFailure(f"{type(error).__name__}: {error}", "InternalServerError"))

    def _fail(self, failure: ContainerFailure) -> None:
        self._failure = failure
        if not self._stop.is_set():
            self._on_change(str(failure))

    def _prepare(self) -> Image:
        """Fetch the image's environment and the model; raises ContainerFailure."""
        definition = self._serving.definition
        self._folder.create()
        try:
            image = self._context.image(definition.get("Image"), "Image")
            if not image.serve:
                raise ImageError(f"image {image.name} has no program to serve")
            build_image(image, lambda line: self.log.write([line]))
        except (AwsError, ImageError, OSError) as error:
            raise ContainerFailure(str(error), "ClientError") from error
        try:
            model_data.fetch(self._context.objects, definition, self._folder.model)
        except (ObjectError, ArchiveError, OSError) as error:
            name = definition.get("ContainerHostname", "container_1")
            raise ContainerFailure(
                f'Failed to download model data for container "{name}" from URL: '
                f'"{model_data.location(definition)}": {error}. Please ensure that there is an object located at the '
                "URL and that the role passed to CreateModel has permissions to download the object.",
                "ClientError",
            ) from error
        environment.write_aws_config(self._folder, self._context.connection)
        return image

    def _run(self, image: Image) -> bool:
        """Run the program until it ends; whether it was healthy."""
        port = _free_port()
        argv = [str(image.interpreter), *image.serve]
        process = ContainerProcess(argv, self._environ(image, port), self._folder.root, self._limits)
        ended = threading.Event()
        probe = threading.Thread(target=self._probe, args=(process, port, ended), daemon=True)
        probe.start()
        outcome = process.run(self._write, self._stop, grace=_GRACE)
        healthy = self._ready.is_set()
        self._ready.clear()
        ended.set()
        probe.join()
        if outcome.cause == "memory":
            raise ContainerFailure(f"The container of {self._serving.title} used more memory than {MEMORY} allows.")
        return healthy

    def _write(self, lines: list[str]) -> None:
        with self._folder.log.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        self.log.write(lines)

    def _environ(self, image: Image, port: int) -> dict[str, str]:
        asked = {**self._serving.definition.get("Environment", {}), **self._serving.environ}
        return {
            **environment.container(self._folder, image, self._context.connection.region),
            **{name: self._folder.relocate(value) for name, value in asked.items()},
            **environment.base(self._folder),
            "SAGEMAKER_BIND_HOST": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "SM_MODEL_DIR": str(self._folder.model),
        }

    def _probe(self, process: ContainerProcess, port: int, ended: threading.Event) -> None:
        """Ask /ping until it answers 200; a container that never does is killed."""
        pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=64, block=False, retries=False)
        until = time.monotonic() + self._serving.startup
        while not ended.wait(_PING_PERIOD):
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if pool.request("GET", "/ping", timeout=_PING_TIMEOUT).status == 200:
                    self._program = Program(process, pool)
                    self._ready.set()
                    self._on_change(None)
                    return
            if time.monotonic() > until:
                process.signal(signal.SIGKILL)
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
