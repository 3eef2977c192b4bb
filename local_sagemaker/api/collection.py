"""Resources that are records only: nothing runs for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Request, new_record, now_seconds
from local_sagemaker.errors import AwsError, not_found, validation
from local_sagemaker.store import Record


class Collection:
    """The records of one kind, by name. A kind is the stem of AWS's members: <kind>Name, <kind>Arn."""

    def __init__(self, context: Context, kind: str, arn_kind: str, missing: Callable[[str], AwsError]) -> None:
        """``arn_kind`` is the kind as ARNs spell it; ``missing`` makes the error for an ARN that is not there."""
        self._context, self._store, self.kind, self._arn_kind = context, context.store, kind, arn_kind
        self._missing = missing
        self.name, self.arn = f"{kind}Name", f"{kind}Arn"

    def create(self, request: Request, key: str, *, suffix: str | None = None, **members: Any) -> Record:
        """Store a new record. ``suffix`` is the ARN's last part where it differs from the key.

        Raises ValidationException when the key is taken.
        """
        arn = self._context.arn(self._arn_kind, suffix or key)
        record = new_record(request, arn, **{self.arn: arn, **members})
        if not self._store.add(self.kind, key, record):
            raise validation(f"{self.kind} with name {suffix or key} already exists ({arn}).")
        return record

    def find(self, name_or_arn: str) -> Record:
        """The record with this name or ARN. Raises the error for a missing one."""
        record = self.get(name_or_arn)
        if record is None:
            raise self._missing(name_or_arn if name_or_arn.startswith("arn:") else self._arn(name_or_arn))
        return record

    def get(self, name_or_arn: str) -> Record | None:
        """The record with this name or ARN, if there is one."""
        prefix = self._arn("")
        if name_or_arn.startswith("arn:") and not name_or_arn.startswith(prefix):
            return None
        return self._store.get(self.kind, self.key(name_or_arn))

    def key(self, name_or_arn: str) -> str:
        """What the store calls a record; a name's second part, such as a version, follows a dot."""
        return name_or_arn.removeprefix(self._arn("")).replace("/", ".")

    def all(self) -> list[Record]:
        return self._store.all(self.kind)

    def change(self, name_or_arn: str, changes: Callable[[Record], Record]) -> Record:
        """Replace the members that ``changes`` derives from the present record. Raises as `find`."""
        self.find(name_or_arn)
        now = {"LastModifiedTime": now_seconds()}
        record = self._store.change(self.kind, self.key(name_or_arn), lambda record: {**now, **changes(record)})
        return record if record is not None else self.find(name_or_arn)

    def delete(self, name_or_arn: str) -> Record:
        """Remove a record; what it was. Raises as `find`."""
        record = self.find(name_or_arn)
        self._store.delete(self.kind, self.key(name_or_arn))
        return record

    def page(
        self,
        records: list[Record],
        request: Request,
        answer: str,
        members: tuple[str, ...],
        *,
        ascending: bool = False,
    ) -> dict[str, Any]:
        """One page of a List operation; ``members`` are those of a summary beside name and ARN."""
        whole = (self.name, self.arn, *members)
        return listing.page(records, request, answer=answer, members=whole, ascending=ascending)

    def _arn(self, name: str) -> str:
        return self._context.arn(self._arn_kind, name)


def absent(what: str) -> AwsError:
    """The error for something that is not there, where AWS answers ResourceNotFound."""
    return not_found(f"{what} does not exist.")


def changed_map(request: Request, record: Record, member: str) -> dict[str, Any]:
    """An update of a map: ``member`` adds and replaces entries, ``<member>ToRemove`` takes some away."""
    if member not in request and f"{member}ToRemove" not in request:
        return {}
    removed = set(request.get(f"{member}ToRemove", ()))
    kept = {key: value for key, value in record.get(member, {}).items() if key not in removed}
    return {member: {**kept, **request.get(member, {})}}
