"""One server for the whole suite, in a temporary workspace, with a tiny image; clients are the real boto3.

`pytest tests/contract --transport in-process` leaves out the socket: the server is then a part of this process.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.client import BaseClient
from botocore.config import Config

import local_sagemaker
from contract.cloud import Cloud
from contract.in_process import Transport
from contract.processors import Processors
from contract.target import Target
from lab_utils.session import LabSession
from local_sagemaker import Connection

HERE = Path(__file__).parent
SECRET_OF_THE_CALLER = "caller-secret-value"


@pytest.fixture(scope="package")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The registry of the tests' images; their environments are built in a temporary folder."""
    folder = tmp_path_factory.mktemp("images")
    shutil.copytree(HERE / "images", folder, dirs_exist_ok=True)
    registry = folder / "images.toml"
    registry.write_text(registry.read_text().replace("PYTHON", f"{sys.version_info.major}.{sys.version_info.minor}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABS_IMAGES_DIR", str(folder / "environments"))
        patch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
        patch.setenv("CALLER_SECRET", SECRET_OF_THE_CALLER)
        patch.setenv("LOCAL_SAGEMAKER_STOP_SECONDS", "1")
        yield registry


@pytest.fixture(scope="package")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@contextmanager
def over_http(workspace: Path, images: Path) -> Iterator[Connection]:
    yield local_sagemaker.start(workspace, images)
    local_sagemaker.stop(workspace)


@pytest.fixture(scope="package")
def server(workspace: Path, images: Path, pytestconfig: pytest.Config) -> Iterator[Connection]:
    """The running server; its variables are in this process's environment, for the SageMaker SDK."""
    serving = over_http if pytestconfig.getoption("transport") == "http" else Transport().serving
    with serving(workspace, images) as connection, pytest.MonkeyPatch.context() as patch:
        for name, value in connection.environ().items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_CONFIG_FILE"):
            patch.delenv(name, raising=False)
        yield connection


@pytest.fixture(scope="package")
def connect() -> Callable[..., BaseClient]:
    """Makes boto3 clients for a connection: connect(connection, "s3", secret=...)."""

    def make(connection: Connection, service: str, **keys: str) -> BaseClient:
        session = boto3.Session(
            keys.get("key_id", connection.access_key_id),
            keys.get("secret", connection.secret_access_key),
            region_name=keys.get("region", connection.region),
        )
        once = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        return session.client(service, endpoint_url=connection.endpoint_url, config=once)

    return make


@pytest.fixture(scope="package")
def cloud(server: Connection, connect: Callable[..., BaseClient]) -> Cloud:
    """Clients and helpers for the shared server."""
    return Cloud(server, connect)


@pytest.fixture(scope="package")
def lab(cloud: Cloud) -> LabSession:
    """The labs' session with the shared server."""
    connection = cloud.connection
    session = boto3.Session(connection.access_key_id, connection.secret_access_key, region_name=connection.region)
    return LabSession("local", session, connection.role_arn, connection.bucket, "labs", connection.region)


@pytest.fixture
def fresh_workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace of its own for a test that starts and kills servers."""
    folder = tmp_path / "workspace"
    yield folder
    local_sagemaker.stop(folder)


@pytest.fixture(scope="package")
def target(request: pytest.FixtureRequest, images: Path, connect, tmp_path_factory) -> Iterator[Target]:
    """The shared server where it is in this process, else one for these tests alone."""
    if request.config.getoption("transport") == "in-process":
        cloud = request.getfixturevalue("cloud")
        yield Target(Transport.current, cloud)
        return
    workspace, transport = tmp_path_factory.mktemp("fuzz"), Transport()
    with transport.serving(workspace, images) as connection:
        yield Target(transport, Cloud(connection, connect))
    left = [p for p in psutil.process_iter() if str(workspace) in base_dir(p)]
    assert left == []


def base_dir(process: psutil.Process) -> str:
    try:
        return process.environ().get("SAGEMAKER_BASE_DIR", "")
    except psutil.Error:
        return ""


@pytest.fixture(scope="package")
def processors(cloud: Cloud) -> Processors:
    """Processing jobs on the shared server."""
    return Processors(cloud)
