"""Run a program of a job under the contract: exit codes, the reason of a failure, a clean stop."""

import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, Callable, Optional

from .environment import Environment
from .errors import UserError

SUCCESS, FRAMEWORK_ERROR, USER_ERROR = 0, 1, 2
REASON_LENGTH = 1024  # SageMaker reads no more


class StopRequest:
    """Becomes true once SageMaker asks the job to stop (SIGTERM, two minutes before SIGKILL).

    `forward` is called then too: what has to hear of it, such as a program's own worker processes.
    """

    def __init__(self) -> None:
        self.requested = False
        self.forward: Callable[[], None] = lambda: None

    def __bool__(self) -> bool:
        return self.requested

    def listen(self) -> "StopRequest":
        """Note SIGTERM from now on, in place of dying of it."""
        signal.signal(signal.SIGTERM, self._note)
        return self

    def _note(self, number: int, frame: Any) -> None:
        self.requested = True
        # os.write: the signal may come while a print holds the buffer's lock.
        os.write(2, b"SIGTERM: stopping after this step\n")
        self.forward()


def run(main: Callable[[Environment, StopRequest], None], *, processing: bool = False) -> int:
    """Call `main(environment, stop)` and return the exit code; every failure leaves its reason behind, where
    SageMaker looks for that of a training job, or of a `processing` job."""
    stop = StopRequest().listen()
    environment = None
    try:
        environment = Environment.load()
        main(environment, stop)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        _explain(environment, str(error), processing)
        return USER_ERROR
    except Exception as error:
        traceback.print_exc()
        _explain(environment, f"{type(error).__name__}: {error}\n\n{traceback.format_exc()}", processing)
        return FRAMEWORK_ERROR
    return SUCCESS


def _explain(environment: Optional[Environment], reason: str, processing: bool) -> None:
    environment = environment or Environment(Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))
    write_failure(environment.message_file if processing else environment.failure_file, reason)


def write_failure(path: Path, reason: str) -> None:
    """Write the first 1,024 characters of `reason`, whole or not at all; the first writer's reason stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=str(path.parent))
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(reason[:REASON_LENGTH])
    try:
        os.link(temporary, str(path))  # unlike a rename, refuses to replace
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()
