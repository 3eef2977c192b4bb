"""Search and GetSearchSuggestions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api import listing
from local_sagemaker.api.context import Context, Operation, Request
from local_sagemaker.api.emulated import ANY, Emulated
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import validation
from local_sagemaker.search import expression
from local_sagemaker.search.properties import names, type_of, values
from local_sagemaker.search.views import Found, Resources

_MAX_SUGGESTIONS = 100
EMULATED: Mapping[str, Emulated] = {
    "Search": {
        "Resource": ANY, "SearchExpression": ANY, "SortBy": ANY, "SortOrder": ANY, "NextToken": ANY,
        "MaxResults": ANY, "CrossAccountFilterOption": {"SameAccount"},
    },
}  # fmt: skip


class Search:
    """The operations that find resources of any kind by their properties."""

    emulated = EMULATED

    def __init__(self, context: Context, operations: Operations) -> None:
        self._store, self._operations = context.store, operations

    def operations(self) -> dict[str, Operation]:
        return {"Search": self.search, "GetSearchSuggestions": self.suggest}

    def search(self, request: Request) -> dict[str, Any]:
        resources = Resources(self._store, self._operations, request["Resource"])
        asked, shape = request.get("SearchExpression", {}), resources.shape
        expression.check(asked, shape)
        order = request.get("SortBy")
        if order is not None and type_of(shape, order) is None:
            raise validation(f"Unknown property name: {order}")
        found = [one for one in resources.all() if expression.matches(asked, one.view, shape)]
        _sort(found, order or "LastModifiedTime", descending=request.get("SortOrder") != "Ascending")
        page, token = listing.cut(found, request)
        total = {"Value": len(found), "Relation": "EqualTo"}
        return {"Results": [one.shown() for one in page], "TotalHits": total, **token}

    def suggest(self, request: Request) -> dict[str, Any]:
        resources = Resources(self._store, self._operations, request["Resource"])
        query = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {})
        hint = query.get("PropertyNameHint", "").lower()
        known = sorted(names(resources.shape, [one.view for one in resources.all()]))
        fitting = [name for name in known if name.lower().startswith(hint)]
        return {"PropertyNameSuggestions": [{"PropertyName": name} for name in fitting[:_MAX_SUGGESTIONS]]}


def _sort(found: list[Found], name: str, *, descending: bool) -> None:
    """Order by a property; those that lack it come last either way."""
    keyed = [(values(one.view, name), one) for one in found]
    having = sorted(((v[0], one) for v, one in keyed if v), key=lambda p: expression.sort_key(p[0]), reverse=descending)
    found[:] = [one for _, one in having] + [one for v, one in keyed if not v]
