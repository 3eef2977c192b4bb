"""One input file of a transform job: its payloads on the way to the program, its answers on the way to S3."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.hosting.program import Body
from local_sagemaker.jobs.inputs.entries import Entry
from local_sagemaker.jobs.transform.parameters import Parameters
from local_sagemaker.jobs.transform.processing import DataProcessing, Item
from local_sagemaker.jobs.transform.records import RecordError, check_size, pack, split
from local_sagemaker.store import Record


@dataclass(frozen=True)
class Payload:
    """One request's body, and the records in it when their answers are processed."""

    body: Body
    items: list[Item]


@dataclass(frozen=True)
class Answer:
    """What the program said."""

    body: bytes
    content_type: str | None


class InputFile:
    """One object of the input. ``folder`` is where its temporary files may lie."""

    def __init__(self, job: Record, entry: Entry, processing: DataProcessing, folder: Path, number: int) -> None:
        self._source, self._output = job["TransformInput"], job["TransformOutput"]
        self._entry, self._processing = entry, processing
        self._plain = folder / f"{number}.in"
        self._answers = folder / f"{number}.out"
        self.failed = False

    @property
    def title(self) -> str:
        """Bucket and key are how the log calls it."""
        bucket = self._source["DataSource"]["S3DataSource"]["S3Uri"].split("/")[2]
        return f"{bucket}/{self._entry.stored.key}"

    @property
    def uri(self) -> str:
        """Where its answers go: its key below the input's prefix, with .out."""
        return f"{self._output['S3OutputPath'].rstrip('/')}/{self._entry.name.lstrip('/')}.out"

    def payloads(self, parameters: Parameters) -> Iterator[Payload]:
        """What the program is sent. Raises RecordError."""
        path = self._decompressed()
        limit, several = parameters.max_bytes, parameters.strategy == "MultiRecord"
        whole = self._source.get("SplitType", "None") == "None"
        if self._processing.active:
            records = iter([path.read_bytes()]) if whole else split(path, self._source["SplitType"])
            items = (self._processing.prepare(record) for record in records)
            for group in pack(items, lambda item: len(item.payload), limit, several=several):
                yield Payload(b"".join(item.payload for item in group), group)
        elif whole:
            check_size(path.stat().st_size, limit)
            yield Payload(path, [])
        else:
            for records_ in pack(split(path, self._source["SplitType"]), len, limit, several=several):
                yield Payload(b"".join(records_), [])

    def _decompressed(self) -> Path:
        if self._source.get("CompressionType", "None") != "Gzip":
            return self._entry.stored.path
        try:
            with gzip.open(self._entry.stored.path) as packed, self._plain.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        except (OSError, EOFError) as error:
            raise RecordError(f"the object is not gzip: {error}") from error
        return self._plain

    def write(self, payload: Payload, answer: Answer) -> None:
        """Append the answer to a payload; answers come in the payloads' order. Raises RecordError."""
        body = answer.body
        if self._processing.active:
            body = self._processing.finish(payload.items, body, answer.content_type)
        if self._output.get("AssembleWith") == "Line" and not body.endswith(b"\n"):
            body += b"\n"
        with self._answers.open("ab") as stream:
            stream.write(body)

    def finish(self) -> Path:
        """The file of all answers."""
        self._answers.touch()
        self._plain.unlink(missing_ok=True)
        return self._answers

    def discard(self) -> None:
        for path in (self._plain, self._answers):
            path.unlink(missing_ok=True)
