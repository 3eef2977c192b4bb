"""The server process of one workspace."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path

from local_sagemaker.api import model
from local_sagemaker.api.context import Context
from local_sagemaker.app import Application
from local_sagemaker.aws.objects import Objects
from local_sagemaker.aws.services import AwsServices
from local_sagemaker.files import write_json
from local_sagemaker.images import Registry
from local_sagemaker.jobs.process import kill_strays
from local_sagemaker.sagemaker import SageMaker
from local_sagemaker.store import Store
from local_sagemaker.web import Server
from local_sagemaker.workspace import ServerError, Workspace, code_digest

log = logging.getLogger(__name__)


def serve(root: Path, images: Path, port: int = 0) -> None:
    """Run the server of a workspace until SIGTERM or SIGINT, at ``port`` if that is free.

    Raises ServerError when one runs already.
    """
    workspace = Workspace(root)
    workspace.prepare()
    with workspace.server_lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(f"a server runs already in workspace {workspace.root}") from None
        _serve(workspace, images, port)


class Emulator:
    """A workspace's services as one WSGI application, with what runs its jobs; a socket is not part of it."""

    def __init__(self, workspace: Workspace, images: Path, port: int) -> None:
        """Announce the server in the workspace; ``port`` is the one that requests must name as their host's."""
        instance = secrets.token_hex(16)
        _announce(workspace, images, port, instance)
        self._workspace, self._services = workspace, AwsServices(workspace)
        services, store = self._services, Store(workspace.records)
        self._store = store
        context = Context(workspace, workspace.connection(), services, Objects(services), Registry(images), store)
        self.sagemaker = SageMaker(context)
        self.application = Application(context, self.sagemaker, instance, port)

    def recover(self) -> None:
        """What an earlier server left, before requests are let in; then the slow imports that they would wait for."""
        kill_strays(self._workspace.root)
        self._store.remove_leftovers()
        self.sagemaker.recover()
        self._services.load()
        model.load()

    def close(self) -> None:
        """End all that runs; no process of the workspace is left."""
        self.sagemaker.close()
        kill_strays(self._workspace.root)
        self.sagemaker.join(timeout=3)
        self._workspace.server_file.unlink(missing_ok=True)


def _serve(workspace: Workspace, images: Path, port: int) -> None:
    with _listen(port) as listener:
        emulator = Emulator(workspace, images, listener.getsockname()[1])
        server = Server(listener, emulator.application)
        threading.Thread(target=_recover, args=(emulator, workspace), daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.1)
    emulator.close()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError:
        return socket.create_server(("127.0.0.1", 0), backlog=128)


def _announce(workspace: Workspace, images: Path, port: int, instance: str) -> None:
    import psutil

    about = {"pid": os.getpid(), "created": psutil.Process().create_time(), "port": port, "instance": instance}
    write_json(workspace.server_file, {**about, "images": str(images), "code": code_digest()})


def _recover(emulator: Emulator, workspace: Workspace) -> None:
    try:
        emulator.recover()
    except Exception:
        log.exception("start of workspace %s", workspace.root)
        os.kill(os.getpid(), signal.SIGTERM)


def main(root: str, images: str, port: str) -> None:
    """Entry point of the server process."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    serve(Path(root), Path(images), int(port))
