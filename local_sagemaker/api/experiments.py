"""Experiments and their trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.collection import Collection, absent
from local_sagemaker.api.context import Context, Operation, Request
from local_sagemaker.api.emulated import Emulated
from local_sagemaker.api.trial_components import TrialComponents
from local_sagemaker.errors import validation
from local_sagemaker.store import Record

_SUMMARY = ("DisplayName", "CreationTime", "LastModifiedTime")


class Experiments:
    """The operations on experiments and trials."""

    emulated: Mapping[str, Emulated] = {}

    def __init__(self, context: Context, components: TrialComponents) -> None:
        self._components = components
        self._experiments = Collection(context, "Experiment", "experiment", absent)
        self._trials = Collection(context, "Trial", "experiment-trial", absent)

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateExperiment": lambda request: self._create(self._experiments, request),
            "DescribeExperiment": lambda request: self._experiments.find(request["ExperimentName"]),
            "ListExperiments": self.list_experiments,
            "UpdateExperiment": lambda request: self._update(self._experiments, request),
            "DeleteExperiment": self.delete_experiment,
            "CreateTrial": self.create_trial,
            "DescribeTrial": lambda request: self._trials.find(request["TrialName"]),
            "ListTrials": self.list_trials,
            "UpdateTrial": lambda request: self._update(self._trials, request),
            "DeleteTrial": self.delete_trial,
        }

    def list_experiments(self, request: Request) -> dict[str, Any]:
        return self._experiments.page(self._experiments.all(), request, "ExperimentSummaries", _SUMMARY)

    def delete_experiment(self, request: Request) -> dict[str, Any]:
        name = request["ExperimentName"]
        self._experiments.find(name)
        if trials := len(self._trials_of(name)):
            raise validation(f"The experiment {name} has {trials} trials, which must be deleted before it.")
        return self._experiments.delete(name)

    def create_trial(self, request: Request) -> dict[str, Any]:
        self._experiments.find(request["ExperimentName"])
        return self._create(self._trials, request)

    def list_trials(self, request: Request) -> dict[str, Any]:
        records = self._trials.all()
        if "ExperimentName" in request:
            self._experiments.find(request["ExperimentName"])
            records = self._trials_of(request["ExperimentName"])
        if "TrialComponentName" in request:
            names = self._components.find(request["TrialComponentName"])["_trials"]
            records = [r for r in records if r["TrialName"] in names]
        return self._trials.page(records, request, "TrialSummaries", _SUMMARY)

    def delete_trial(self, request: Request) -> dict[str, Any]:
        name = request["TrialName"]
        self._trials.find(name)
        if components := len(self._components.of_trials({name})):
            raise validation(
                f"The trial {name} has {components} trial components, which must be disassociated before it is deleted."
            )
        return self._trials.delete(name)

    def _create(self, collection: Collection, request: Request) -> Record:
        name = request[collection.name]
        return collection.create({"DisplayName": name, **request}, name)

    def _update(self, collection: Collection, request: Request) -> Record:
        members: Record = {key: request[key] for key in ("DisplayName", "Description") if key in request}
        return collection.change(request[collection.name], lambda _: members)

    def _trials_of(self, experiment: str) -> list[Record]:
        return [r for r in self._trials.all() if r["ExperimentName"] == experiment]
