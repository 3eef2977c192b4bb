"""One session object for both backends: the embedded SageMaker and AWS."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab_utils import paths
from lab_utils.errors import ConfigError

if TYPE_CHECKING:
    import boto3
    from sagemaker.core.helper.session_helper import Session

BACKENDS = ("local", "aws")
_PREFIX = re.compile(r"^[A-Za-z0-9][A-Za-z0-9/-]{0,29}$")
_replaced: dict[str, str | None] = {}  # variables that a local connection set, with their values before
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")


@dataclass(frozen=True)
class LabSession:
    """What a lab needs to talk to SageMaker; the same fields mean the same on both backends.

    Attributes:
        backend: `local` (the embedded SageMaker) or `aws`.
        boto_session: boto3 session with region and credentials.
        role: ARN of the execution role for jobs and endpoints.
        bucket: S3 bucket of the labs.
        prefix: key prefix in that bucket, without slashes at its ends; also the start of all names (`named`).
        region: AWS region.
    """

    backend: str
    boto_session: "boto3.Session"
    role: str
    bucket: str
    prefix: str
    region: str

    @cached_property
    def sagemaker_session(self) -> "Session":
        """Session of the SageMaker SDK v3 (whose import takes seconds, hence on first use)."""
        from sagemaker.core.helper.session_helper import Session

        return Session(boto_session=self.boto_session, default_bucket=self.bucket)

    def uri(self, *parts: str) -> str:
        """`s3://bucket/prefix/part/part` (no slash at the end)."""
        return "/".join([f"s3://{self.bucket}", self.prefix, *parts])

    def named(self, name: str) -> str:
        """Start of the names of jobs, endpoints and models: `prefix-name`, which tells them from other people's."""
        return f"{self.prefix.replace('/', '-')}-{name}"

    def client(self, service: str) -> Any:
        """A boto3 client of this session; calls from several threads may share it."""
        from botocore.config import Config

        return self.boto_session.client(service, config=Config(max_pool_connections=32))

    def __repr__(self) -> str:  # the ARN and the bucket hold the account's number: keep them out of outputs
        return f"LabSession(backend={self.backend!r}, region={self.region!r}, prefix={self.prefix!r})"


def connect(
    backend: str = "local",
    *,
    region: str | None = None,
    role: str | None = None,
    bucket: str | None = None,
    prefix: str = "signal-labs",
    workspace: str | Path | None = None,
) -> LabSession:
    """Connect to the embedded SageMaker (started when it is not running) or to AWS.

    Args:
        backend: `local` or `aws`.
        region: AWS region; default: the environment's (`aws`), the embedded server's (`local`).
        role: ARN of the execution role; default: Studio's own role (`aws`), the embedded one (`local`).
        bucket: S3 bucket; default: the SDK's default bucket of the account and region.
        prefix: key prefix of everything the labs write, and start of all names; in a shared account, one a person.
        workspace: folder of the embedded SageMaker's state; default `paths.workspace()`.

    Raises:
        ConfigError: unknown backend, or no region, credentials or role on AWS.
    """
    if backend not in BACKENDS:
        raise ConfigError(f"unknown backend {backend!r}: expected one of {', '.join(BACKENDS)}")
    if bucket is not None and not _BUCKET.match(bucket):
        raise ConfigError(f"not an S3 bucket name: {bucket!r}")
    if not _PREFIX.match(prefix := prefix.strip("/")):
        raise ConfigError(f"prefix {prefix!r}: expected up to 30 letters, digits, hyphens and slashes")
    opener = _connect_local if backend == "local" else _connect_aws
    return opener(region, role, bucket, prefix, workspace)


def _connect_local(
    region: str | None, role: str | None, bucket: str | None, prefix: str, workspace: str | Path | None
) -> LabSession:
    import local_sagemaker

    connection = local_sagemaker.start(
        Path(workspace or paths.workspace()), paths.project() / "containers" / "images.toml"
    )
    if region not in (None, connection.region):
        raise ConfigError(f"the embedded SageMaker is in {connection.region}, not in {region}")
    # The SDK's resource classes open clients of their own: they find the server through the environment.
    _forget_local()
    for name, value in connection.environ().items():
        _replaced[name] = os.environ.get(name)
        os.environ[name] = value
    import boto3

    session = boto3.Session(
        aws_access_key_id=connection.access_key_id,
        aws_secret_access_key=connection.secret_access_key,
        region_name=connection.region,
    )
    return LabSession(
        "local", session, role or connection.role_arn, bucket or connection.bucket, prefix, connection.region
    )


def _connect_aws(
    region: str | None, role: str | None, bucket: str | None, prefix: str, workspace: str | Path | None
) -> LabSession:
    _forget_local()
    import boto3

    session = boto3.Session(region_name=region)
    check_aws(session)
    from sagemaker.core.helper.session_helper import Session, get_execution_role

    sagemaker_session = Session(boto_session=session, default_bucket=bucket)
    try:
        role = role or get_execution_role(sagemaker_session)
    except ValueError as error:
        raise ConfigError(f"no execution role here: pass role= its ARN ({error})") from error
    return LabSession("aws", session, role, sagemaker_session.default_bucket(), prefix, session.region_name)


def check_aws(session: "boto3.Session") -> None:
    """Raise a ConfigError that says how to mend it unless the session has a region and credentials."""
    if session.region_name is None:
        raise ConfigError("no AWS region: set AWS_DEFAULT_REGION, or pass region=")
    if session.get_credentials() is None:
        raise ConfigError("no AWS credentials: run `aws configure` or `aws sso login`, or work in SageMaker Studio")


def _forget_local() -> None:
    """Undo what an earlier local connection of this kernel put into the environment."""
    for name, value in _replaced.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _replaced.clear()
