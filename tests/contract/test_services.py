"""S3 on disk and the other services."""

import io
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from contract.cloud import Cloud, error_of, unique
from local_sagemaker import Connection

MIB = 1 << 20


@pytest.mark.parametrize(
    "key", ["plain", "deep/er/x.txt", "sp ace+plus&amp=?.txt", "ünï/çödé ☃", "a//b", "tilde~(x)'*!"]
)
def test_keys_round_trip(cloud: Cloud, key: str) -> None:
    body = key.encode() * 10
    cloud.s3.put_object(
        Bucket=cloud.bucket, Key=f"keys/{key}", Body=body, ContentType="text/x", Metadata={"my_note": "a b"}
    )
    answer = cloud.s3.get_object(Bucket=cloud.bucket, Key=f"keys/{key}")
    assert answer["Body"].read() == body
    assert (answer["ContentType"], answer["Metadata"]) == ("text/x", {"my_note": "a b"})


def test_ranges_copies_and_deletes(cloud: Cloud, workspace: Path) -> None:
    cloud.put("ops/source", b"0123456789")
    part = cloud.s3.get_object(Bucket=cloud.bucket, Key="ops/source", Range="bytes=2-4")
    assert part["Body"].read() == b"234"
    cloud.s3.copy_object(Bucket=cloud.bucket, Key="ops/copy", CopySource={"Bucket": cloud.bucket, "Key": "ops/source"})
    cloud.s3.delete_object(Bucket=cloud.bucket, Key="ops/source")
    assert cloud.get(f"s3://{cloud.bucket}/ops/copy") == b"0123456789"
    assert error_of(cloud.s3.get_object, Bucket=cloud.bucket, Key="ops/source")[0] == "NoSuchKey"


def test_overwriting_keeps_one_file(cloud: Cloud, workspace: Path) -> None:
    def blobs() -> int:
        return sum(1 for _ in (workspace / "s3" / "blobs").glob("??/*"))

    cloud.put("overwritten", b"1")
    before = blobs()
    for number in range(5):
        cloud.put("overwritten", str(number).encode())
    assert blobs() == before
    cloud.s3.delete_objects(Bucket=cloud.bucket, Delete={"Objects": [{"Key": "overwritten"}]})
    assert blobs() == before - 1


def test_multipart(cloud: Cloud) -> None:
    data = bytes(range(256)) * (20 * MIB // 256)
    small_parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    cloud.s3.upload_fileobj(io.BytesIO(data), cloud.bucket, "multipart", Config=small_parts)
    head = cloud.s3.head_object(Bucket=cloud.bucket, Key="multipart")
    assert head["ContentLength"] == len(data)
    assert head["ETag"].endswith('-4"')
    target = io.BytesIO()
    cloud.s3.download_fileobj(cloud.bucket, "multipart", target, Config=small_parts)
    assert target.getvalue() == data


@pytest.mark.parametrize("options", [{"payload_signing_enabled": False}, {"payload_signing_enabled": True}])
def test_payload_signing(cloud: Cloud, server: Connection, options: dict) -> None:
    import boto3

    session = boto3.Session(server.access_key_id, server.secret_access_key, region_name=server.region)
    s3 = session.client("s3", endpoint_url=server.endpoint_url, config=Config(s3=options))
    for algorithm in ("CRC32", "SHA256"):
        s3.put_object(Bucket=cloud.bucket, Key="signed", Body=b"body", ChecksumAlgorithm=algorithm)
        assert cloud.get(f"s3://{cloud.bucket}/signed") == b"body"


@pytest.mark.http
def test_a_streamed_body_with_trailing_checksum(cloud: Cloud, server: Connection) -> None:
    """What clients send over TLS: aws-chunked, the checksum behind the body, the payload unsigned."""
    import urllib.request
    from base64 import b64encode
    from zlib import crc32

    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    checksum = b64encode(crc32(b"streamed").to_bytes(4, "big")).decode()
    body = f"8\r\nstreamed\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()
    url = f"{server.endpoint_url}/{cloud.bucket}/streamed"
    headers = {
        "Content-Encoding": "aws-chunked",
        "Content-Type": "text/plain",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "X-Amz-Decoded-Content-Length": "8",
        "Content-Length": str(len(body)),
    }
    request = AWSRequest("PUT", url, headers=headers, data=body)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer", "algorithm": "crc32", "name": "x"}}
    S3SigV4Auth(Credentials(server.access_key_id, server.secret_access_key), "s3", server.region).add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    sent = urllib.request.Request(url, data=body, headers=dict(request.headers.items()), method="PUT")
    assert urllib.request.urlopen(sent).status == 200
    assert cloud.get(f"s3://{cloud.bucket}/streamed") == b"streamed"


def test_versions(cloud: Cloud) -> None:
    bucket = unique("versioned")
    cloud.s3.create_bucket(Bucket=bucket)
    cloud.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = cloud.s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    cloud.s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    assert cloud.s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    cloud.s3.delete_object(Bucket=bucket, Key="k")
    assert error_of(cloud.s3.get_object, Bucket=bucket, Key="k")[0] == "NoSuchKey"


def test_the_default_bucket_and_role(cloud: Cloud, server: Connection) -> None:
    assert cloud.bucket in [bucket["Name"] for bucket in cloud.s3.list_buckets()["Buckets"]]
    iam = cloud.connect(server, "iam")
    role = iam.get_role(RoleName=server.role_arn.rpartition("/")[2])["Role"]
    principal = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert principal == {"Service": "sagemaker.amazonaws.com"}


def test_policy_simulation(cloud: Cloud, server: Connection) -> None:
    iam = cloud.connect(server, "iam")
    actions = ["s3:GetObject", "sagemaker:CreateTrainingJob"]
    answer = iam.simulate_principal_policy(PolicySourceArn=server.role_arn, ActionNames=actions)
    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == dict.fromkeys(actions, "allowed")
    stranger = server.role_arn + "X"
    code, status, _ = error_of(iam.simulate_principal_policy, PolicySourceArn=stranger, ActionNames=actions)
    assert (code, status) == ("NoSuchEntity", 404)


def test_ecr_and_sts(cloud: Cloud, server: Connection) -> None:
    uri = cloud.connect(server, "ecr").create_repository(repositoryName="signal-labs")["repository"]["repositoryUri"]
    assert uri.endswith("/signal-labs")
    assert cloud.connect(server, "sts").get_caller_identity()["Account"] == "123456789012"
