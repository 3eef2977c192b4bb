"""An embedded SageMaker for one measurement: a workspace of its own, an image with the smallest programs there are."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config

import local_sagemaker
from local_sagemaker import Connection

REGISTRY = f"""
[images.bench]
python = "{sys.version_info.major}.{sys.version_info.minor}"
train = ["train.py"]
serve = ["serve.py"]
uris = ['bench$']
"""
TRAIN = """
import json, os, pathlib, time
print(time.time(), flush=True)
given = json.loads(pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "input/config/hyperparameters.json").read_text())
print(f"loss={(float(given.get('x', 0)) - 0.3) ** 2:.9f};")
"""
SERVE = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments):
        pass

print(os.environ["SAGEMAKER_BIND_TO_PORT"], flush=True)
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""
CONNECTIONS = 64


@contextmanager
def new_workspace() -> Iterator[tuple[Path, Path]]:
    """A workspace in which no server runs yet, and the image's registry."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        registry = root / "images.toml"
        registry.write_text(REGISTRY)
        (root / "train.py").write_text(TRAIN)
        (root / "serve.py").write_text(SERVE)
        with patch.dict(os.environ, {"LABS_IMAGES_DIR": str(root / "environments")}):
            try:
                yield root / "workspace", registry
            finally:
                local_sagemaker.stop(root / "workspace")


@contextmanager
def running() -> Iterator[Connection]:
    """The connection to a server in a new workspace."""
    with new_workspace() as (workspace, registry):
        yield local_sagemaker.start(workspace, registry)


def client(connection: Connection, service: str) -> Any:
    """A boto3 client that does not hide a failure by asking again."""
    session = boto3.Session(connection.access_key_id, connection.secret_access_key, region_name=connection.region)
    config = Config(max_pool_connections=CONNECTIONS, retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=connection.endpoint_url, config=config)
