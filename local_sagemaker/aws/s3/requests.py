"""The requests that move objects, answered without moto: plain GetObject, HeadObject, PutObject, UploadPart.

Whatever asks for more (versions, tags, ACLs, locks, encryption, copies) is left to moto, which sees the same objects.
"""

from __future__ import annotations

import re
import uuid
from bisect import insort
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from werkzeug.wrappers import Request, Response

from local_sagemaker.aws.s3 import conditions, listing, upload
from local_sagemaker.aws.s3.blobs import Blobs
from local_sagemaker.aws.s3.index import Index
from local_sagemaker.aws.s3.keys import DiskKey, s3
from local_sagemaker.errors import AwsError
from local_sagemaker.web import FileRange

if TYPE_CHECKING:
    from http.client import HTTPMessage

_SIGNATURE = frozenset(
    f"X-Amz-{name}"
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token")
)
_METADATA = frozenset(
    ("content-type", "content-encoding", "content-language", "content-disposition", "cache-control", "expires")
)
_USER_METADATA = "x-amz-meta-"
_PLAIN = frozenset(
    f"x-amz-{name}"
    for name in (
        "content-sha256", "date", "security-token", "user-agent", "sdk-checksum-algorithm", "trailer",
        "decoded-content-length", "checksum-crc32", "checksum-sha1", "checksum-sha256",
    )
)  # fmt: skip
_DEFAULTS = {"x-amz-acl": "private", "x-amz-storage-class": "STANDARD"}
_MAX_KEY = 1024  # bytes
_MAX_PART = 10_000


class ObjectRequests:
    """Answers the requests of S3 that most clients send most."""

    def __init__(self, backend: Any, index: Index, blobs: Blobs) -> None:
        self._backend, self._index, self._blobs = backend, index, blobs

    def respond(self, request: Request, headers: HTTPMessage, sha256: str | None) -> Response | None:
        """The answer to a verified request whose body is not read yet; None where it is moto's to answer.

        ``sha256`` is what the body must have, if the client signed that. Raises AwsError or OSError.
        """
        bucket_name, _, name = request.path[1:].partition("/")
        bucket = self._backend.buckets.get(bucket_name)
        if bucket is None or bucket.policy is not None or "Origin" in headers:
            return None
        query = {k: v for k, v in request.args.items() if k not in _SIGNATURE} if request.query_string else {}
        if query.pop("x-id", None) is not None and not name:
            return None
        if not name:
            return listing.respond(bucket, query) if request.method == "GET" and listing.plain(query) else None
        if request.method in ("GET", "HEAD"):
            return None if query else self._read(bucket, name, headers, head=request.method == "HEAD")
        if request.method == "PUT" and _plain(bucket, name, headers):
            if query.keys() == {"partNumber", "uploadId"}:
                return self._put_part(bucket, name, query, request, sha256)
            return None if query else self._put(bucket, name, request, headers, sha256)
        return None

    def _read(self, bucket: Any, name: str, headers: HTTPMessage, *, head: bool) -> Response | None:
        key, file = self._open(bucket, name)
        if key is None or file is None:
            if bucket.keys.getlist(name):
                return None  # a delete marker, or what only moto knows
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=name)
        response: Response | None = None
        try:
            response = _describe(key, headers)
            if response.status_code == 304:
                return response
            part = conditions.byte_range(headers.get("Range"), key.contentsize)
            offset, count = part or (0, key.contentsize)
            if part is not None:
                response.status_code = 206
                response.headers["Content-Range"] = f"bytes {offset}-{offset + count - 1}/{key.contentsize}"
            if headers.get("x-amz-checksum-mode") == "ENABLED" and count == key.contentsize:
                response.headers.extend(_checksum(key))
            response.headers["Content-Length"] = str(count)
            if not head:
                response.response, file = FileRange(file, offset, count), None
                response.direct_passthrough = True
            return response
        finally:
            if file is not None:
                file.close()

    def _open(self, bucket: Any, name: str) -> tuple[DiskKey | None, BinaryIO | None]:
        """The present object and its file, which may be replaced while it is being opened."""
        while True:
            key = bucket.keys.get(name)
            if not isinstance(key, DiskKey) or key.path is None or key.storage_class in s3.ARCHIVE_STORAGE_CLASSES:
                return None, None
            try:
                return key, key.path.open("rb")
            except FileNotFoundError:
                if bucket.keys.get(name) is key:
                    raise

    def _put(
        self, bucket: Any, name: str, request: Request, headers: HTTPMessage, sha256: str | None
    ) -> Response | None:
        claims = upload.claims(headers, sha256)
        path = self._blobs.new_path()
        stored = upload.receive(request.environ["wsgi.input"], claims, path)
        key = DiskKey.of(
            bucket,
            name,
            path=path,
            contentsize=stored.size,
            _etag=stored.etag,
            checksum_algorithm=claims.algorithm,
            checksum_value=stored.checksum,
            acl=bucket.acl,
        )
        key.set_metadata(_metadata(headers.items()))

        def check(present: Any) -> None:
            conditions.check_write(headers, getattr(present, "etag", None))

        try:
            placed = self._index.place(bucket, name, key, check)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if not placed:
            path.unlink(missing_ok=True)
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=bucket.name)
        return _respond(200, {"ETag": key.etag, "Content-Length": "0", **_checksum(key)})

    def _put_part(
        self, bucket: Any, name: str, query: dict[str, str], request: Request, sha256: str | None
    ) -> Response | None:
        multipart = bucket.multiparts.get(query["uploadId"])
        number = int(query["partNumber"]) if query["partNumber"].isdigit() else 0
        if not 1 <= number <= _MAX_PART:
            return None
        if multipart is None or multipart.key_name != name:
            message = (
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
                "aborted or completed."
            )
            raise AwsError("NoSuchUpload", message, 404, UploadId=query["uploadId"])
        claims = upload.claims(request.environ["local_sagemaker.headers"], sha256)
        path = self._blobs.new_path()
        stored = upload.receive(request.environ["wsgi.input"], claims, path)
        part = DiskKey.of(
            bucket,
            number,  # type: ignore[arg-type]  # as moto calls its parts
            path=path,
            contentsize=stored.size,
            _etag=stored.etag,
            checksum_algorithm=claims.algorithm,
            checksum_value=stored.checksum,
        )
        earlier = multipart.parts.get(number)
        multipart.parts[number] = part
        if earlier is not None:
            earlier.dispose()
        else:
            insort(multipart.partlist, number)
        return _respond(200, {"ETag": part.etag, "Content-Length": "0", **_checksum(part)})


def _plain(bucket: Any, name: str, headers: HTTPMessage) -> bool:
    """Whether an upload asks for nothing but its bytes and metadata, in a bucket that adds nothing."""
    if bucket.versioning_status or bucket.object_lock_enabled or bucket.encryption or bucket.notification_configuration:
        return False
    for given, value in headers.items():
        header = given.lower()
        known = not header.startswith("x-amz-") or header in _PLAIN or header.startswith(_USER_METADATA)
        if not known and _DEFAULTS.get(header) != value:
            return False
    return len(name.encode()) <= _MAX_KEY and upload.understood(headers)


def _describe(key: DiskKey, headers: HTTPMessage) -> Response:
    """The answer to a read, but for its length and body; 304 if the client has it. Raises AwsError (412)."""
    members = {name: value for name, value in key.response_dict.items() if name != "content-length"}
    if key.version_id != "null":
        members["x-amz-version-id"] = key.version_id
    if conditions.not_modified(headers, key.etag, key.last_modified):
        kept = {name: value for name, value in key.metadata.items() if name in ("cache-control", "expires")}
        return _respond(304, {**members, **kept})
    metadata = {n: v for n, v in key.metadata.items() if n in _METADATA or n.startswith(_USER_METADATA)}
    return _respond(200, {**members, **metadata, "Accept-Ranges": "bytes"})


def _checksum(key: DiskKey) -> dict[str, str]:
    if not key.checksum_algorithm or key.checksum_value is None:
        return {}
    composite = key.checksum_type == "COMPOSITE"
    value = f"{key.checksum_value}-{key.checksum_parts}" if composite else key.checksum_value
    kind = key.checksum_type or "FULL_OBJECT"
    return {f"x-amz-checksum-{key.checksum_algorithm.lower()}": value, "x-amz-checksum-type": kind}


def _metadata(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What an object keeps of the headers of its upload."""
    kept: dict[str, str] = {}
    for given, value in headers:
        name = given.lower()
        if name in _METADATA:
            kept[name if name != "content-encoding" else "Content-Encoding"] = value
        elif name.startswith(_USER_METADATA) and re.fullmatch(r"[\w.-]+", name[len(_USER_METADATA) :]):
            kept[name] = f"{kept[name]},{value}" if name in kept else value
    return kept


def _respond(status: int, headers: dict[str, str]) -> Response:
    response = Response(status=status)
    response.headers.clear()
    response.headers.extend({"x-amz-request-id": uuid.uuid4().hex[:16].upper(), **headers})
    return response
