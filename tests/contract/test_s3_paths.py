"""Our own answers about objects beside moto's to the same request: a request with an Origin is moto's to answer."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from contract.cloud import Cloud, error_of, unique
from local_sagemaker import Connection

_OWN = {
    "date", "connection", "server", "x-amz-request-id", "x-amzn-requestid", "x-amz-sdk-checksum-algorithm",
    "x-amz-content-sha256", "x-amz-checksum-type", "last-modified", "content-type", "content-length",
}  # fmt: skip
DATA = b"0123456789" * 20
PAST, FUTURE = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(days=2)


@pytest.fixture(scope="module")
def moto(server: Connection, connect: Callable[..., BaseClient]) -> BaseClient:
    """A client of S3 whose requests moto answers."""
    client = connect(server, "s3")

    def add_origin(request: Any, **_: Any) -> None:
        request.headers["Origin"] = "http://oracle.example"

    client.meta.events.register("before-sign.s3", add_origin)
    return client


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    name = unique("paths")
    cloud.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def stored(cloud: Cloud, moto: BaseClient, bucket: str) -> str:
    """The key of two objects with the same attributes: ``own/`` and ``moto/`` stored by the one and the other."""
    attributes = {
        "Body": DATA, "ContentType": "text/x-test", "CacheControl": "no-cache", "ContentLanguage": "en",
        "ContentDisposition": 'attachment; filename="x"', "ContentEncoding": "identity", "Expires": FUTURE,
        "Metadata": {"one": "1", "two_words": "a  b"},
    }  # fmt: skip
    for folder, client in (("own", cloud.s3), ("moto", moto)):
        client.put_object(Bucket=bucket, Key=f"{folder}/full", **attributes)
        client.put_object(Bucket=bucket, Key=f"{folder}/bare", Body=DATA)
        client.put_object(Bucket=bucket, Key=f"{folder}/empty", Body=b"")
    return "full"


def ask(client: BaseClient, operation: str, **arguments: Any) -> dict[str, Any]:
    """Status, headers, body and error of one request."""
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as error:
        answer = error.response
    about = answer["ResponseMetadata"]
    if about["HTTPStatusCode"] in (304, 412):  # moto sends what comes with a whole object, or nothing
        return {"status": about["HTTPStatusCode"], "code": answer["Error"]["Code"]}
    headers = {name: value for name, value in about["HTTPHeaders"].items() if name not in _OWN}
    body = answer["Body"].read() if "Body" in answer else None
    members = {name: answer.get(name) for name in ("ContentType", "ContentLength", "Metadata", "ChecksumCRC32")}
    return {"status": about["HTTPStatusCode"], "headers": headers, "body": body, **members, "error": _error(answer)}


def _error(answer: dict[str, Any]) -> dict[str, Any] | None:
    error = answer.get("Error")
    return None if error is None else {name: error.get(name) for name in ("Code", "Key")}


def _label(value: Any) -> str:
    return " ".join(f"{k}={'time' if isinstance(v, datetime) else v}" for k, v in value.items()) or "plain"


CONDITIONS: list[dict[str, Any]] = [
    {}, {"ChecksumMode": "ENABLED"}, {"IfMatch": "ETAG"}, {"IfMatch": '"other"'}, {"IfNoneMatch": "ETAG"},
    {"IfNoneMatch": '"other"'}, {"IfModifiedSince": PAST}, {"IfModifiedSince": FUTURE}, {"IfUnmodifiedSince": PAST},
    {"IfUnmodifiedSince": FUTURE}, {"Range": "bytes=0-4"}, {"Range": "bytes=190-"}, {"Range": "bytes=-7"},
    {"Range": "bytes=0-0"}, {"Range": "bytes=5-100000"}, {"Range": "bytes=200-"}, {"Range": "bytes=5-2"},
    {"Range": "bytes=0-1,4-5"}, {"Range": "bytes=a-b"}, {"Range": "bytes=0-199"},
]  # fmt: skip


@pytest.mark.parametrize("conditions", CONDITIONS, ids=_label)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
@pytest.mark.parametrize("key", ["own/full", "moto/full", "own/bare"])
def test_reads(
    cloud: Cloud, moto: BaseClient, bucket: str, stored: str, key: str, operation: str, conditions: dict[str, Any]
) -> None:
    etag = cloud.s3.head_object(Bucket=bucket, Key=key)["ETag"]
    arguments = {name: etag if value == "ETAG" else value for name, value in conditions.items()}
    own = ask(cloud.s3, operation, Bucket=bucket, Key=key, **arguments)
    assert own == ask(moto, operation, Bucket=bucket, Key=key, **arguments)


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
@pytest.mark.parametrize("key", ["own/empty", "moto/empty", "own/none", "own/"])
def test_edges(cloud: Cloud, moto: BaseClient, bucket: str, stored: str, key: str, operation: str) -> None:
    for name, more in ((bucket, {}), (bucket, {"Range": "bytes=0-"}), ("no-such-bucket-here", {})):
        arguments = {"Bucket": name, "Key": key, **more}
        assert ask(cloud.s3, operation, **arguments) == ask(moto, operation, **arguments)


def test_a_not_modified_answer(cloud: Cloud, bucket: str, stored: str) -> None:
    etag = cloud.s3.head_object(Bucket=bucket, Key="own/full")["ETag"]
    with pytest.raises(ClientError) as raised:
        cloud.s3.get_object(Bucket=bucket, Key="own/full", IfNoneMatch=etag)
    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["etag"], headers["cache-control"]) == (etag, "no-cache")
    assert not {"content-type", "content-length"} & headers.keys()


def test_both_store_the_same(cloud: Cloud, bucket: str, stored: str) -> None:
    for name in ("full", "bare", "empty"):
        own, other = (ask(cloud.s3, "get_object", Bucket=bucket, Key=f"{way}/{name}") for way in ("own", "moto"))
        assert own == other


@pytest.mark.parametrize("conditions", [{"IfNoneMatch": "*"}, {"IfMatch": "ETAG"}, {"IfMatch": '"other"'}], ids=_label)
@pytest.mark.parametrize("there", [True, False])
def test_conditional_writes(
    cloud: Cloud, moto: BaseClient, bucket: str, there: bool, conditions: dict[str, Any]
) -> None:
    answers = []
    for client in (cloud.s3, moto):
        key = unique("conditional")
        etag = client.put_object(Bucket=bucket, Key=key, Body=b"old")["ETag"]
        if not there:
            client.delete_object(Bucket=bucket, Key=key)
        arguments = {name: etag if value == "ETAG" else value for name, value in conditions.items()}
        answer = ask(client, "put_object", Bucket=bucket, Key=key, Body=b"new", **arguments)
        if answer.get("error"):
            answer["error"]["Key"] = None  # names the test's own key
        answers.append((answer, ask(client, "get_object", Bucket=bucket, Key=key)["body"]))
    assert answers[0] == answers[1]


KEYS = ["a", "a/b", "a/b/c", "a/c", "b c+d&e=f", "b/", "ü/☃", "z/1", "z/2", "z0"]
LISTINGS: list[dict[str, Any]] = [
    {}, {"Prefix": "a"}, {"Prefix": "a/"}, {"Prefix": "none"}, {"Delimiter": "/"}, {"Delimiter": "/", "Prefix": "a/"},
    {"Delimiter": "b"}, {"MaxKeys": 3}, {"MaxKeys": 3, "Delimiter": "/"}, {"MaxKeys": 0}, {"MaxKeys": 1},
    {"StartAfter": "a/b"}, {"StartAfter": "a/b", "MaxKeys": 2}, {"Prefix": "z", "Delimiter": "/", "MaxKeys": 1},
    {"EncodingType": "url"}, {"EncodingType": "url", "Delimiter": "/"}, {"Prefix": "ü"},
]  # fmt: skip


@pytest.fixture(scope="module")
def listed(cloud: Cloud) -> str:
    name = unique("listed")
    cloud.s3.create_bucket(Bucket=name)
    for key in KEYS:
        cloud.s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


@pytest.mark.parametrize("arguments", LISTINGS, ids=_label)
def test_listings(cloud: Cloud, moto: BaseClient, listed: str, arguments: dict[str, Any]) -> None:
    def pages(client: BaseClient) -> list[dict[str, Any]]:
        found, token = [], {}
        while True:
            page = client.list_objects_v2(Bucket=listed, **arguments, **token)
            found.append({k: v for k, v in page.items() if not re.search("Token|Metadata|StartAfter", k)})
            if not page["IsTruncated"]:
                return found
            token = {"ContinuationToken": page["NextContinuationToken"]}

    assert pages(cloud.s3) == pages(moto)


def test_what_a_listing_says_of_itself(cloud: Cloud, listed: str) -> None:
    page = cloud.s3.list_objects_v2(Bucket=listed, StartAfter="a", MaxKeys=2)
    assert (page["StartAfter"], page["MaxKeys"], page["KeyCount"], page["IsTruncated"]) == ("a", 2, 2, True)
    for bad in ({"ContinuationToken": "not a token"}, {"MaxKeys": -1}):
        assert error_of(cloud.s3.list_objects_v2, Bucket=listed, **bad)[:2] == ("InvalidArgument", 400)


WRONG: list[tuple[dict[str, str], str]] = [
    ({"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
    ({"ContentMD5": "nonsense"}, "InvalidDigest"),
    ({"ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
    ({"ChecksumSHA256": "A" * 43 + "="}, "BadDigest"),
    ({"ChecksumSHA1": "AAAA"}, "InvalidRequest"),
]


@pytest.mark.parametrize(("claims", "code"), WRONG, ids=str)
def test_a_damaged_upload_is_refused(cloud: Cloud, bucket: str, claims: dict[str, str], code: str) -> None:
    cloud.s3.put_object(Bucket=bucket, Key="damaged", Body=b"good")
    assert error_of(cloud.s3.put_object, Bucket=bucket, Key="damaged", Body=b"bad", **claims)[:2] == (code, 400)
    assert cloud.get(f"s3://{bucket}/damaged") == b"good"


def test_a_damaged_part_is_refused(cloud: Cloud, bucket: str) -> None:
    about = {"Bucket": bucket, "Key": "parts"}
    upload = cloud.s3.create_multipart_upload(**about)["UploadId"]
    part = {**about, "UploadId": upload, "PartNumber": 1}
    assert error_of(cloud.s3.upload_part, **part, Body=b"x", ChecksumCRC32="AAAAAA==")[0] == "BadDigest"
    assert error_of(cloud.s3.upload_part, **{**part, "UploadId": "none"}, Body=b"x")[:2] == ("NoSuchUpload", 404)
    etag = cloud.s3.upload_part(**part, Body=b"second try")["ETag"]
    etag = cloud.s3.upload_part(**part, Body=b"third try")["ETag"]
    wrong = {"Parts": [{"PartNumber": 1, "ETag": '"0"'}]}
    assert (
        error_of(cloud.s3.complete_multipart_upload, **about, UploadId=upload, MultipartUpload=wrong)[0]
        == "InvalidPart"
    )
    right = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    cloud.s3.complete_multipart_upload(**about, UploadId=upload, MultipartUpload=right)
    assert cloud.get(f"s3://{bucket}/parts") == b"third try"
