"""The JSONPath of InputFilter and OutputFilter.

The operators are those of the SageMaker developer guide, "Associate Prediction Results with their Corresponding
Input Records": members by name, elements by index, slices, `*`, and lists of names or indexes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import IndexSelector, NameSelector, SliceSelector, WildcardSelector

from local_sagemaker.jobs.transform.records import RecordError

_ENVIRONMENT = JSONPathEnvironment(strict=True)
_SELECTORS = (NameSelector, IndexSelector, SliceSelector, WildcardSelector)
_NAMED = (NameSelector, IndexSelector)


class SelectionError(RecordError):
    """A JSONPath that is not one, or that selects less of a value than it names; the message names it."""


class Selection:
    """One JSONPath."""

    def __init__(self, text: str) -> None:
        """Raises SelectionError unless ``text`` is a JSONPath of the operators that batch transform has."""
        self._text = text
        try:
            self._query = _ENVIRONMENT.compile(re.sub(r"(?<=[\w\]])\.\[", "[", text))  # AWS also writes $.a.['b']
        except JSONPathError as error:
            raise SelectionError(f"{text!r} is not a valid JSONPath: {str(error).splitlines()[0]}") from error
        if not isinstance(self._query, JSONPath) or not all(map(_supported, self._query.segments)):
            raise SelectionError(f"{text!r} uses a JSONPath operator that batch transform does not support")
        self._groups = [segment.selectors for segment in self._query.segments]

    def apply(self, value: Any) -> Any:
        """What it selects of ``value``: the value of a single path, an object for a list of names, else a list.

        Raises SelectionError when something it names is not there.
        """
        matches = list(self._query.finditer(value))
        if _single(self._groups):
            return self._complete(matches, 1)[0].obj
        last = self._groups[-1]
        if _single(self._groups[:-1]):
            self._complete(matches, sum(isinstance(selector, _NAMED) for selector in last))
            if all(isinstance(selector, NameSelector) for selector in last):
                return {str(match.parts[-1]): match.obj for match in matches}
        return [match.obj for match in matches]

    def _complete(self, matches: list[JSONPathMatch], count: int) -> list[JSONPathMatch]:
        if len(matches) < count:
            raise SelectionError(f"the JSONPath {self._text} selects nothing, or less than it names")
        return matches


def _supported(segment: Any) -> bool:
    return type(segment) is JSONPathChildSegment and all(isinstance(s, _SELECTORS) for s in segment.selectors)


def _single(groups: Sequence[Sequence[Any]]) -> bool:
    """Whether these steps of a path lead to one value at most."""
    return all(len(group) == 1 and isinstance(group[0], _NAMED) for group in groups)
