"""AddTags, ListTags, DeleteTags for every resource of this server."""

from __future__ import annotations

from collections.abc import Mapping
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
        kind, name, record = self._find(request)
        tags = {**record["_tags"], **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
        if len(tags) > _MAX_TAGS:
            raise validation(f"A resource may have at most {_MAX_TAGS} tags.")
        self._store.update(kind, name, _tags=tags)
        return {"Tags": _pairs(tags)}

    def list_(self, request: Request) -> dict[str, Any]:
        return {"Tags": _pairs(self._find(request)[2]["_tags"])}

    def delete(self, request: Request) -> dict[str, Any]:
        kind, name, record = self._find(request)
        tags = {key: value for key, value in record["_tags"].items() if key not in request["TagKeys"]}
        self._store.update(kind, name, _tags=tags)
        return {}

    def _find(self, request: Request) -> tuple[str, str, Record]:
        found = self._store.by_arn(request["ResourceArn"])
        if found is None:
            raise validation(f'Could not find resource "{request["ResourceArn"]}".')
        return found


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
