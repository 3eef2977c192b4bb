"""The epochs of a job: evaluate, keep the best weights, stop early, go on where an interrupted run ended."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from detection import schedule
from detection.history import History
from gluoncv.model_zoo.ssd.ssd import SSD
from sagemaker_contract import Environment, StopRequest

from . import checkpoints
from .evaluation import Evaluator
from .hosts import Hosts
from .names import BEST
from .training import Training


class Log(Protocol):
    """Prints what a job's metrics are read from."""

    def training(self, iteration: int, values: Mapping[str, float]) -> None:
        """Mean losses since the last line, learning rate, speed, and the `epoch` from 1."""

    def validation(self, iteration: int, values: Mapping[str, float]) -> None:
        """An evaluation after `epoch` epochs."""


@dataclass
class Loop:
    """What the epochs work with. `ended` says of a history why training should stop early, "" to go on."""

    network: SSD
    process: Training
    evaluator: Evaluator | None
    hosts: Hosts
    environment: Environment
    model_dir: Path
    log: Log
    history: History
    ended: Callable[[History], str]

    def run(self, epochs: int, period: int, stop: StopRequest) -> str:
        """Train up to `epochs` epochs, evaluating after every `period`; returns why they ended."""
        for epoch in range(self._resume(), epochs):
            left = self.process.epoch(epoch, stop)
            self.hosts.average_norms(self.network)
            if left:
                # the epoch is begun anew, from its first iteration's place in the schedule
                self._checkpoint(epoch, epoch * len(self.process.batches))
                return "stop requested"
            if schedule.is_due(epoch, epochs, period):
                self._evaluate(epoch + 1)
                self._checkpoint(epoch + 1, self.process.iteration)
                reason = self.ended(self.history)
                if self.hosts.any(bool(reason)):
                    return reason
        return "all epochs done"

    @property
    def _keeps(self) -> bool:
        """SageMaker makes the folder for jobs with a CheckpointConfig."""
        return self.environment.checkpoint_dir.is_dir()

    def _resume(self) -> int:
        """The epoch to go on with: 0, or where an interrupted run of this job ended."""
        folder = self.environment.checkpoint_dir
        meta = checkpoints.load_state(folder, self.network, self.process.optimizer)
        if meta is None:
            return 0
        self.process.begin(meta["iteration"])
        self.history.rows.extend(meta["history"])
        if self.history.rows and self.hosts.rank == 0:
            self.model_dir.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / BEST, self.model_dir)
        print(f"going on after epoch {meta['epoch']}, iteration {meta['iteration']}", flush=True)
        return meta["epoch"]

    def _evaluate(self, epoch: int) -> None:
        if self.evaluator is None or self.hosts.rank:
            return
        values = self.evaluator.evaluate(self.process.contexts[0])
        better = self.history.add(self.process.iteration, {"epoch": epoch, **values})
        self.log.validation(self.process.iteration, self.history.rows[-1])
        self.history.write_csv(self.environment.output_data_dir / "history.csv")
        for folder in [self.model_dir, *([self.environment.checkpoint_dir] if self._keeps else [])]:
            if better:
                checkpoints.save_weights(self.network, folder / BEST)

    def _checkpoint(self, epoch: int, iteration: int) -> None:
        if self._keeps and self.hosts.rank == 0:
            meta = {"epoch": epoch, "iteration": iteration, "history": self.history.rows}
            checkpoints.save_state(self.environment.checkpoint_dir, self.network, self.process.optimizer, meta)
