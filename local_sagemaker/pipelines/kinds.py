"""The step types that start something: which operations they call, and where the answers hold what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_sagemaker.pipelines.cache import KeyMembers
from local_sagemaker.pipelines.retries import JOB_FAULTS, STEP_FAULTS

CONDITION, FAIL = "Condition", "Fail"
_TUNING_DEFINITION: KeyMembers = dict.fromkeys(
    ("AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters", "TuningObjective")
)


@dataclass(frozen=True)
class Kind:
    """A step type. ``stem`` names the operations: Create<stem>, Describe<stem>, Stop<stem>, <stem>Name, <stem>Arn.

    ``cached`` holds the arguments that decide about a cache hit, from AWS's page "Default cache key attributes by
    pipeline step type"; ``role`` is the member that the execution's role fills if nothing does; ``experiment`` says
    that its jobs become trial components; ``more`` is an operation whose answer adds to the step's properties.
    """

    stem: str
    metadata: str
    cached: KeyMembers | None = None
    is_job: bool = True
    has_status: bool = True
    role: str | None = None
    experiment: bool = False
    longest_name: int = 63
    more: str | None = None

    @property
    def create(self) -> str:
        return f"Create{self.stem}"

    @property
    def describe(self) -> str:
        return f"Describe{self.stem}"

    @property
    def stop(self) -> str:
        return f"Stop{self.stem}"

    @property
    def name(self) -> str:
        return f"{self.stem}Name"

    @property
    def arn(self) -> str:
        return f"{self.stem}Arn"

    @property
    def status(self) -> str:
        return f"{self.stem}Status"

    @property
    def exceptions(self) -> tuple[str, ...]:
        """The exception types that retry policies of such a step may name."""
        return (*STEP_FAULTS, *JOB_FAULTS) if self.is_job else STEP_FAULTS


KINDS: Mapping[str, Kind] = {
    "Training": Kind(
        "TrainingJob",
        "TrainingJob",
        dict.fromkeys(
            (
                "AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations",
                "Environment", "HyperParameters", "InputDataConfig",
            )
        ),
        role="RoleArn",
        experiment=True,
    ),
    "Processing": Kind(
        "ProcessingJob",
        "ProcessingJob",
        dict.fromkeys(("AppSpecification", "Environment", "ProcessingInputs")),
        role="RoleArn",
        experiment=True,
    ),
    "Transform": Kind(
        "TransformJob",
        "TransformJob",
        dict.fromkeys(("DataProcessing", "Environment", "ModelName", "TransformInput")),
        experiment=True,
    ),
    "Tuning": Kind(
        "HyperParameterTuningJob",
        "TuningJob",
        {
            "HyperParameterTuningJobConfig": None,
            "TrainingJobDefinition": _TUNING_DEFINITION,
            "TrainingJobDefinitions": None,
        },
        longest_name=32,
        more="ListTrainingJobsForHyperParameterTuningJob",
    ),
    "Model": Kind("Model", "Model", is_job=False, has_status=False, role="ExecutionRoleArn"),
    "RegisterModel": Kind("ModelPackage", "RegisterModel", is_job=False),
}  # fmt: skip
NOT_EMULATED = frozenset((
    "Athena", "AutoML", "BedrockCustomModel", "BedrockCustomModelDeployment", "BedrockModelImport",
    "BedrockProvisionedModelThroughput", "Callback", "ClarifyCheck", "Cleanup", "EMR", "EMRServerless", "Endpoint",
    "EndpointConfig", "ForEach", "HubContent", "InferenceComponent", "Job", "Lambda", "Lineage", "QualityCheck",
))  # fmt: skip
