"""A workspace: the folder that holds one embedded SageMaker's secret, records, objects and jobs."""

from __future__ import annotations

import hashlib
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.files import read_json, write_json

ACCOUNT_ID = "123456789012"  # the account of AWS's documentation; moto answers for it
DEFAULT_REGION = "us-east-1"
ROLE_NAME = "SageMakerExecutionRole"


def code_digest() -> str:
    """Hash of this package's sources: does a server run the code that its user has?"""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class ServerError(Exception):
    """The embedded SageMaker could not be started, found or stopped; the message is one clear line."""


@dataclass(frozen=True)
class Credentials:
    """The one key pair that a workspace's server accepts."""

    access_key_id: str
    secret_access_key: str
    region: str

    @classmethod
    def generate(cls, region: str) -> Credentials:
        letters = string.ascii_uppercase + "234567"
        key_id = "AKIA" + "".join(secrets.choice(letters) for _ in range(16))
        return cls(key_id, secrets.token_urlsafe(30), region)


@dataclass(frozen=True)
class Connection:
    """How a client reaches a running embedded SageMaker."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    role_arn: str
    bucket: str
    sdk_config: Path
    pid: int

    def environ(self) -> dict[str, str]:
        """Variables under which boto3, the SageMaker SDK and the AWS CLI use this server."""
        bypass = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        hosts = ",".join(dict.fromkeys(filter(None, [*bypass.split(","), "127.0.0.1"])))
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": "",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(self.sdk_config),
            "NO_PROXY": hosts,
            "no_proxy": hosts,
        }


class Workspace:
    """Paths and small files below the workspace folder (mode 0700)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).expanduser().absolute()
        self.records = self.root / "records"
        self.objects = self.root / "s3"
        self.jobs = self.root / "jobs"
        self.endpoints = self.root / "endpoints"
        self.logs = self.root / "logs"
        self.server_file = self.root / "server.json"
        self.server_log = self.root / "server.log"
        self.start_lock = self.root / "start.lock"
        self.server_lock = self.root / "server.lock"
        self.sdk_config = self.root / "sdk.yaml"
        self._credentials = self.root / "credentials.json"

    def prepare(self, region: str = DEFAULT_REGION) -> None:
        """Create the folders, the secret and the SDK's configuration where they are missing.

        Raises ServerError when the folder cannot be created.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            for folder in (self.records, self.objects, self.jobs, self.endpoints, self.logs):
                folder.mkdir(exist_ok=True, mode=0o700)
            if read_json(self._credentials) is None:
                write_json(self._credentials, asdict(Credentials.generate(region)))
            write_json(self.sdk_config, self._sdk_settings())  # JSON is YAML
        except OSError as error:
            raise ServerError(f"workspace {self.root}: {error.strerror}") from error

    @property
    def credentials(self) -> Credentials:
        stored = read_json(self._credentials)
        if stored is None:
            raise ServerError(f"workspace {self.root} holds no credentials: start it first")
        return Credentials(**stored)

    @property
    def bucket(self) -> str:
        """The default bucket, named as the SDK names it."""
        return f"sagemaker-{self.credentials.region}-{ACCOUNT_ID}"

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE_NAME}"

    def server(self) -> dict[str, Any] | None:
        """What the server wrote about itself (pid, created, port, instance, images), if it ever ran."""
        return read_json(self.server_file)

    def connection(self) -> Connection:
        """The connection to the server that server.json names."""
        server, credentials = self.server(), self.credentials
        if server is None:
            raise ServerError(f"no server runs in workspace {self.root}")
        return Connection(
            endpoint_url=f"http://127.0.0.1:{server['port']}",
            region=credentials.region,
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            role_arn=self.role_arn,
            bucket=self.bucket,
            sdk_config=self.sdk_config,
            pid=server["pid"],
        )

    def _sdk_settings(self) -> dict[str, Any]:
        # Without the bucket the SDK asks STS at its public address; telemetry would go to the network.
        modules = {"TelemetryOptOut": True, "Session": {"DefaultS3Bucket": self.bucket}}
        return {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}
