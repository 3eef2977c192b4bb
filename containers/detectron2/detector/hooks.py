"""What happens between the iterations: metric lines, evaluation, the best weights, checkpoints, a clean stop."""

import time
from pathlib import Path

from detection import metric_lines, schedule
from detection.history import History
from detectron2.engine import HookBase
from detectron2.utils import comm
from sagemaker_contract import StopRequest

from . import checkpoints
from .evaluation import Evaluator
from .trainer import StopTraining
from .weights import BEST


class LossLines(HookBase):
    """Prints a [training] line a period: mean losses since the last one, learning rate, pictures a second."""

    def __init__(self, period: int, batch_size: int) -> None:
        self._period, self._batch_size = period, batch_size
        self._since = self._steps = 0

    def before_step(self) -> None:
        """Start the clock of a period."""
        self._since = self._since or time.perf_counter()
        self._steps += 1

    def after_step(self) -> None:
        """Print when the period is over."""
        trainer = self.trainer
        if not schedule.is_due(trainer.iter, trainer.max_iter, self._period):
            return
        speed = self._steps * self._batch_size / (time.perf_counter() - self._since)
        if comm.is_main_process():
            means = {name: kept.avg(self._steps) for name, kept in trainer.storage.histories().items()}
            losses = {name: mean for name, mean in means.items() if name.startswith("loss")}
            values = {"loss": means["total_loss"], **losses, "lr": trainer.lr, "images_per_second": speed}
            print(metric_lines.line("training", trainer.iter + 1, values), flush=True)
        self._since = self._steps = 0


class Validation(HookBase):
    """Evaluates a period, prints a [validation] line, keeps the best weights and the table of evaluations."""

    def __init__(
        self, evaluator: Evaluator, period: int, patience: int, history: History, folders: list[Path], table: Path
    ) -> None:
        self._evaluator, self._period, self._patience = evaluator, period, patience
        self._history, self._folders, self._table = history, folders, table

    def after_step(self) -> None:
        """Evaluate when the period is over. Raises StopTraining when nothing got better for too long."""
        trainer = self.trainer
        if not schedule.is_due(trainer.iter, trainer.max_iter, self._period):
            return
        values = self._evaluator.evaluate(trainer.detector)
        better = self._history.add(trainer.iter + 1, values)
        if comm.is_main_process():
            self._keep(values, better)
        if self._history.stalled(self._patience):
            raise StopTraining(f"no better AP50 in {self._patience} evaluations")

    def _keep(self, values: dict[str, float], better: bool) -> None:
        numbers = {name: value for name, value in values.items() if "/" not in name}
        print(metric_lines.line("validation", self.trainer.iter + 1, numbers), flush=True)
        self._history.write_csv(self._table)
        for folder in self._folders if better else ():
            checkpoints.save_weights(self.trainer.detector, folder / BEST)


class Checkpoints(HookBase):
    """Saves the whole state, each period and when a stop is requested, into the folder that SageMaker keeps."""

    def __init__(self, folder: Path, period: int, history: History, stop: StopRequest) -> None:
        self._folder, self._period, self._history, self._stop = folder, period, history, stop

    def after_step(self) -> None:
        """Save when it is time."""
        trainer = self.trainer
        due = self._stop or schedule.is_due(trainer.iter, trainer.max_iter, self._period)
        if due and comm.is_main_process():
            state = {
                "iteration": trainer.iter + 1,
                "model": trainer.detector.state_dict(),
                "optimizer": trainer.optimizer.state_dict(),
                "history": self._history.rows,
            }
            checkpoints.save_state(self._folder, state)


class CleanStop(HookBase):
    """Ends training after the step in which any host was asked to stop."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    def after_step(self) -> None:
        """Raises StopTraining on every host at the same step."""
        if any(comm.all_gather(bool(self._stop))):
            raise StopTraining("stop requested")
