"""The registry of images: which image URI means which programs, in which environment."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ENVIRONMENT = ("python", "requirements", "install")
_KEYS = {*_ENVIRONMENT, "environment", "train", "serve", "process", "pythonpath", "uris", "metrics"}


class ImageError(Exception):
    """An image that is not known, not well described or could not be built; one clear message."""


@dataclass(frozen=True)
class Image:
    """One entry of images.toml; paths are absolute.

    ``environment`` names the image whose environment this one runs in, mostly itself.
    ``train``, ``serve`` and ``process`` are arguments after the environment's Python. ``metrics`` maps a metric's name
    to the regular expression that finds its value in the log, for algorithms that define their own.
    """

    name: str
    environment: str
    python: str
    requirements: Path | None
    install: tuple[str, ...]
    train: tuple[str, ...]
    serve: tuple[str, ...]
    process: tuple[str, ...]
    pythonpath: tuple[str, ...]
    uris: tuple[re.Pattern[str], ...]
    metrics: Mapping[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """Hash of all that decides what the environment holds."""
        digest = hashlib.sha256(f"{self.python} {platform.machine()} {platform.system()}".encode())
        for path in filter(None, [self.requirements, *map(Path, self.install[:1])]):
            digest.update(path.read_bytes() + b"\0")
        digest.update("\0".join(self.install[1:]).encode())
        return digest.hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """Where the environment is, or will be."""
        return environments() / f"{self.environment}-{self.digest()}"

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def built(self) -> bool:
        return (self.folder / ".complete").exists()


def environments() -> Path:
    """The folder of all image environments: LABS_IMAGES_DIR, or below the user's cache."""
    if chosen := os.environ.get("LABS_IMAGES_DIR"):
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "signal-labs" / "images"


class Registry:
    """images.toml, read again whenever the file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._images: dict[str, Image] = {}

    def images(self) -> dict[str, Image]:
        """All images by name. Raises ImageError, naming file and field, when the file is not right."""
        with self._lock:
            try:
                status = self.path.stat()
                stamp = (status.st_mtime_ns, status.st_size)
                if stamp != self._stamp:
                    self._images, self._stamp = self._read(), stamp
            except OSError as error:
                raise ImageError(f"{self.path}: {error.strerror}") from error
            return self._images

    def get(self, name: str) -> Image:
        """The image ``name``. Raises ImageError for an unknown one, listing those there are."""
        images = self.images()
        if name not in images:
            raise ImageError(f"unknown image {name!r}; {self.path} has: {', '.join(sorted(images)) or 'none'}")
        return images[name]

    def resolve(self, uri: str) -> Image | None:
        """The image that answers to an image URI."""
        return next((i for i in self.images().values() if any(p.search(uri) for p in i.uris)), None)

    def _read(self) -> dict[str, Image]:
        try:
            entries = tomllib.loads(self.path.read_text(encoding="utf-8")).get("images", {})
        except tomllib.TOMLDecodeError as error:
            raise ImageError(f"{self.path}: {error}") from error
        return {name: self._image(name, self._whole(name, entry, entries)) for name, entry in entries.items()}

    def _whole(self, name: str, entry: dict[str, Any], entries: dict[str, Any]) -> dict[str, Any]:
        """The entry with what its ``environment`` says."""
        other = entry.get("environment")
        if other is None:
            return {**entry, "environment": name}
        where = f"{self.path}: [images.{name}]"
        if own := sorted(entry.keys() & set(_ENVIRONMENT)):
            raise ImageError(f"{where} has both environment and {own[0]}, which the environment of {other} decides")
        if other == name or other not in entries or "environment" in entries[other]:
            raise ImageError(f"{where} environment must name an image that has one of its own, not {other!r}")
        return {**entry, **{key: entries[other][key] for key in _ENVIRONMENT if key in entries[other]}}

    def _image(self, name: str, entry: dict[str, Any]) -> Image:
        where = f"{self.path}: [images.{name}]"
        if unknown := sorted(entry.keys() - _KEYS):
            raise ImageError(f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
        if not isinstance(entry.get("python"), str) or not re.fullmatch(r"3\.\d+", entry["python"]):
            raise ImageError(f'{where} python must be a version such as "3.11"')
        requirements = entry.get("requirements")
        try:
            patterns = tuple(re.compile(uri) for uri in entry.get("uris", []))
        except re.error as error:
            raise ImageError(f"{where} uris: {error}") from error
        return Image(
            name=name,
            environment=entry["environment"],
            python=entry["python"],
            requirements=self._file(requirements, f"{where} requirements") if requirements else None,
            install=self._program(entry, "install", where),
            train=self._program(entry, "train", where),
            serve=self._program(entry, "serve", where),
            process=self._program(entry, "process", where),
            pythonpath=tuple(str(self.path.parent / folder) for folder in entry.get("pythonpath", [])),
            uris=patterns,
            metrics=dict(entry.get("metrics", {})),
        )

    def _program(self, entry: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
        """A program's arguments; the first is a file beside images.toml."""
        program = entry.get(key, [])
        if not isinstance(program, list) or not all(isinstance(part, str) for part in program):
            raise ImageError(f"{where} {key} must be a list of strings")
        return (str(self._file(program[0], f"{where} {key}")), *program[1:]) if program else ()

    def _file(self, name: str, where: str) -> Path:
        path = self.path.parent / name
        if not path.is_file():
            raise ImageError(f"{where}: there is no file {path}")
        return path
