"""What a training job leaves in S3: the model and the output data of all its hosts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local_sagemaker.aws.objects import Objects
from local_sagemaker.jobs import archive

_MODEL, _OUTPUT = ("model.tar.gz", "model/"), ("output.tar.gz", "data/")


def model_uri(request: Mapping[str, Any]) -> str:
    """Where a training job's model goes: an archive, or with CompressionType NONE the prefix of its files."""
    config = request["OutputDataConfig"]
    compressed, plain = _MODEL
    name = plain if config.get("CompressionType") == "NONE" else compressed
    return f"{config['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output/{name}"


class Artifacts:
    """Uploads the folders of all hosts as one, as files of the first host that has them."""

    def __init__(self, objects: Objects, job: Mapping[str, Any], scratch: Path) -> None:
        """``scratch`` is a folder for the archive while it is written."""
        self._objects, self._scratch = objects, scratch
        self._compressed = job["OutputDataConfig"].get("CompressionType") != "NONE"
        self._root = model_uri(job).removesuffix("/").rpartition("/")[0]

    def save_model(self, folders: Sequence[Path]) -> list[str]:
        """Upload the model; the names of files that several hosts have. Raises ObjectError or OSError."""
        return self._save(folders, *_MODEL)

    def save_output(self, folders: Sequence[Path]) -> list[str]:
        """Upload the output data, if there are any, as `save_model` does."""
        return self._save(folders, *_OUTPUT) if any(any(folder.iterdir()) for folder in folders) else []

    def _save(self, folders: Sequence[Path], compressed: str, plain: str) -> list[str]:
        self._objects.require_bucket(self._root)
        if not self._compressed:
            return self._save_files(folders, f"{self._root}/{plain}")
        packed = self._scratch / compressed
        doubled = archive.pack(folders, packed)
        self._objects.upload(f"{self._root}/{compressed}", packed)
        return doubled

    def _save_files(self, folders: Sequence[Path], prefix: str) -> list[str]:
        doubled, taken = [], set()
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
                    continue
                if name in taken:
                    doubled.append(name)
                    continue
                taken.add(name)
                copy = self._scratch / "artifact"
                shutil.copyfile(path, copy)
                self._objects.upload(prefix + name, copy)
        return doubled
