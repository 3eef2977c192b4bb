"""Which objects an input has: those under a prefix or those that a manifest lists, and each host's share of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local_sagemaker.aws.objects import ObjectError, Objects, StoredObject, copy, relative_key, split_uri
from local_sagemaker.jobs.inputs.manifest import read_manifest
from local_sagemaker.jobs.jobs import JobError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Entry:
    """One object of an input and its path below the input's folder."""

    name: str
    stored: StoredObject


def list_entries(objects: Objects, data_type: str, uri: str, role: str) -> list[Entry]:
    """The objects of an S3 data source (S3DataType "S3Prefix" or "ManifestFile"), at least one. Raises JobError."""
    try:
        entries = _listed(objects, uri) if data_type == "ManifestFile" else _under(objects, uri)
    except (ObjectError, OSError) as error:
        raise JobError(f"ClientError: Data download failed: {uri}: {error}") from error
    if not entries:
        raise JobError(
            f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data '
            f"source. Check that objects exist under that prefix and that {role} may list them."
        )
    return entries


def copy_entries(entries: Sequence[Entry], folder: Path, *, read_only: bool = False) -> None:
    """Copy objects into ``folder``, which then exists also if there are none. Raises JobError."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        try:
            target = copy(entry.stored, entry.name, folder)
            if read_only:
                target.chmod(0o444)
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Data download failed: {entry.stored.key}: {error}") from error


def share(items: Sequence[Item], host: int, hosts: int) -> list[Item]:
    """What host number ``host`` of ``hosts`` gets of items that are sharded (ShardedByS3Key): about one part in so
    many, none of it shared."""
    return list(items[host::hosts])


def shuffle(items: Sequence[Item], seed: int, epoch: int) -> list[Item]:
    """``items`` in the order of an epoch under a ShuffleConfig's seed: the same on every host, another every epoch."""
    mixed = list(items)
    random.Random(f"{seed}/{epoch}").shuffle(mixed)
    return mixed


def _under(objects: Objects, uri: str) -> list[Entry]:
    _, prefix = split_uri(uri)
    return [Entry(relative_key(o.key, prefix), o) for o in objects.find(uri) if not o.is_folder]


def _listed(objects: Objects, uri: str) -> list[Entry]:
    manifest = read_manifest(objects.get(uri).path.read_bytes())
    return [Entry(line.name, line.find(objects, manifest.prefix)) for line in manifest.lines]
