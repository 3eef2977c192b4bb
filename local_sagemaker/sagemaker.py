"""SageMaker as one thing: what runs jobs and endpoints, and the operations on them."""

from __future__ import annotations

from typing import Protocol

from local_sagemaker.api.context import Context
from local_sagemaker.api.endpoints import EndpointOperations
from local_sagemaker.api.experiments import Experiments
from local_sagemaker.api.hosting import Hosting
from local_sagemaker.api.lineage import Lineage
from local_sagemaker.api.model_registry import ModelRegistry
from local_sagemaker.api.operations import Operations, Resource
from local_sagemaker.api.pipeline_executions import Executions
from local_sagemaker.api.pipelines import Pipelines
from local_sagemaker.api.processing import Processing
from local_sagemaker.api.run_metrics import RunMetrics
from local_sagemaker.api.search import Search
from local_sagemaker.api.tags import Tags
from local_sagemaker.api.training import Training
from local_sagemaker.api.transform import Transform
from local_sagemaker.api.trial_components import TrialComponents
from local_sagemaker.api.tuning import Tuning
from local_sagemaker.hosting.asynchronous import AsyncInvocations
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invocations import Invocations
from local_sagemaker.jobs.processing.jobs import ProcessingJobs
from local_sagemaker.jobs.training import TrainingJobs
from local_sagemaker.jobs.transform.jobs import TransformJobs
from local_sagemaker.jobs.tuning.tuning import TuningJobs
from local_sagemaker.pipelines.engine import PipelineExecutions


class Engine(Protocol):
    """Runs the resources of one kind."""

    def recover(self) -> None:
        """After a restart: bring what an earlier server left into a true state."""

    def close(self) -> None:
        """The server ends: let everything that runs stop. Does not wait."""

    def join(self, timeout: float) -> None:
        """Wait at most so many seconds until all has stopped."""


class SageMaker:
    """The engines of one server and the operations on them."""

    def __init__(self, context: Context) -> None:
        self.operations, self.metrics = Operations(), Operations("sagemaker-metrics")
        endpoints = Endpoints(context)
        asynchronous = AsyncInvocations(context, endpoints)
        self.invocations = Invocations(context, endpoints, asynchronous)
        training = TrainingJobs(context)
        transform = TransformJobs(context)
        tuning = TuningJobs(context, self.operations, training)
        processing = ProcessingJobs(context)
        pipelines = PipelineExecutions(context, self.operations)
        # What starts or calls others closes before them, lest it see them fail and draw its conclusions.
        jobs = (tuning, training, processing, transform)
        self._engines: tuple[Engine, ...] = (pipelines, *jobs, asynchronous, endpoints)
        components, registry = TrialComponents(context), ModelRegistry(context)
        training_operations = Training(context, training, components)
        resources: tuple[Resource, ...] = (
            training_operations,
            Transform(context, transform, components),
            Tuning(context, self.operations, training_operations, tuning),
            Processing(context, processing, components),
            Hosting(context, registry),
            EndpointOperations(context, endpoints),
            Pipelines(context, self.operations),
            Executions(context, self.operations, pipelines),
            registry,
            Experiments(context, components),
            components,
            Lineage(context),
            Search(context, self.operations),
            Tags(context),
        )
        for resource in resources:
            self.operations.add(resource)
        self.metrics.add(RunMetrics(context))

    def recover(self) -> None:
        for engine in self._engines:
            engine.recover()

    def close(self) -> None:
        for engine in self._engines:
            engine.close()

    def join(self, timeout: float) -> None:
        for engine in self._engines:
            engine.join(timeout)
