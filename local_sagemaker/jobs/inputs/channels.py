"""A job's channels: what its InputDataConfig asks for, found once and delivered to every host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.aws.objects import ObjectError, Objects
from local_sagemaker.jobs.inputs.augmented import read_augmented
from local_sagemaker.jobs.inputs.entries import Entry, Item, copy_entries, list_entries, share, shuffle
from local_sagemaker.jobs.inputs.pipe import Pipe
from local_sagemaker.jobs.inputs.stream import Part, stream
from local_sagemaker.jobs.jobs import JobError


@dataclass(frozen=True)
class Channel:
    """One channel of a request; ``seed`` is its ShuffleConfig's, ``wrapped`` and ``gzipped`` are for Pipe mode."""

    name: str
    mode: str
    data_type: str
    uri: str
    sharded: bool
    wrapped: bool
    gzipped: bool
    attributes: tuple[str, ...]
    seed: int | None
    content_type: str | None

    @classmethod
    def of(cls, member: Mapping[str, Any], default_mode: str) -> Channel:
        """A channel of InputDataConfig; ``default_mode`` is the request's TrainingInputMode."""
        source = member["DataSource"]["S3DataSource"]
        return cls(
            name=member["ChannelName"],
            mode=member.get("InputMode", default_mode),
            data_type=source["S3DataType"],
            uri=source["S3Uri"],
            sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
            wrapped=member.get("RecordWrapperType") == "RecordIO",
            gzipped=member.get("CompressionType") == "Gzip",
            attributes=tuple(source.get("AttributeNames", ())),
            seed=member.get("ShuffleConfig", {}).get("Seed"),
            content_type=member.get("ContentType"),
        )

    def config(self) -> dict[str, str]:
        """What inputdataconfig.json tells the program about the channel."""
        return {
            "TrainingInputMode": self.mode,
            "S3DistributionType": "ShardedByS3Key" if self.sharded else "FullyReplicated",
            "RecordWrapperType": "RecordIO" if self.wrapped else "None",
            **({"ContentType": self.content_type} if self.content_type else {}),
        }


class ChannelData:
    """The data of one channel, for all hosts."""

    def __init__(self, objects: Objects, channel: Channel, role: str) -> None:
        """Find the channel's objects. Raises JobError when there are none, or a manifest is not right."""
        self.channel = channel
        self._entries: list[Entry] = []
        self._records: list[tuple[Part, ...]] = []
        if channel.data_type == "AugmentedManifestFile":
            try:
                self._records = read_augmented(objects, channel.uri, channel.attributes)
            except (ObjectError, OSError) as error:
                raise JobError(f"ClientError: Data download failed: {channel.uri}: {error}") from error
        else:
            self._entries = list_entries(objects, channel.data_type, channel.uri, role)
            self._records = [(entry.stored,) for entry in self._entries]

    def deliver(self, folder: Path, host: int, hosts: int, fail: Callable[[str], None]) -> Pipe | None:
        """Give host number ``host`` its data below ``folder``, or the pipe that it will come through.

        Raises JobError. ``fail`` is told when a pipe breaks later on.
        """
        channel = self.channel
        if channel.mode != "Pipe":
            entries = self._order(self._entries, 0, host, hosts) if channel.sharded else self._entries
            copy_entries(entries, folder / channel.name, read_only=channel.mode == "FastFile")
            return None

        def epoch(number: int) -> Iterable[bytes]:
            records = self._order(self._records, number, host, hosts)
            return stream(records, wrapped=channel.wrapped, gzipped=channel.gzipped)

        pipe = Pipe(folder, channel.name, epoch, fail)
        try:
            pipe.open()
        except OSError as error:
            raise JobError(f"InternalServerError: channel {channel.name}: {error}") from error
        return pipe

    def _order(self, items: list[Item], epoch: int, host: int, hosts: int) -> list[Item]:
        """A host's part of an epoch: shuffled over all hosts first, so that each gets other items every epoch."""
        ordered = items if self.channel.seed is None else shuffle(items, self.channel.seed, epoch)
        return share(ordered, host, hosts) if self.channel.sharded else ordered
