"""A container's file system: /opt/ml, relocated below the job's own folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

_OPT_ML = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")


class ContainerFolder:
    """The folder of one job or endpoint and the paths of SageMaker's container contract below it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = root / "opt" / "ml"
        self.home = root / "root"
        self.tmp = root / "tmp"
        self.log = root / "log.txt"
        self.config = self.base / "input" / "config"
        self.data = self.base / "input" / "data"
        self.model = self.base / "model"
        self.output = self.base / "output"
        self.output_data = self.output / "data"
        self.failure = self.output / "failure"
        self.checkpoints = self.base / "checkpoints"

    def create(self) -> None:
        """Make the folders, empty."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True, mode=0o700)
        for folder in (self.home, self.tmp, self.config, self.data, self.model, self.output_data, self.checkpoints):
            folder.mkdir(parents=True)

    def channel(self, name: str) -> Path:
        return self.data / name

    def write_config(self, name: str, value: Any) -> None:
        """Write ``input/config/<name>.json``."""
        (self.config / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")

    def relocate(self, text: str) -> str:
        """``text`` with every absolute path under /opt/ml replaced by the one in this folder."""
        return _OPT_ML.sub(lambda _: str(self.base), text)

    def relocate_files(self, folder: Path, replacements: Mapping[str, str] = MappingProxyType({})) -> None:
        """Relocate the paths inside the text files below ``folder``, and replace what ``replacements`` says."""
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b"\0"
            if b"\0" in data:
                continue
            text = self.relocate(data.decode("utf-8", "surrogateescape"))
            for old, new in replacements.items():
                text = text.replace(old, new)
            path.unlink()  # it may be read-only
            path.write_bytes(text.encode("utf-8", "surrogateescape"))

    def remove_contents(self) -> None:
        """Free the disk after the job: everything but the log goes."""
        for folder in (self.root / "opt", self.home, self.tmp):
            shutil.rmtree(folder, ignore_errors=True)
