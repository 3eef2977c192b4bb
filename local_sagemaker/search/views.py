"""Records as Search sees them: with tags, metrics and parameters by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_sagemaker.api import model
from local_sagemaker.api.operations import Operations
from local_sagemaker.errors import not_emulated
from local_sagemaker.store import Record, Store

if TYPE_CHECKING:
    from botocore.model import Shape

_KINDS = {"ExperimentTrial": "Trial", "ExperimentTrialComponent": "TrialComponent"}
_SEARCHED = (
    "TrainingJob", "HyperParameterTuningJob", "Experiment", "Trial", "TrialComponent", "Endpoint", "Model",
    "ModelPackage", "ModelPackageGroup", "Pipeline", "PipelineExecution",
)  # fmt: skip
_DESCRIBED = ("HyperParameterTuningJob", "TrialComponent")  # whose records do not hold all that Describe tells


class Found:
    """One resource: its view for filters, and what an answer shows of it."""

    def __init__(self, kind: str, record: Record, shape: Shape) -> None:
        self._kind, self._record, self._shape = kind, record, shape
        members = {name: value for name, value in record.items() if not name.startswith("_") and value is not None}
        self.view: dict[str, Any] = {**members, "Tags": record["_tags"], **_keyed(members)}
        if kind == "Model":
            self.view = {"Model": self.view, "Tags": record["_tags"]}

    def shown(self) -> dict[str, Any]:
        """A search record."""
        tags = [{"Key": key, "Value": value} for key, value in self._record["_tags"].items()]
        members = {name: value for name, value in self._record.items() if value is not None}
        whole = {**members, "Tags": tags}
        if self._kind == "Model":
            return {"Model": {"Model": model.select(self._shape.members["Model"], whole)}}
        return {self._kind: model.select(self._shape, whole)}


class Resources:
    """All resources of one kind that Search knows."""

    def __init__(self, store: Store, operations: Operations, resource: str) -> None:
        """Raises ValidationException for a resource of which there are none here."""
        self.kind = _KINDS.get(resource, resource)
        if self.kind not in _SEARCHED:
            raise not_emulated(f"Search for {resource}")
        self._store, self._operations = store, operations
        answer = model.operation("Search")
        assert answer is not None
        self.shape: Shape = answer.output_shape.members["Results"].member.members[self.kind]

    def all(self) -> list[Found]:
        return [Found(self.kind, self._whole(record), self.shape) for record in self._store.all(self.kind)]

    def _whole(self, record: Record) -> Record:
        if self.kind in _DESCRIBED:
            name = f"{self.kind}Name"
            record = {**record, **self._operations.call(f"Describe{self.kind}", {name: record[name]})}
        if self.kind == "TrialComponent":
            return {**record, "Parents": [self._parent(trial) for trial in record["_trials"]]}
        return record

    def _parent(self, trial: str) -> dict[str, str]:
        record = self._store.get("Trial", trial)
        return {"TrialName": trial, **({} if record is None else {"ExperimentName": record["ExperimentName"]})}


def _keyed(members: Record) -> dict[str, Any]:
    """Lists of named values as maps, so that Metrics.loss and Parameters.rate find them."""
    keyed: dict[str, Any] = {}
    if "FinalMetricDataList" in members:
        keyed["Metrics"] = {metric["MetricName"]: metric["Value"] for metric in members["FinalMetricDataList"]}
    if "Metrics" in members:
        keyed["Metrics"] = {metric["MetricName"]: metric for metric in members["Metrics"]}
    if "Parameters" in members:
        keyed["Parameters"] = {name: next(iter(value.values()), None) for name, value in members["Parameters"].items()}
    return keyed
