# ruff: noqa: E402  (MXNet imports only after compat.prepare)
"""`--weights zoo`, from a zoo on this machine: GluonCV's own download, its check and what a job says of a failure."""

import argparse
import hashlib
import os
import tempfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ssd import compat

compat.prepare()

from gluoncv.model_zoo import model_store
from sagemaker_contract import UserError
from ssd import weights

NETWORK = "ssd_300_mobilenet0.25_voc"
CONTENT = b"parameters"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def publish(folder: Path, content: bytes) -> None:
    """Put a file into the zoo under the name that its right content has."""
    name = f"{NETWORK}-{model_store.short_hash(NETWORK)}"
    (folder / "gluon/models").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"gluon/models/{name}.zip", "w") as archive:
        archive.writestr(f"{name}.params", content)


def resolve(network: str) -> Path:
    return weights.resolve(argparse.Namespace(weights="zoo", network=network, model_channel=None))


def refused(network: str) -> str:
    try:
        return f"taken: {resolve(network)}"
    except UserError as error:
        return str(error)


with tempfile.TemporaryDirectory() as folder:
    zoo = Path(folder, "zoo")
    model_store._model_sha1[NETWORK] = hashlib.sha1(CONTENT).hexdigest()
    publish(zoo, b"other")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(zoo))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ |= {"LABS_WEIGHTS_DIR": f"{folder}/cache", "no_proxy": "127.0.0.1"}
        os.environ["MXNET_GLUON_REPO"] = f"http://127.0.0.1:{server.server_port}"
        assert "different hash" in refused(NETWORK)
        publish(zoo, CONTENT)
        assert resolve(NETWORK).read_bytes() == CONTENT
        assert "--weights zoo: nothing for --network small" in refused("small")
        assert "Failed downloading" in refused("ssd_512_resnet50_v1_voc")
        (zoo / f"gluon/models/ssd_512_resnet50_v1_voc-{model_store.short_hash('ssd_512_resnet50_v1_voc')}.zip").touch()
        assert "not a zip file" in refused("ssd_512_resnet50_v1_voc")
        server.shutdown()
    assert resolve(NETWORK).parent == Path(folder, "cache")  # once is enough
