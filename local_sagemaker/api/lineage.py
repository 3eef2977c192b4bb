"""Lineage: artifacts, actions and contexts, and associations between them and trial components."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.collection import Collection, absent, changed_map
from local_sagemaker.api.context import Context, Operation, Request, now_seconds
from local_sagemaker.api.emulated import Emulated
from local_sagemaker.errors import validation
from local_sagemaker.store import Record

_ASSOCIATION = "Association"
_SUMMARY = ("Source", "Status", "CreationTime", "LastModifiedTime")
_ENDS = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")


class Lineage:
    """The operations on artifacts, actions, contexts and associations."""

    emulated: Mapping[str, Emulated] = {}

    def __init__(self, context: Context) -> None:
        self._store = context.store
        kinds = ("Artifact", "Action", "Context")
        self._collections = [Collection(context, kind, kind.lower(), absent) for kind in kinds]

    def operations(self) -> dict[str, Operation]:
        operations: dict[str, Operation] = {
            "AddAssociation": self.add_association,
            "DeleteAssociation": self.delete_association,
            "ListAssociations": self.list_associations,
        }
        for collection in self._collections:
            operations |= self._of(collection)
        return operations

    def _of(self, collection: Collection) -> dict[str, Operation]:
        kind = collection.kind
        return {
            f"Create{kind}": lambda request: collection.create(request, _key(kind, request)),
            f"Describe{kind}": lambda request: collection.find(_key(kind, request)),
            f"List{kind}s": lambda request: self._list(collection, request),
            f"Update{kind}": lambda request: self._update(collection, request),
            f"Delete{kind}": lambda request: self._delete(collection, request),
        }

    def _list(self, collection: Collection, request: Request) -> dict[str, Any]:
        kind = f"{collection.kind}Type"
        records = [
            record
            for record in collection.all()
            if request.get("SourceUri") in (None, record["Source"]["SourceUri"])
            and request.get(kind) in (None, record[kind])
        ]
        return collection.page(records, request, f"{collection.kind}Summaries", (kind, *_SUMMARY))

    def _update(self, collection: Collection, request: Request) -> dict[str, Any]:
        def changes(record: Record) -> Record:
            members = {name: request[name] for name in ("ArtifactName", "Description", "Status") if name in request}
            return members | changed_map(request, record, "Properties")

        return collection.change(_key(collection.kind, request), changes)

    def _delete(self, collection: Collection, request: Request) -> dict[str, Any]:
        key = _key(collection.kind, request)
        arn = collection.find(key)[collection.arn]
        if any(arn in (a["SourceArn"], a["DestinationArn"]) for a in self._store.all(_ASSOCIATION)):
            raise validation(f"{arn} has associations, which must be deleted before it.")
        return collection.delete(key)

    def add_association(self, request: Request) -> dict[str, Any]:
        source, destination = request["SourceArn"], request["DestinationArn"]
        ends = {**self._end("Source", source), **self._end("Destination", destination)}
        name = _digest([source, destination])
        now = {"CreationTime": now_seconds(), "_arn": "", "_tags": {}}
        if not self._store.add(_ASSOCIATION, name, {**request, **ends, **now}):
            raise validation(f"The association of {source} with {destination} already exists.")
        return request

    def _end(self, role: str, arn: str) -> dict[str, Any]:
        """What an association says of one of its ends. Raises ResourceNotFound."""
        found = self._store.by_arn(arn)
        if found is None:
            raise absent(arn)
        kind, _, record = found
        name = {f"{role}Name": record[f"{kind}Name"]} if f"{kind}Name" in record else {}
        return {f"{role}Type": record.get(f"{kind}Type", kind), **name}

    def delete_association(self, request: Request) -> dict[str, Any]:
        name = _digest([request["SourceArn"], request["DestinationArn"]])
        if self._store.get(_ASSOCIATION, name) is None:
            raise absent(f"The association of {request['SourceArn']} with {request['DestinationArn']}")
        self._store.delete(_ASSOCIATION, name)
        return request

    def list_associations(self, request: Request) -> dict[str, Any]:
        kept = [
            record
            for record in self._store.all(_ASSOCIATION)
            if all(request.get(end) in (None, record.get(end)) for end in _ENDS)
        ]
        members = (*_ENDS, "SourceName", "DestinationName", "CreationTime")
        return listing.page(kept, request, answer="AssociationSummaries", members=members)


def _key(kind: str, request: Request) -> str:
    """What a request calls a resource: actions and contexts by name, artifacts by ARN or by their source."""
    if kind != "Artifact":
        return str(request[f"{kind}Name"])
    if "ArtifactArn" in request:
        return str(request["ArtifactArn"])
    if "Source" not in request:
        raise validation("Either ArtifactArn or Source is required.")
    return _digest([request["Source"]["SourceUri"], request["Source"].get("SourceTypes", [])])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
