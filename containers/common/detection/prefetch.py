"""Batches made ready in a thread while the model works on the one before."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any


class Prefetched:
    """Iterates over `batches`, at most `ahead` of them made before they are asked for; errors come out in order.

    Decoding and resizing release Python's lock, so that a thread uses the time a process would, without its memory.
    """

    def __init__(self, batches: Iterable[Any], ahead: int = 1) -> None:
        self._batches, self._ahead = batches, ahead

    def __iter__(self) -> Iterator[Any]:
        """Start the thread, which ends with the batches or with the program."""
        ready: queue.Queue = queue.Queue(self._ahead)
        threading.Thread(target=self._fill, args=(ready,), daemon=True).start()
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            if batch is None:
                return
            yield batch

    def _fill(self, ready: queue.Queue) -> None:
        try:
            for batch in self._batches:
                ready.put((batch, None))
        except BaseException as error:
            ready.put((None, error))
        else:
            ready.put((None, None))
