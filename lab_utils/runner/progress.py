"""One line of progress a lab: rewritten in place on a terminal, printed on every change elsewhere."""

import shutil
import threading
import time
from types import TracebackType
from typing import Self, TextIO

from lab_utils.runner.notebook import Step


def clock(seconds: float) -> str:
    """`00:01:23`."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


class ProgressLine:
    """Context manager that shows a lab's current step and the time it has taken.

    Args:
        label: what stands first in the line.
        steps: number of the lab's last step.
        stream: where the line goes.
    """

    def __init__(self, label: str, steps: int, stream: TextIO) -> None:
        self._label, self._steps, self._stream = label, steps, stream
        self._text = "starting"
        self._started = time.monotonic()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._ticker = threading.Thread(target=self._tick, daemon=True) if stream.isatty() else None

    def __enter__(self) -> Self:
        if self._ticker:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._ticker:
            self._ticker.join()
            self._stream.write("\r\x1b[K")

    def step(self, step: Step) -> None:
        self._text = f"step {step.number}/{self._steps} {step.title}"
        self._draw()

    def finish(self, state: str, reason: str = "") -> None:
        """End the line with the lab's outcome."""
        self._done.set()
        line = f"{self._line(state)}  {reason}".rstrip()
        with self._lock:
            self._stream.write(("\r\x1b[K" if self._ticker else "") + line + "\n")
            self._stream.flush()

    def _line(self, text: str) -> str:
        return f"{self._label:<14} {text:<48} {clock(time.monotonic() - self._started)}"

    def _draw(self) -> None:
        with self._lock:
            if self._done.is_set():
                return
            if self._ticker:
                width = shutil.get_terminal_size().columns - 1
                self._stream.write("\r\x1b[K" + self._line(self._text)[:width])
            else:
                self._stream.write(self._line(self._text) + "\n")
            self._stream.flush()

    def _tick(self) -> None:
        while not self._done.wait(0.5):
            self._draw()
