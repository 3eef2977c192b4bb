"""Connecting: what a user can get wrong, and what may not leak."""

import os

import boto3
import pytest

from lab_utils import session
from lab_utils.errors import ConfigError

ROLE = "arn:aws:iam::111122223333:role/labs"


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """A machine without any AWS configuration."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_unknown_backend_is_named():
    with pytest.raises(ConfigError, match=r"'azure'.*local, aws"):
        session.connect("azure")


@pytest.mark.parametrize("bucket", ["UPPER", "a", "under_score", "s3://bucket", "-x-"])
def test_bad_bucket_names_are_refused(bucket):
    with pytest.raises(ConfigError, match="not an S3 bucket name"):
        session.connect("aws", bucket=bucket)


@pytest.mark.parametrize("prefix", ["", "under_score", "-x", "a" * 31, "s3://x"])
def test_bad_prefixes_are_refused(prefix):
    with pytest.raises(ConfigError, match="prefix"):
        session.connect("aws", prefix=prefix)


def test_names_start_with_the_prefix():
    lab = session.LabSession("aws", boto3.Session(), ROLE, "bucket", "team/ann", "eu-west-1")
    assert lab.named("detectron2") == "team-ann-detectron2"


def test_aws_without_region(no_aws):
    with pytest.raises(ConfigError, match=r"no AWS region.*AWS_DEFAULT_REGION"):
        session.connect("aws")


def test_aws_without_credentials(no_aws):
    with pytest.raises(ConfigError, match=r"no AWS credentials.*aws configure"):
        session.connect("aws", region="eu-west-1")


def test_outputs_show_neither_role_nor_bucket():
    lab = session.LabSession("aws", boto3.Session(), ROLE, "sagemaker-eu-west-1-111122223333", "p", "eu-west-1")
    assert "111122223333" not in repr(lab)
    assert "eu-west-1" in repr(lab)


def test_uri():
    lab = session.LabSession("aws", boto3.Session(), ROLE, "bucket", "labs", "eu-west-1")
    assert lab.uri("data", "x") == "s3://bucket/labs/data/x"


def test_leaving_the_local_backend_restores_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "before")
    monkeypatch.setitem(session._replaced, "AWS_ENDPOINT_URL", None)
    session._forget_local()
    assert "AWS_ENDPOINT_URL" not in os.environ
    monkeypatch.setitem(session._replaced, "AWS_ENDPOINT_URL", "mine")
    session._forget_local()
    assert os.environ["AWS_ENDPOINT_URL"] == "mine"
