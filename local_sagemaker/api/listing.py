"""List operations: filters, order, pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from local_sagemaker.api.context import Request
from local_sagemaker.errors import validation
from local_sagemaker.store import Record

Item = TypeVar("Item")
_DEFAULT_PAGE = 10
_TIMES = {
    "CreationTimeAfter": ("CreationTime", 1),
    "CreationTimeBefore": ("CreationTime", -1),
    "CreatedAfter": ("CreationTime", 1),
    "CreatedBefore": ("CreationTime", -1),
    "LastModifiedTimeAfter": ("LastModifiedTime", 1),
    "LastModifiedTimeBefore": ("LastModifiedTime", -1),
}


def page(
    records: list[Record],
    request: Request,
    *,
    answer: str,
    members: tuple[str, ...],
    status: str | None = None,
    ascending: bool = False,
) -> dict[str, Any]:
    """One page of ``records`` as ``{answer: [...], "NextToken": ...}``.

    ``members`` names what a summary holds, the resource's name first; ``status`` the member that StatusEquals
    compares; ``ascending`` is the operation's default order.
    """
    name = members[0]
    keys = {"Name": name, "CreationTime": "CreationTime", "Status": status or name}
    chosen: str = request.get("SortBy", "CreationTime")
    order: str = keys.get(chosen, chosen)
    reverse = not ascending if "SortOrder" not in request else request["SortOrder"] == "Descending"
    kept = [record for record in records if _matches(record, request, name, status)]
    kept.sort(key=lambda record: (record.get(order, ""), record.get(name, "")), reverse=reverse)
    shown, token = cut(kept, request)
    return {answer: [{member: r[member] for member in members if member in r} for r in shown], **token}


def cut(items: Sequence[Item], request: Request) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that a request asks for, and its NextToken if there is more."""
    start = _position(request.get("NextToken"))
    stop = start + request.get("MaxResults", _DEFAULT_PAGE)
    return items[start:stop], {"NextToken": _token(stop)} if stop < len(items) else {}


def _matches(record: Record, request: Mapping[str, Any], name: str, status: str | None) -> bool:
    if request.get("NameContains", "").lower() not in record.get(name, "").lower():
        return False
    if status and "StatusEquals" in request and record[status] != request["StatusEquals"]:
        return False
    bounds = ((member, sign, request[key]) for key, (member, sign) in _TIMES.items() if key in request)
    return all((record[member] - seconds(bound)) * sign > 0 for member, sign, bound in bounds)


def seconds(value: float | str) -> float:
    """A request's timestamp as epoch seconds. Raises ValidationException."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise validation(f"{value!r} is not a timestamp") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(token).decode().removeprefix("at:")))
    except (binascii.Error, ValueError):
        raise validation("NextToken is not valid.") from None
