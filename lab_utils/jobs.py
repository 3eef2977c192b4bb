"""Follow a training job: progress bar, live curves, and the reason when it fails."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm.auto import tqdm

from lab_utils.errors import LabError
from lab_utils.session import LabSession

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_COUNTS = {"iteration": re.compile(r"\biter=(\d+)"), "epoch": re.compile(r"\bepoch=(\d+)")}
_BUILT_IN = "#quality_metric:"  # begins a line of SageMaker's own algorithms, which count epochs from 0, no iterations
# a job's hyperparameter, and the count that it ends
_LENGTHS = {"num-iter": "iteration", "num-steps": "iteration", "iterations": "iteration", "epochs": "epoch"}
_RUNNING = ("InProgress", "Stopping")


class TrainingFailedError(LabError):
    """A training job failed; the message holds its FailureReason and the end of its log."""


@dataclass
class TrainingRun:
    """A training job as far as it was followed.

    Attributes:
        name: name of the job.
        description: the last DescribeTrainingJob answer.
        log: lines of the job's log.
        history: one row a logged iteration: `iteration`, `epoch` where the job logs it (an algorithm of SageMaker's
            that logs epochs alone has them as both), and a column a metric, named as in the metric definitions.
    """

    name: str
    description: dict[str, Any]
    log: list[str] = field(default_factory=list)
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"iteration": pd.Series(dtype="int64")}))

    @property
    def image(self) -> str:
        """URI of the image that trained."""
        return self.description["AlgorithmSpecification"]["TrainingImage"]

    @property
    def model_data(self) -> str:
        """S3 URI of `model.tar.gz`."""
        return self.description["ModelArtifacts"]["S3ModelArtifacts"]

    @property
    def seconds(self) -> int:
        """Billable seconds."""
        return self.description.get("BillableTimeInSeconds", 0)

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics as SageMaker recorded them: name -> last value."""
        return {m["MetricName"]: m["Value"] for m in self.description.get("FinalMetricDataList", [])}

    def curves(self) -> "Figure":
        """Training metrics on the left, validation metrics on the right, over the iterations."""
        from lab_utils.curves import draw

        return draw(self.history, title=self.name)


def watch(lab: LabSession, job: Any, *, poll: float | None = None, live: bool = True) -> TrainingRun:
    """Follow a training job to its end.

    Args:
        lab: the session.
        job: a `ModelTrainer` whose `train(wait=False)` was called, or a job's name.
        poll: seconds between two looks; default 1 locally, 10 on AWS.
        live: draw the curves while the job runs (in a notebook).

    Raises:
        TrainingFailedError: the job failed.
    """
    name = job if isinstance(job, str) else job._latest_training_job.training_job_name
    client, tail = lab.client("sagemaker"), _LogTail(lab, name)
    run = TrainingRun(name, client.describe_training_job(TrainingJobName=name))
    parse = _Metrics(run.description["AlgorithmSpecification"].get("MetricDefinitions", []))
    count, total = _length(run.description)
    view = _LiveFigure(run) if live else None
    with tqdm(total=total, desc="Starting", unit=count) as bar:
        while True:
            running = run.description["TrainingJobStatus"] in _RUNNING
            rows = [row for line in tail.read() if (row := parse(_keep(run, line)))]
            if rows:
                run.history = _merge(run.history, rows)
                reached = run.history[count].max() if count in run.history else 0
                bar.update(int(reached) - bar.n)
            bar.set_description(run.description["SecondaryStatus"])
            if view and rows:
                view.update()
            if not running:
                break
            time.sleep(poll or (1 if lab.backend == "local" else 10))
            run.description = client.describe_training_job(TrainingJobName=name)
    if view:
        view.close()
    if run.description["TrainingJobStatus"] == "Failed":
        reason = run.description.get("FailureReason", "no reason given")
        raise TrainingFailedError("\n".join([f"training job {name} failed: {reason}", *run.log[-15:]]))
    return run


def _keep(run: TrainingRun, line: str) -> str:
    run.log.append(line)
    return line


def _length(description: dict[str, Any]) -> tuple[str, int | None]:
    """What tells how far a job is, a column of its history, and where that ends; None when it does not say."""
    for hyperparameter, count in _LENGTHS.items():
        value = str(description.get("HyperParameters", {}).get(hyperparameter, "")).strip('"')
        if value.isdigit():
            return count, int(value)
    return "iteration", None


def _merge(history: pd.DataFrame, rows: list[dict[str, float]]) -> pd.DataFrame:
    table = pd.concat([history, pd.DataFrame(rows)]).groupby("iteration", as_index=False).last()
    return table.astype({"iteration": "int64"})


class _Metrics:
    """Reads the metrics of a log line, by the job's own definitions."""

    def __init__(self, definitions: list[dict[str, str]]):
        self.definitions = [(d["Name"], re.compile(d["Regex"])) for d in definitions]

    def __call__(self, line: str) -> dict[str, float] | None:
        counts = {name: int(m[1]) for name, regex in _COUNTS.items() if (m := regex.search(line))}
        found = {name: float(m[1]) for name, regex in self.definitions if (m := regex.search(line))}
        if _BUILT_IN in line and "epoch" in counts:
            counts["iteration"] = counts["epoch"] = counts["epoch"] + 1
        return {**counts, **found} if "iteration" in counts and found else None


class _LogTail:
    """New lines of a job's log in CloudWatch Logs."""

    def __init__(self, lab: LabSession, name: str):
        self.client, self.name = lab.client("logs"), name
        self.tokens: dict[str, str] = {}

    def read(self) -> Iterator[str]:
        try:
            streams = self.client.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self.name}/")
        except self.client.exceptions.ResourceNotFoundException:  # no job of the account has logged yet
            return
        for stream in streams["logStreams"]:
            yield from self._read(stream["logStreamName"])

    def _read(self, stream: str) -> Iterator[str]:
        while True:
            token = self.tokens.get(stream)
            page = self.client.get_log_events(
                logGroupName=LOG_GROUP,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            yield from (event["message"] for event in page["events"])
            self.tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token or not page["events"]:
                return


class _LiveFigure:
    """The curves, redrawn in place below the cell, at most every few seconds."""

    INTERVAL = 3.0  # seconds

    def __init__(self, run: TrainingRun):
        self.run, self.handle, self.last = run, None, 0.0

    def update(self) -> None:
        if time.monotonic() - self.last > self.INTERVAL:
            self._draw()

    def close(self) -> None:
        if len(self.run.history):
            self._draw()

    def _draw(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        figure = self.run.curves()
        if self.handle is None:
            self.handle = display(figure, display_id=True)
        else:
            self.handle.update(figure)
        plt.close(figure)
        self.last = time.monotonic()
