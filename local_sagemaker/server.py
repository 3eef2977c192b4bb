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
from local_sagemaker.workspace import ServerError, Workspace

log = logging.getLogger(__name__)


def serve(root: Path, images: Path) -> None:
    """Run the server of a workspace until SIGTERM or SIGINT. Raises ServerError when one runs already."""
    workspace = Workspace(root)
    workspace.prepare()
    with workspace.server_lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(f"a server runs already in workspace {workspace.root}") from None
        _serve(workspace, images)


def _serve(workspace: Workspace, images: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        instance = secrets.token_hex(16)
        _announce(workspace, images, port, instance)
        services = AwsServices(workspace)
        context = Context(
            workspace, workspace.connection(), services, Objects(services), Registry(images), Store(workspace.records)
        )
        sagemaker = SageMaker(context)
        application = Application(context, sagemaker, instance, port)
        server = Server(listener, application)
        threading.Thread(target=_recover, args=(services, sagemaker, workspace), daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.1)
    sagemaker.close()
    kill_strays(workspace.root)
    sagemaker.join(timeout=3)
    workspace.server_file.unlink(missing_ok=True)


def _announce(workspace: Workspace, images: Path, port: int, instance: str) -> None:
    import psutil

    about = {"pid": os.getpid(), "created": psutil.Process().create_time(), "port": port, "instance": instance}
    write_json(workspace.server_file, {**about, "images": str(images)})


def _recover(services: AwsServices, sagemaker: SageMaker, workspace: Workspace) -> None:
    """What an earlier server left, before requests are let in; then the slow imports that they would wait for."""
    try:
        kill_strays(workspace.root)
        sagemaker.recover()
        services.load()
        model.load()
    except Exception:
        log.exception("start of workspace %s", workspace.root)
        os.kill(os.getpid(), signal.SIGTERM)


def main(root: str, images: str) -> None:
    """Entry point of the server process."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    serve(Path(root), Path(images))
