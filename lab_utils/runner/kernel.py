"""The papermill engine of the labs: this very interpreter as kernel, watched, and always cleaned up after."""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import nbformat
import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.iorw import LocalHandler, papermill_io

from lab_utils import atomic
from lab_utils.runner.guard import Guard, Stopped
from lab_utils.runner.notebook import tags

ENGINE = "signal-labs"
ATOMIC = "atomic://"
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False


class ThisInterpreter(AsyncKernelManager):
    """Starts the kernel with the running Python, whatever kernelspecs are installed or missing."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        if self.has_trait("transport_encryption") and zmq.has("curve"):  # jupyter_client 8.9 and later
            self.transport_encryption = "auto"

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        encrypted = {"supported_encryption": ["curve"]}
        return KernelSpec(argv=argv, display_name="Python 3", language="python", metadata=encrypted)


class LabClient(PapermillNotebookClient):
    """Executes the cells of one lab; `exit_code` is the kernel's if it died.

    Args:
        manager: papermill's record of the execution.
        guard: may stop the lab.
        on_cell: called with the index of every cell before it runs.
    """

    def __init__(
        self, manager: NotebookExecutionManager, guard: Guard, on_cell: Callable[[int], None], **traits: Any
    ) -> None:
        super().__init__(manager, kernel_manager_class=ThisInterpreter, log=_log, **traits)
        self._guard, self._on_cell = guard, on_cell
        self.exit_code: int | None = None

    def process_group(self) -> int | None:
        process = self._process()
        return os.getpgid(process.pid) if process and process.poll() is None else None

    def _process(self) -> Any:
        return getattr(getattr(self.km, "provisioner", None), "process", None)

    def execute_cell(self, cell: nbformat.NotebookNode, cell_index: int) -> nbformat.NotebookNode:
        self._guard.check()
        self._on_cell(cell_index)
        return super().execute_cell(cell, cell_index)

    def papermill_execute_cells(self) -> None:
        """Run the cells in order; after a failure or a stop, run the clean-up cells that were not reached."""
        self._guard.start_clock()
        try:
            super().papermill_execute_cells()
            self._guard.check()
        except Stopped:
            self._clean_up()
            raise
        except DeadKernelError:
            self.exit_code = self._process().poll()
            raise
        if self.nb.metadata.papermill.exception:
            self._clean_up()

    def _clean_up(self) -> None:
        self._guard.allow_clean_up()
        for index, cell in enumerate(self.nb.cells):
            if "clean-up" in tags(cell) and cell.execution_count is None:
                with suppress(CellExecutionError, DeadKernelError):
                    super().execute_cell(cell, index)
                cell.outputs = [_as_text(output) for output in cell.outputs]


def _as_text(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An error of the clean-up as plain text: papermill would take it for the cause of the failure."""
    if output.output_type != "error":
        return output
    return nbformat.v4.new_output("stream", name="stderr", text="\n".join(output.traceback) + "\n")


class LabEngine(Engine):
    """Papermill's way to run a notebook with a client of our own."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        open_client: Callable[..., LabClient],
        kernel_log: IO[bytes],
        start_timeout: int,
        **_: Any,
    ) -> None:
        client = open_client(nb_man, kernel_name=kernel_name, startup_timeout=start_timeout)
        client.execute(stdout=kernel_log, stderr=kernel_log)


class AtomicHandler(LocalHandler):
    """Papermill's file access for `atomic://PATH`: the notebook on disk is never half written."""

    def write(self, buf: str, path: str) -> None:
        atomic.write_text(Path(path.removeprefix(ATOMIC)), buf)


papermill_engines.register(ENGINE, LabEngine)
papermill_io.register(ATOMIC, AtomicHandler())
