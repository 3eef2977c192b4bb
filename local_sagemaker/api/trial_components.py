"""Trial components: what the SDK's Run writes, and what a job with an ExperimentConfig leaves."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from local_sagemaker.api.collection import Collection, absent, changed_map
from local_sagemaker.api.context import Context, Operation, Request
from local_sagemaker.api.emulated import Emulated
from local_sagemaker.api.listing import seconds
from local_sagemaker.api.run_metrics import summaries
from local_sagemaker.api.tracked import job_members
from local_sagemaker.errors import validation
from local_sagemaker.store import Record

KIND = "TrialComponent"
_MAPS = ("Parameters", "InputArtifacts", "OutputArtifacts")
_REPLACED = ("DisplayName", "Status")
_TIMES = ("StartTime", "EndTime")
_SUMMARY = (
    "DisplayName", "TrialComponentSource", "Status", "StartTime", "EndTime", "CreationTime", "LastModifiedTime",
)  # fmt: skip
_ONE_OF = ("ExperimentName", "TrialName", "SourceArn")


class TrialComponents:
    """The operations on trial components."""

    emulated: Mapping[str, Emulated] = {}

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._components = Collection(context, KIND, "experiment-trial-component", absent)
        self._trials = Collection(context, "Trial", "experiment-trial", absent)
        self._experiments = Collection(context, "Experiment", "experiment", absent)

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTrialComponent": self.create,
            "DescribeTrialComponent": lambda request: self.find(request["TrialComponentName"]),
            "ListTrialComponents": self.list_,
            "UpdateTrialComponent": self.update,
            "DeleteTrialComponent": self.delete,
            "AssociateTrialComponent": self.associate,
            "DisassociateTrialComponent": self.disassociate,
        }

    def create(self, request: Request) -> dict[str, Any]:
        name = request["TrialComponentName"]
        given = {"DisplayName": name, **request, **_times(request)}
        return self._components.create(given, name, _trials=[], _metrics={})

    def find(self, name_or_arn: str) -> Record:
        """A trial component with all that its Describe shows. Raises ResourceNotFound."""
        return self.whole(self._components.find(name_or_arn))

    def whole(self, record: Record) -> Record:
        """The record with what its job and its metrics say."""
        own = {**record, "Metrics": summaries(record)}
        return {**own, **job_members(self._store, own)}

    def of_trials(self, trials: Set[str]) -> list[Record]:
        """The components that are associated with any of the trials."""
        return [r for r in self._components.all() if trials & set(r["_trials"])]

    def list_(self, request: Request) -> dict[str, Any]:
        if len([member for member in _ONE_OF if member in request]) > 1:
            raise validation(f"Only one of {', '.join(_ONE_OF)} can be specified.")
        records = [self.whole(record) for record in self._chosen(request)]
        views = [{**r, "TrialComponentSource": r["Source"]} if "Source" in r else r for r in records]
        return self._components.page(views, request, "TrialComponentSummaries", _SUMMARY)

    def _chosen(self, request: Request) -> list[Record]:
        if "TrialName" in request:
            self._trials.find(request["TrialName"])
            return self.of_trials({request["TrialName"]})
        if "ExperimentName" in request:
            name = self._experiments.find(request["ExperimentName"])["ExperimentName"]
            return self.of_trials({t["TrialName"] for t in self._trials.all() if t["ExperimentName"] == name})
        if "SourceArn" in request:
            source = request["SourceArn"].lower()  # the SDK asks for it in lower case
            return [r for r in self._components.all() if r.get("Source", {}).get("SourceArn", "").lower() == source]
        return self._components.all()

    def update(self, request: Request) -> dict[str, Any]:
        times = _times(request)

        def changes(record: Record) -> Record:
            members = {**{key: request[key] for key in _REPLACED if key in request}, **times}
            for name in _MAPS:
                members |= changed_map(request, record, name)
            return members

        return self._components.change(request["TrialComponentName"], changes)

    def delete(self, request: Request) -> dict[str, Any]:
        record = self._components.find(request["TrialComponentName"])
        if record["_trials"]:
            raise validation(
                f"The trial component {request['TrialComponentName']} must be disassociated from all trials before it "
                f"is deleted: {', '.join(record['_trials'])}."
            )
        return self._components.delete(request["TrialComponentName"])

    def associate(self, request: Request) -> dict[str, Any]:
        trial = self._trials.find(request["TrialName"])
        name = trial["TrialName"]
        record = self._components.change(
            request["TrialComponentName"], lambda present: {"_trials": sorted({*present["_trials"], name})}
        )
        return {"TrialComponentArn": record["TrialComponentArn"], "TrialArn": trial["TrialArn"]}

    def disassociate(self, request: Request) -> dict[str, Any]:
        trial = self._trials.find(request["TrialName"])
        name = trial["TrialName"]
        if name not in self._components.find(request["TrialComponentName"])["_trials"]:
            raise absent(f"{request['TrialComponentName']} in the trial {name}")
        record = self._components.change(
            request["TrialComponentName"], lambda present: {"_trials": [t for t in present["_trials"] if t != name]}
        )
        return {"TrialComponentArn": record["TrialComponentArn"], "TrialArn": trial["TrialArn"]}

    def check(self, config: Mapping[str, Any]) -> None:
        """Raise ResourceNotFound unless what a job's ExperimentConfig names is there."""
        if "ExperimentName" in config:
            self._experiments.find(config["ExperimentName"])
        if "TrialName" in config:
            self._trials.find(config["TrialName"])
        if "RunName" in config:
            self._components.find(config["RunName"])

    def track(self, kind: str, job: Record) -> None:
        """Give a new job with an ExperimentConfig its trial component, in the trial that it names or one of its own."""
        config = job.get("ExperimentConfig")
        name = f"{job[f'{kind}Name']}-aws-{kind.removesuffix('Job').lower()}-job"
        if not config or self._components.get(name) is not None:
            return
        display = config.get("TrialComponentDisplayName", name)
        request = {"TrialComponentName": name, "DisplayName": display}
        source = {"SourceArn": job[f"{kind}Arn"], "SourceType": f"SageMaker{kind}"}
        trials = self._trials_for(config, f"{job[f'{kind}Name']}-aws-trial")
        self._components.create(request, name, Source=source, _trials=trials, _metrics={}, _job=kind)

    def _trials_for(self, config: Mapping[str, Any], own: str) -> list[str]:
        """The trial that a config names; for one that names an experiment only, a trial made for the job."""
        if "TrialName" in config or "ExperimentName" not in config:
            return [config["TrialName"]] if "TrialName" in config else []
        if self._trials.get(own) is None:
            trial = {"TrialName": own, "DisplayName": own, "ExperimentName": config["ExperimentName"]}
            self._trials.create(trial, own)
        return [own]


def _times(request: Request) -> dict[str, float]:
    """Raises ValidationException for what is no time."""
    return {name: seconds(request[name]) for name in _TIMES if name in request}
