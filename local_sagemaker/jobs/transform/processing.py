"""DataProcessing: what of an input goes to the program, and what of input and answer comes to the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_sagemaker.jobs.transform.formats import Csv, Format, format_of
from local_sagemaker.jobs.transform.records import RecordError

if TYPE_CHECKING:
    from local_sagemaker.jobs.transform.selection import Selection


@dataclass(frozen=True)
class Item:
    """One record: the values it held, and the bytes of it that go to the program."""

    values: list[Any]
    payload: bytes


class DataProcessing:
    """The filters and the join of one job."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        """``job`` has the members of CreateTransformJob. Raises ValueError for what does not fit together."""
        settings, source = job.get("DataProcessing", {}), job["TransformInput"]
        self._input = _filter(settings.get("InputFilter"))
        self._output = _filter(settings.get("OutputFilter"))
        self._join = settings.get("JoinSource", "None") == "Input"
        self.active = self._join or self._input is not None or self._output is not None
        self._by_line = source.get("SplitType") == "Line"
        self._accept = job["TransformOutput"].get("Accept")
        self._format = format_of(source.get("ContentType"), by_line=self._by_line)
        if self.active:
            self._check(source)

    def _check(self, source: Mapping[str, Any]) -> None:
        if self._format is None:
            raise ValueError(
                "DataProcessing needs the ContentType text/csv, application/json or application/jsonlines, "
                f"not {source.get('ContentType')}"
            )
        if source.get("SplitType", "None") not in ("None", "Line"):
            raise ValueError(f"DataProcessing needs the SplitType Line or None, not {source['SplitType']}")
        if self._accept:
            answers = format_of(self._accept, by_line=self._by_line)
            if answers is None or (self._join and isinstance(answers, Csv) != isinstance(self._format, Csv)):
                kinds = f"ContentType {source['ContentType']} and Accept {self._accept}"
                raise ValueError(f"DataProcessing cannot bring {kinds} together")

    def prepare(self, record: bytes) -> Item:
        """A record's values and what goes to the program. Raises RecordError."""
        assert self._format is not None
        values = self._format.parse(record)
        return Item(values, self._format.dump([_select(self._input, value) for value in values]))

    def finish(self, items: list[Item], answer: bytes, content_type: str | None) -> bytes:
        """The output for the program's ``answer`` to some items. Raises RecordError."""
        answers = format_of(self._accept or content_type, by_line=self._by_line) or self._format
        assert answers is not None
        try:
            values = answers.parse(answer)
        except RecordError as error:
            raise RecordError(f"Failed to parse output from the algorithm as {answers.name}: {error}") from error
        if self._join:
            values = self._joined([value for item in items for value in item.values], values, answers)
        return answers.dump([_select(self._output, value) for value in values])

    def _joined(self, inputs: list[Any], outputs: list[Any], answers: Format) -> list[Any]:
        if len(inputs) != len(outputs):
            raise RecordError(
                "Fail to join data: mismatched line count between the input and the output "
                f"({len(inputs)} and {len(outputs)})"
            )
        if isinstance(answers, Csv) != isinstance(self._format, Csv):
            raise RecordError("Fail to join data: the input and the output are not both CSV or both JSON")
        return [answers.join(value, output) for value, output in zip(inputs, outputs, strict=True)]


def _filter(text: str | None) -> Selection | None:
    """A filter of the request; None for one that takes all. Raises ValueError."""
    if not text or text == "$":
        return None
    from local_sagemaker.jobs.transform.selection import Selection  # 0.1 s that few jobs need

    try:
        return Selection(text)
    except RecordError as error:
        raise ValueError(f"DataProcessing: {error}") from error


def _select(selection: Selection | None, value: Any) -> Any:
    return value if selection is None else selection.apply(value)
