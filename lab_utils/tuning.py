"""Follow a hyperparameter tuning job, and see which values were better."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm.auto import tqdm

from lab_utils.errors import LabError
from lab_utils.session import LabSession

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RUNNING = ("InProgress", "Stopping")
_ENDED = ("Completed", "NonRetryableError", "Stopped")
_NAME_LENGTH = 32  # SageMaker's limit for the name of a tuning job


class TuningFailedError(LabError):
    """A tuning job failed; the message holds its FailureReason and those of its training jobs."""


@dataclass(frozen=True)
class TuningRun:
    """A tuning job that has ended.

    Attributes:
        description: the DescribeHyperParameterTuningJob answer.
        trials: one row a training job, in order of start: `job`, `status`, `objective`, `seconds` (billable) and a
            column a tuned hyperparameter.
    """

    description: dict[str, Any]
    trials: pd.DataFrame

    @property
    def objective(self) -> str:
        """Name of the metric that was compared."""
        return self._objective["MetricName"]

    @property
    def tuned(self) -> list[str]:
        """Names of the tuned hyperparameters."""
        return [name for name in self.trials.columns if name not in ("job", "status", "objective", "seconds")]

    @property
    def best(self) -> dict[str, Any]:
        """The row of the best training job."""
        ordered = self.trials.sort_values("objective", ascending=self._minimize, na_position="last")
        return {str(name): value for name, value in ordered.iloc[0].items()}

    def figure(self) -> "Figure":
        """The objective over each tuned hyperparameter; the best is marked, the number is the order of the trials."""
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(
            1, len(self.tuned), figsize=(5 * len(self.tuned), 3.4), layout="constrained", squeeze=False
        )
        for axis, name in zip(axes[0], self.tuned, strict=True):
            self._scatter(axis, name)
        plt.close(figure)
        return figure

    def _scatter(self, axis: Any, name: str) -> None:
        from matplotlib.ticker import LogLocator, NullFormatter

        done = self.trials.dropna(subset=["objective"])
        axis.scatter(done[name], done["objective"], color="#0072B2", zorder=3)
        axis.scatter(self.best[name], self.best["objective"], s=160, fc="none", ec="#D55E00", lw=2, label="best")
        for number, (value, score) in enumerate(zip(done[name], done["objective"], strict=True), 1):
            axis.annotate(str(number), (value, score), xytext=(5, 5), textcoords="offset points", fontsize=8)
        if self._logarithmic(name):
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_major_formatter("{x:g}")
            axis.xaxis.set_minor_formatter(NullFormatter())
        lower = " (lower is better)" if self._minimize else ""
        axis.set(xlabel=name, ylabel=f"{self.objective}{lower}")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)

    @property
    def _config(self) -> dict[str, Any]:
        return self.description["HyperParameterTuningJobConfig"]

    @property
    def _objective(self) -> dict[str, str]:
        return self._config["HyperParameterTuningJobObjective"]

    @property
    def _minimize(self) -> bool:
        return self._objective["Type"] == "Minimize"

    def _logarithmic(self, name: str) -> bool:
        ranges = self._config["ParameterRanges"]
        numeric = [*ranges.get("ContinuousParameterRanges", []), *ranges.get("IntegerParameterRanges", [])]
        return any(r["Name"] == name and r.get("ScalingType") == "Logarithmic" for r in numeric)


def name_start(lab: LabSession, name: str) -> str:
    """How the names of a lab's tuning jobs start: `lab.named(name)-`, cut to leave room for what `job_name` adds."""
    return f"{lab.named(name)[: _NAME_LENGTH - 9].rstrip('-')}-"


def job_name(lab: LabSession, name: str) -> str:
    """A new name for a tuning job, of at most 32 characters."""
    return f"{name_start(lab, name)}{int(time.time()):08x}"


def watch_tuning(lab: LabSession, tuner: Any, *, poll: float | None = None) -> TuningRun:
    """Follow a tuning job to its end, with a progress bar over its training jobs.

    Args:
        lab: the session.
        tuner: a `HyperparameterTuner` whose `tune(wait=False)` was called, or a tuning job's name.
        poll: seconds between two looks; default 1 locally, 15 on AWS.

    Raises:
        TuningFailedError: the tuning job failed, or none of its training jobs reached the objective.
    """
    name = tuner if isinstance(tuner, str) else tuner.latest_tuning_job.hyper_parameter_tuning_job_name
    client = lab.client("sagemaker")
    description = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    total = description["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    with tqdm(total=total, desc="tuning", unit="job") as bar:
        while True:
            counters = description["TrainingJobStatusCounters"]
            bar.update(
                sum(v for k, v in counters.items() if k in ("Completed", "NonRetryableError", "Stopped")) - bar.n
            )
            if best := description.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric"):
                bar.set_postfix_str(f"best {best['MetricName']} {best['Value']:.3f}")
            if description["HyperParameterTuningJobStatus"] not in _RUNNING:
                break
            time.sleep(poll or (1 if lab.backend == "local" else 15))
            description = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    run = TuningRun(description, _trials(client, description))
    if description["HyperParameterTuningJobStatus"] == "Failed" or run.trials["objective"].isna().all():
        raise TuningFailedError(f"tuning job {name} failed: {_reasons(client, description, run.trials)}")
    return run


def _trials(client: Any, description: dict[str, Any]) -> pd.DataFrame:
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=description["HyperParameterTuningJobName"], SortBy="CreationTime"
    )
    summaries = sorted((s for page in pages for s in page["TrainingJobSummaries"]), key=lambda s: s["CreationTime"])
    trials = pd.DataFrame([_trial(summary) for summary in summaries], columns=_columns(summaries))
    return trials.assign(**{name: _numeric(trials[name]) for name in trials.columns[4:]})


def _columns(summaries: list[dict[str, Any]]) -> list[str]:
    tuned = sorted({name for summary in summaries for name in summary["TunedHyperParameters"]})
    return ["job", "status", "objective", "seconds", *tuned]


def _trial(summary: dict[str, Any]) -> dict[str, Any]:
    start, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    return {
        "job": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "objective": summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value", float("nan")),
        "seconds": round((end - start).total_seconds()) if start and end else 0,
        **summary["TunedHyperParameters"],
    }


def _numeric(column: pd.Series) -> pd.Series:
    """Numbers where all values are numbers; the API's values are strings, some in double quotes."""
    bare = column.str.strip('"')
    try:
        return pd.to_numeric(bare)
    except ValueError:
        return bare


def _reasons(client: Any, description: dict[str, Any], trials: pd.DataFrame) -> str:
    if reason := description.get("FailureReason"):
        return reason
    jobs = [client.describe_training_job(TrainingJobName=job) for job in trials["job"]]
    return "; ".join(job.get("FailureReason", "the objective metric is not in the log") for job in jobs) or "no job ran"
