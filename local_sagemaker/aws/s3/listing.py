"""ListObjectsV2: keys in the order of their UTF-8, folded at a delimiter, page by page."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from local_sagemaker.aws.s3.keys import DiskKey
from local_sagemaker.errors import AwsError

_KNOWN = frozenset(
    ("list-type", "prefix", "delimiter", "max-keys", "encoding-type", "continuation-token", "start-after")
)
_MAX_KEYS = 1000
_LAST = "\U0010ffff"


def plain(query: Mapping[str, str]) -> bool:
    """Whether a query lists a bucket in a way that this module knows."""
    return query.get("list-type") == "2" and query.keys() <= _KNOWN


def respond(bucket: Any, query: Mapping[str, str]) -> Response:
    """One page. Raises AwsError."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    limit = _limit(query.get("max-keys"))
    after = _after(query["continuation-token"]) if "continuation-token" in query else query.get("start-after", "")
    entries = _entries(bucket, prefix, delimiter, after)
    page: list[tuple[str, DiskKey | None]] = []
    more = False
    for entry in entries if limit else ():
        more = len(page) == limit
        if more:
            break
        page.append(entry)
    return Response(_render(bucket.name, query, limit, page, more), content_type="application/xml")


def _entries(bucket: Any, prefix: str, delimiter: str, after: str) -> Iterator[tuple[str, DiskKey | None]]:
    """(key, object) and (common prefix, None) behind ``after``, in order."""
    names = sorted(name for name in dict(bucket.keys) if name.startswith(prefix))
    position = bisect_right(names, after)
    while position < len(names):
        name = names[position]
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            key = bucket.keys.get(name)
            if isinstance(key, DiskKey):
                yield name, key
            position += 1
            continue
        folder = name[: cut + len(delimiter)]
        stop = bisect_right(names, folder + _LAST, lo=position)
        if folder != after and any(isinstance(bucket.keys.get(inner), DiskKey) for inner in names[position:stop]):
            yield folder, None
        position = stop


def _render(
    bucket: str, query: Mapping[str, str], limit: int, page: list[tuple[str, DiskKey | None]], more: bool
) -> str:
    url = query.get("encoding-type") == "url"

    def text(value: str) -> str:
        return escape(quote(value, safe="/") if url else value)

    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{bucket}</Name><Prefix>{text(query.get('prefix', ''))}</Prefix><MaxKeys>{limit}</MaxKeys>"
        f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
    ]
    for member, name in (("Delimiter", "delimiter"), ("StartAfter", "start-after")):
        if query.get(name):
            parts.append(f"<{member}>{text(query[name])}</{member}>")
    if url:
        parts.append("<EncodingType>url</EncodingType>")
    if "continuation-token" in query:
        parts.append(f"<ContinuationToken>{escape(query['continuation-token'])}</ContinuationToken>")
    if more:
        token = base64.urlsafe_b64encode(page[-1][0].encode()).decode()
        parts.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
    for name, key in page:
        if key is None:
            parts.append(f"<CommonPrefixes><Prefix>{text(name)}</Prefix></CommonPrefixes>")
        else:
            parts.append(f"<Contents><Key>{text(name)}</Key>{_contents(key)}</Contents>")
    return "".join([*parts, "</ListBucketResult>"])


def _contents(key: DiskKey) -> str:
    algorithm = f"<ChecksumAlgorithm>{key.checksum_algorithm}</ChecksumAlgorithm>" if key.checksum_algorithm else ""
    return (
        f"<LastModified>{key.last_modified_ISO8601}</LastModified><ETag>{escape(key.etag)}</ETag>{algorithm}"
        f"<Size>{key.size}</Size><StorageClass>{key.storage_class}</StorageClass>"
    )


def _limit(text: str | None) -> int:
    if text is None:
        return _MAX_KEYS
    if not text.isascii() or not text.isdigit() or int(text) > 2**31 - 1:
        raise AwsError("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
    return min(int(text), _MAX_KEYS)


def _after(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode() or _refuse()
    except (binascii.Error, UnicodeDecodeError):
        return _refuse()


def _refuse() -> str:
    raise AwsError("InvalidArgument", "The continuation token provided is incorrect")
