"""Pipe mode: a named pipe <channel>_<epoch> for every epoch, filled as the program reads it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import select
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from local_sagemaker.aws.objects import ObjectError

_TICK = 0.02  # seconds between looks for a reader
_WAIT = 100  # milliseconds between looks whether the job ends while the reader does not read
_CAPACITY = 1 << 20  # bytes that a pipe may hold, where the system lets us choose


class Pipe:
    """Feeds one channel of one host. The next epoch's pipe is there as soon as a program has opened the last one."""

    def __init__(
        self, folder: Path, channel: str, epoch: Callable[[int], Iterable[bytes]], fail: Callable[[str], None]
    ) -> None:
        """``epoch`` gives the bytes of an epoch, from 0; ``fail`` is told why when they cannot be had."""
        self._folder, self._channel, self._epoch, self._fail = folder, channel, epoch, fail
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pipe {channel}", daemon=True)

    def open(self) -> None:
        """Make the first epoch's pipe and wait for its reader. Raises OSError."""
        os.mkfifo(self._path(0), 0o600)
        self._thread.start()

    def close(self) -> None:
        """Stop feeding."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{self._channel}_{epoch}"

    def _run(self) -> None:
        try:
            for epoch in itertools.count():
                reader = self._reader(epoch)
                if reader is None:
                    return
                try:
                    os.mkfifo(self._path(epoch + 1), 0o600)
                    self._fill(reader, epoch)
                finally:
                    os.close(reader)
                    self._path(epoch).unlink(missing_ok=True)
        except (ObjectError, OSError) as error:
            self._fail(f"ClientError: Data download failed: channel {self._channel}: {error}")

    def _reader(self, epoch: int) -> int | None:
        """Wait until the program has opened the pipe; its end for writing, or None when the job ends before."""
        while not self._closed.wait(_TICK):
            try:
                return os.open(self._path(epoch), os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    raise
        return None

    def _fill(self, reader: int, epoch: int) -> None:
        """Write an epoch, or as much of it as the program wants to read."""
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):
                fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _CAPACITY)
        with contextlib.suppress(BrokenPipeError):
            for chunk in self._epoch(epoch):
                if not self._write(reader, chunk):
                    return

    def _write(self, reader: int, chunk: bytes) -> bool:
        poll = select.poll()
        poll.register(reader, select.POLLOUT)
        rest = memoryview(chunk)
        while rest:
            if self._closed.is_set():
                return False
            if poll.poll(_WAIT):
                rest = rest[os.write(reader, rest) :]
        return True
