"""Conditional requests and byte ranges, as RFC 9110 words them and S3 applies them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from local_sagemaker.errors import AwsError

if TYPE_CHECKING:
    from http.client import HTTPMessage

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def not_modified(headers: HTTPMessage, etag: str, modified: datetime) -> bool:
    """Whether a read is answered with 304; ``modified`` is naive UTC. Raises AwsError (412)."""
    seconds = modified.replace(microsecond=0, tzinfo=UTC)
    if "If-Match" in headers:
        if not _matches(headers["If-Match"], etag):
            raise _failed("If-Match")
    elif (unmodified := _date(headers.get("If-Unmodified-Since"))) is not None and seconds > unmodified:
        raise _failed("If-Unmodified-Since")
    if "If-None-Match" in headers:
        return _matches(headers["If-None-Match"], etag)
    since = _date(headers.get("If-Modified-Since"))
    return since is not None and seconds <= since


def check_write(headers: HTTPMessage, etag: str | None) -> None:
    """Raise AwsError unless an object whose present ETag is ``etag`` (None: there is none) may be written."""
    if "If-Match" in headers:
        if etag is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        if not _matches(headers["If-Match"], etag):
            raise _failed("If-Match")
    if headers.get("If-None-Match") == "*" and etag is not None:
        raise _failed("If-None-Match")


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Offset and length of the part that is asked for; None for the whole. Raises AwsError (416)."""
    match = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None or match[0] == "bytes=-":
        return None  # S3 answers several ranges, and what is none, with the whole object
    first, last = match[1], match[2]
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size or start >= stop:
        raise AwsError(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            RangeRequested=header,
            ActualObjectSize=size,
        )
    return start, stop - start


def _failed(condition: str) -> AwsError:
    message = "At least one of the pre-conditions you specified did not hold"
    return AwsError("PreconditionFailed", message, 412, Condition=condition)


def _matches(header: str, etag: str) -> bool:
    wanted = [part.strip().removeprefix("W/").strip('"') for part in header.split(",")]
    return "*" in wanted or etag.strip('"') in wanted


def _date(text: str | None) -> datetime | None:
    """The time of an HTTP date; None for what is none, which RFC 9110 lets a server ignore."""
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
