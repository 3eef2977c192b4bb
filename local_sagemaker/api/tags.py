"""AddTags, ListTags, DeleteTags for every resource of this server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.context import Context, Operation, Request
from local_sagemaker.api.emulated import Emulated
from local_sagemaker.errors import validation
from local_sagemaker.store import Record

_MAX_TAGS = 50


class Tags:
    """Tags by ARN."""

    emulated: Mapping[str, Emulated] = {}

    def __init__(self, context: Context) -> None:
        self._store = context.store

    def operations(self) -> dict[str, Operation]:
        return {"AddTags": self.add, "ListTags": self.list_, "DeleteTags": self.delete}

    def add(self, request: Request) -> dict[str, Any]:
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        return {"Tags": _pairs(self._change(request, lambda tags: _limited({**tags, **added})))}

    def list_(self, request: Request) -> dict[str, Any]:
        tags = _pairs(self._find(request)[2]["_tags"])
        if "NextToken" in request:  # every resource's tags fit on a page, so none was ever given
            raise validation("NextToken is not valid.")
        return {"Tags": tags}

    def delete(self, request: Request) -> dict[str, Any]:
        gone = set(request["TagKeys"])
        self._change(request, lambda tags: {key: value for key, value in tags.items() if key not in gone})
        return {}

    def _change(self, request: Request, change: Callable[[dict[str, str]], dict[str, str]]) -> dict[str, str]:
        kind, name, _ = self._find(request)
        record = self._store.change(kind, name, lambda record: {"_tags": change(record["_tags"])})
        tags: dict[str, str] = record["_tags"] if record is not None else {}
        return tags

    def _find(self, request: Request) -> tuple[str, str, Record]:
        found = self._store.by_arn(request["ResourceArn"])
        if found is None:
            raise validation(f'Could not find resource "{request["ResourceArn"]}".')
        return found


def check(tags: list[dict[str, str]]) -> None:
    """Raise ValidationException for tags that a request may not set."""
    keys = [tag["Key"] for tag in tags]
    if reserved := [key for key in keys if key.lower().startswith("aws:")]:
        raise validation(f"aws: prefixed tag key names are not allowed for external use: {reserved[0]!r}.")
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise validation(f"Tag keys must be unique: {twice[0]!r} is given more than once.")


def _limited(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > _MAX_TAGS:
        raise validation(f"A resource may have at most {_MAX_TAGS} tags.")
    return tags


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
