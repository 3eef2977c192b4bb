"""AWS's errors, and how each protocol words them on the wire."""

from __future__ import annotations

import errno
import json
import uuid
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response


class AwsError(Exception):
    """An error that the client receives: AWS's code, a message, an HTTP status, further members."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.members = code, message, status, members


def validation(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def not_emulated(what: str) -> AwsError:
    return validation(f"{what} is not emulated by the local SageMaker.")


def in_use(message: str) -> AwsError:
    return AwsError("ResourceInUse", message)


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFound", message)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message)


_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


def disk_full(error: OSError, root: Path) -> AwsError | None:
    """The error for a client whose request the disk of the workspace ``root`` refused; None for another OSError.

    HTTP 507, which the SDKs do not retry.
    """
    if error.errno not in _DISK:
        return None
    reason = f"The disk of the workspace {root} refuses to store anything ({error.strerror}). Nothing was stored."
    return AwsError("InsufficientStorage", reason, 507)


def _json(error: AwsError, request_id: str) -> Response:
    body = {"__type": error.code, "message": error.message, "Message": error.message, **error.members}
    return Response(
        json.dumps(body),
        error.status,
        {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id},
        content_type="application/x-amz-json-1.1",
    )


def _s3(error: AwsError, request_id: str) -> Response:
    members = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.members.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>{members}"
        f"<RequestId>{request_id}</RequestId></Error>"
    )
    return Response(body, error.status, {"x-amz-request-id": request_id}, content_type="application/xml")


def _query(error: AwsError, request_id: str) -> Response:
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{error.code}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(body, error.status, {"x-amzn-RequestId": request_id}, content_type="text/xml")


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    return b"\x7a" + len(data).to_bytes(4, "big") + data


def _cbor(error: AwsError, request_id: str) -> Response:
    pairs = (_cbor_text("__type"), _cbor_text(error.code), _cbor_text("message"), _cbor_text(error.message))
    headers = {"smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": request_id}
    return Response(b"\xa2" + b"".join(pairs), error.status, headers, content_type="application/cbor")


def render(error: AwsError, service: str | None, protocol: str | None = None) -> Response:
    """The HTTP response for ``error`` in the wire protocol of ``service`` (its signing name)."""
    by_service = {"s3": _s3, "iam": _query, "sts": _query}.get(service or "", _json)
    answer = _cbor if protocol == "rpc-v2-cbor" else by_service
    return answer(error, str(uuid.uuid4()))
