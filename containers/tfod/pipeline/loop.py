"""The steps of a job: evaluate, keep the best checkpoint, stop early, go on where an interrupted run ended."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from detection import metric_lines, schedule
from detection.files import write_text
from detection.history import History
from sagemaker_contract import StopRequest, UserError

from . import training
from .evaluation import Evaluator
from .events import Events
from .training import STOP, Training, losses

HISTORY, BEST = "history.json", "best"


@dataclass
class Loop:
    """What the steps work with.

    `evaluated` is a second model, into which checkpoints are read: what is measured is what was written, and other
    hosts take no part in it. `folder` gets the checkpoints, `earlier` may hold those of an interrupted run; `chief` is
    false on all hosts but the first, which evaluate and print nothing and write what nobody keeps. `first` is the step
    that this run goes on after.
    """

    process: Training
    evaluated: tf.train.Checkpoint
    evaluator: Evaluator | None
    events: Events
    folder: Path
    earlier: Path
    table: Path
    batch_size: int
    chief: bool = True
    first: int = 0
    history: History = field(default_factory=History)

    def run(self, total: int, period: int, log_period: int, patience: int, stop: StopRequest) -> str:
        """Train up to step `total`, evaluating after every `period`; returns why training ended."""
        self._resume()
        manager = tf.train.CheckpointManager(self.process.checkpoint, str(self.folder), max_to_keep=2)
        reason, seen, since = "", [], time.perf_counter()
        while self.process.iteration < total:
            values = self.process.step(bool(reason) or bool(stop))
            iteration = self.process.iteration
            seen.append(values)
            if schedule.is_due(iteration - 1, total, log_period):
                self._log(iteration, seen, time.perf_counter() - since)
                seen, since = [], time.perf_counter()
            stopped = values.pop(STOP) > 0
            if stopped or schedule.is_due(iteration - 1, total, period):
                path = manager.save(checkpoint_number=iteration)
                if not stopped:
                    self._evaluate(iteration, path)
                    since = time.perf_counter()
            if stopped:
                return reason or "stop requested"
            if self.history.stalled(patience) and self.chief:
                reason = f"no better AP50 in {patience} evaluations"
        return reason or "all steps done"

    def read_best(self) -> None:
        """Leave the best checkpoint in the evaluated model, without evaluations the last one."""
        training.create_variables(self.evaluated.model)
        folder = self.folder / BEST if self.history.rows else self.folder
        self.evaluated.read(tf.train.latest_checkpoint(str(folder))).expect_partial()

    def _resume(self) -> None:
        latest = tf.train.latest_checkpoint(str(self.earlier))
        if not latest:
            return
        try:
            self.process.checkpoint.restore(latest)
        except (ValueError, tf.errors.OpError) as error:
            raise UserError(f"{latest}: not a checkpoint of this model; empty the folder to start anew") from error
        if (self.earlier / HISTORY).is_file():
            self.history.rows.extend(json.loads((self.earlier / HISTORY).read_text(encoding="utf-8")))
        self.first = self.process.iteration
        print(f"going on after step {self.first}", flush=True)

    def _log(self, iteration: int, seen: list[dict[str, float]], seconds: float) -> None:
        if not self.chief:
            return
        means = {name: float(np.mean([each[name] for each in seen])) for name in seen[0] if name != STOP}
        speed = len(seen) * self.batch_size / seconds
        self.events.write("train", iteration, {**means, "learning_rate": self.process.lr, "images_per_second": speed})
        _print("training", iteration, {**losses(means), "lr": self.process.lr, "images_per_second": speed})

    def _evaluate(self, iteration: int, path: str) -> None:
        if not self.chief or self.evaluator is None:
            return
        self.evaluated.read(path).expect_partial()
        values = self.evaluator.evaluate()
        self.events.write("eval", iteration, values)
        numbers = {name: value for name, value in values.items() if not name.startswith("Loss/")} | losses(values)
        better = self.history.add(iteration, numbers)
        _print("validation", iteration, {name: value for name, value in numbers.items() if "/" not in name})
        self.history.write_csv(self.table)
        write_text(self.folder / HISTORY, json.dumps(self.history.rows))
        if better:
            self._keep_best()

    def _keep_best(self) -> None:
        folder = self.folder / BEST
        temporary = folder.with_name(f".{BEST}")
        shutil.rmtree(temporary, ignore_errors=True)
        tf.train.CheckpointManager(self.evaluated, str(temporary), max_to_keep=1).save(checkpoint_number=0)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)


def _print(phase: str, iteration: int, values: Mapping[str, float]) -> None:
    print(metric_lines.line(phase, iteration, values), flush=True)
