"""Signature Version 4: is a request signed with the workspace's secret, and was nothing changed on the way.

The canonical request is recomputed with botocore's own signer, from the headers that the client says it signed.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from local_sagemaker.errors import AwsError
from local_sagemaker.workspace import Credentials

if TYPE_CHECKING:
    from http.client import HTTPMessage

    from botocore.awsrequest import AWSRequest

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+),\s*"
    r"SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})$"
)
_MAX_SKEW = timedelta(minutes=15)
_GLOBAL_SERVICES = frozenset({"iam", "sts"})


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire; ``target`` is the raw path with its query.

    S3's requests are verified without their body: a header holds its digest (see `body_digest`).
    """

    method: str
    target: str
    headers: HTTPMessage
    body: bytes = b""


@dataclass(frozen=True)
class Signature:
    """The parts of a request's signature."""

    key_id: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    timestamp: str
    value: str
    presigned: bool = False
    lifetime: timedelta = _MAX_SKEW


def parse(received: Received) -> Signature:
    """The request's signature, from its Authorization header or its query.

    Raises AwsError (403) when there is none or it is malformed.
    """
    query = dict(parse_qsl(urlsplit(received.target).query))
    if "X-Amz-Signature" in query:
        return _presigned(query)
    header = received.headers.get("Authorization")
    if header is None:
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
    match = _AUTHORIZATION.match(header)
    if match is None:
        raise AwsError("IncompleteSignatureException", "The Authorization header is not Signature Version 4", 403)
    timestamp = received.headers.get("X-Amz-Date", "")
    return _signature(match["credential"], match["headers"], timestamp, match["signature"])


def _signature(credential: str, headers: str, timestamp: str, value: str, **options: Any) -> Signature:
    scope = credential.split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise AwsError("IncompleteSignatureException", "Credential must name key, date, region and service", 403)
    key_id, date, region, service, _ = scope
    return Signature(key_id, date, region, service, tuple(headers.split(";")), timestamp, value, **options)


def _presigned(query: dict[str, str]) -> Signature:
    try:
        lifetime = timedelta(seconds=int(query.get("X-Amz-Expires", "0")))
    except ValueError:
        raise AwsError("AuthorizationQueryParametersError", "X-Amz-Expires must be a number", 403) from None
    return _signature(
        query.get("X-Amz-Credential", ""),
        query.get("X-Amz-SignedHeaders", "host"),
        query.get("X-Amz-Date", ""),
        query["X-Amz-Signature"],
        presigned=True,
        lifetime=lifetime,
    )


def verify(received: Received, signature: Signature, credentials: Credentials) -> None:
    """Check the signature against the workspace's key pair; raises AwsError (403) when it does not hold."""
    unknown = "InvalidAccessKeyId" if signature.service == "s3" else "UnrecognizedClientException"
    if signature.service in _GLOBAL_SERVICES:
        unknown = "InvalidClientTokenId"
    if not hmac.compare_digest(signature.key_id, credentials.access_key_id):
        raise AwsError(unknown, "The access key id is not the one of this workspace.", 403)
    _check_scope(signature, credentials)
    _check_age(signature)
    expected = _expected(received, signature, credentials)
    if not hmac.compare_digest(expected, signature.value):
        raise AwsError(
            _mismatch(signature),
            "The request signature we calculated does not match the signature you provided. "
            "Check your secret access key and signing method.",
            403,
        )


def _mismatch(signature: Signature) -> str:
    queryish = signature.service == "s3" or signature.service in _GLOBAL_SERVICES
    return "SignatureDoesNotMatch" if queryish else "InvalidSignatureException"


def _check_scope(signature: Signature, credentials: Credentials) -> None:
    regions = {credentials.region} | ({"us-east-1"} if signature.service in _GLOBAL_SERVICES else set())
    if signature.region not in regions:
        message = f"Credential should be scoped to the region {credentials.region}, not {signature.region}."
        raise AwsError(_mismatch(signature), message, 403)


def _check_age(signature: Signature) -> None:
    try:
        signed = datetime.strptime(signature.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise AwsError("IncompleteSignatureException", "X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z'", 403) from None
    age = datetime.now(UTC) - signed
    if not -_MAX_SKEW < age < signature.lifetime or signature.timestamp[:8] != signature.date:
        code = "AccessDenied" if signature.presigned else "RequestExpired"
        raise AwsError(code, f"Signature expired: signed at {signature.timestamp}.", 403)


def body_digest(received: Received, signature: Signature) -> str | None:
    """The SHA-256 that the body must have; None where UNSIGNED-PAYLOAD, STREAMING-* or a query signs none.

    Raises AwsError (400) for a request to S3 that does not say.
    """
    signed = received.headers.get("X-Amz-Content-SHA256")
    if signature.presigned:
        return None
    if signed is None and signature.service == "s3":
        raise AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
    return signed if signed is not None and re.fullmatch(r"[0-9a-f]{64}", signed) else None


def check_digest(digest: str | None, actual: str) -> None:
    """Raise AwsError (400) when the body's digest is not the one that was signed."""
    if digest is not None and digest != actual:
        raise AwsError(
            "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."
        )


def _expected(received: Received, signature: Signature, credentials: Credentials) -> str:
    from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
    from botocore.credentials import Credentials as Keys

    method = S3SigV4QueryAuth if signature.presigned else S3SigV4Auth
    keys = Keys(credentials.access_key_id, credentials.secret_access_key)
    signer = (method if signature.service == "s3" else SigV4Auth)(keys, signature.service, signature.region)
    request = _unsigned(received, signature)
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def _unsigned(received: Received, signature: Signature) -> AWSRequest:
    """The request as the client saw it when it signed: only the signed headers, no signature in the query."""
    from botocore.awsrequest import AWSRequest

    target = re.sub(r"(?<=[?&])X-Amz-Signature=[^&]*&?", "", received.target).rstrip("&")
    request = AWSRequest(received.method, f"http://{received.headers['Host']}{target}", data=received.body)
    for name in signature.headers:
        for value in received.headers.get_all(name, []):
            request.headers.add_header(name, value)
    request.context["timestamp"] = signature.timestamp
    return request
