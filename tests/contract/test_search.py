"""Search over training jobs, experiments and the model registry, by properties, tags and metrics."""

from datetime import timedelta
from typing import Any

import pytest

from contract import tuning
from contract.cloud import Cloud, error_of, unique
from contract.flows import Flows, fail


class Jobs:
    """Three training jobs, one of which failed, that share a tag no other job has."""

    def __init__(self, cloud: Cloud) -> None:
        self.tag = unique("search")
        self._cloud = cloud
        uri = cloud.put("search-data/x.txt", b"x")
        source = {"S3DataType": "S3Prefix", "S3Uri": uri}
        rates = {"a": "0.1", "b": "0.25", "c": "1.5"}
        self.names = {}
        for number, (key, rate) in enumerate(rates.items()):
            channels = [{"ChannelName": c, "DataSource": {"S3DataSource": source}} for c in ("train", key)]
            self.names[key] = cloud.start(
                {"rate": rate, "lines": number + 1, **({"exit": 1} if key == "c" else {})},
                Tags=[{"Key": "suite", "Value": self.tag}, {"Key": "dotted.key", "Value": key}],
                InputDataConfig=channels,
            )
        self.described = {key: cloud.wait(name) for key, name in self.names.items()}

    def search(self, *filters: dict[str, Any], **request: Any) -> list[str]:
        """The keys of this class's jobs that satisfy all filters, in the order of the answer."""
        answer = self._cloud.sagemaker.search(Resource="TrainingJob", **self.expression(*filters, **request))
        keys = {name: key for key, name in self.names.items()}
        return [keys[result["TrainingJob"]["TrainingJobName"]] for result in answer["Results"]]

    def expression(self, *filters: dict[str, Any], **request: Any) -> dict[str, Any]:
        own = {"Name": "Tags.suite", "Operator": "Equals", "Value": self.tag}
        extra = request.pop("extra", {})
        return {
            "SearchExpression": {"Filters": [own, *filters], **extra},
            "SortBy": "CreationTime",
            "SortOrder": "Ascending",
            **request,
        }


@pytest.fixture(scope="module")
def jobs(cloud: Cloud) -> Jobs:
    return Jobs(cloud)


def condition(name: str, operator: str | None = None, value: str | None = None) -> dict[str, str]:
    given = {"Name": name, "Operator": operator, "Value": value}
    return {key: item for key, item in given.items() if item is not None}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (condition("TrainingJobStatus", "Equals", "Completed"), ["a", "b"]),
        (condition("TrainingJobStatus", value="Failed"), ["c"]),
        (condition("TrainingJobStatus", "NotEquals", "Completed"), ["c"]),
        (condition("TrainingJobStatus", "In", "Failed, Stopped"), ["c"]),
        (condition("FailureReason", "Exists"), ["c"]),
        (condition("FailureReason", "NotExists"), ["a", "b"]),
        (condition("FailureReason", "Contains", "exit code: 1"), ["c"]),
        (condition("HyperParameters.rate", "GreaterThan", "0.1"), ["b", "c"]),
        (condition("HyperParameters.rate", "GreaterThanOrEqualTo", "0.25"), ["b", "c"]),
        (condition("HyperParameters.rate", "LessThan", "1"), ["a", "b"]),
        (condition("HyperParameters.rate", "Equals", "1"), ["c"]),
        (condition("HyperParameters.rate", "LessThanOrEqualTo", "0.25"), ["a", "b"]),
        (condition("HyperParameters.absent", "Exists"), []),
        (condition("Metrics.train:loss", "LessThan", "0.6"), ["b", "c"]),
        (condition("Tags.dotted.key", "Equals", "b"), ["b"]),
        (condition("ResourceConfig.InstanceCount", "Equals", "1"), ["a", "b", "c"]),
        (condition("CreationTime", "GreaterThan", "2001-02-03T04:05:06"), ["a", "b", "c"]),
        (condition("CreationTime", "LessThan", "2001-02-03T04:05:06"), []),
        (condition("InputDataConfig.ChannelName", "Equals", "b"), ["b"]),
        (condition("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "search-data"), ["a", "b", "c"]),
    ],
)
def test_filters(jobs: Jobs, asked: dict[str, str], expected: list[str]) -> None:
    assert jobs.search(asked) == expected


def test_nested_filters_hold_for_one_item(jobs: Jobs) -> None:
    def nested(channel: str, uri: str) -> dict[str, Any]:
        filters = [
            condition("InputDataConfig.ChannelName", "Equals", channel),
            condition("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", uri),
        ]
        return {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": filters}]}

    assert jobs.search(extra=nested("b", "search-data")) == ["b"]
    assert jobs.search(extra=nested("b", "elsewhere")) == []


def test_sub_expressions(jobs: Jobs) -> None:
    either = {
        "Filters": [condition("FailureReason", "Exists"), condition("HyperParameters.rate", "Equals", "0.1")],
        "Operator": "Or",
    }
    assert jobs.search(extra={"SubExpressions": [either]}) == ["a", "c"]
    assert jobs.search(condition("FailureReason", "NotExists"), extra={"SubExpressions": [either]}) == ["a"]


def test_order_and_pages(jobs: Jobs, cloud: Cloud) -> None:
    assert jobs.search(SortBy="HyperParameters.rate", SortOrder="Descending") == ["c", "b", "a"]
    pages = cloud.sagemaker.get_paginator("search").paginate(
        Resource="TrainingJob", **jobs.expression(), PaginationConfig={"PageSize": 2}
    )
    assert [len(page["Results"]) for page in pages] == [2, 1]
    first = cloud.sagemaker.search(Resource="TrainingJob", **jobs.expression(), MaxResults=2)
    assert first["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}


def test_what_an_answer_shows(jobs: Jobs, cloud: Cloud) -> None:
    asked = jobs.expression(condition("TrainingJobStatus", "Equals", "Failed"))
    (result,) = cloud.sagemaker.search(Resource="TrainingJob", **asked)["Results"]
    job, described = result["TrainingJob"], jobs.described["c"]
    assert {tag["Key"]: tag["Value"] for tag in job["Tags"]} == {"suite": jobs.tag, "dotted.key": "c"}
    for member in ("TrainingJobArn", "HyperParameters", "FailureReason", "CreationTime", "InputDataConfig"):
        assert job[member] == described[member]


def test_suggestions(jobs: Jobs, cloud: Cloud) -> None:
    def suggested(hint: str) -> list[str]:
        answer = cloud.sagemaker.get_search_suggestions(
            Resource="TrainingJob", SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": hint}}
        )
        return [suggestion["PropertyName"] for suggestion in answer["PropertyNameSuggestions"]]

    assert "TrainingJobStatus" in suggested("trainingjob")
    assert "HyperParameters.rate" in suggested("HyperParameters.")
    assert "Tags.dotted.key" in suggested("Tags")
    assert "Metrics.train:loss" in suggested("Metrics")
    assert "InputDataConfig.DataSource.S3DataSource.S3Uri" in suggested("InputDataConfig.")
    assert suggested("nothing starts so") == []


def names_of(cloud: Cloud, resource: str, key: str, name: str, value: str) -> list[dict[str, Any]]:
    expression = {"Filters": [condition(name, "Equals", value)]}
    results = cloud.sagemaker.search(Resource=resource, SearchExpression=expression)["Results"]
    return [result[key] for result in results]


def test_experiments_and_registry(cloud: Cloud) -> None:
    sagemaker, name = cloud.sagemaker, unique("searched")
    tags = [{"Key": "lab", "Value": name}]
    sagemaker.create_experiment(ExperimentName=name, Tags=tags)
    sagemaker.create_trial(TrialName=name, ExperimentName=name)
    sagemaker.create_trial_component(TrialComponentName=name, Parameters={"rate": {"NumberValue": 0.5}})
    sagemaker.associate_trial_component(TrialComponentName=name, TrialName=name)
    sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=tags)
    sagemaker.create_model_package(ModelPackageGroupName=name)
    sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": "registry/tiny:1"}, ExecutionRoleArn=cloud.connection.role_arn
    )
    (experiment,) = names_of(cloud, "Experiment", "Experiment", "Tags.lab", name)
    assert experiment["Tags"] == tags
    (trial,) = names_of(cloud, "ExperimentTrial", "Trial", "ExperimentName", name)
    assert trial["TrialName"] == name
    found = names_of(cloud, "ExperimentTrialComponent", "TrialComponent", "Parents.ExperimentName", name)
    assert [component["Parameters"]["rate"] for component in found] == [{"NumberValue": 0.5}]
    assert found[0]["Parents"] == [{"TrialName": name, "ExperimentName": name}]
    (group,) = names_of(cloud, "ModelPackageGroup", "ModelPackageGroup", "Tags.lab", name)
    assert group["ModelPackageGroupName"] == name
    (package,) = names_of(cloud, "ModelPackage", "ModelPackage", "ModelPackageGroupName", name)
    assert package["ModelPackageVersion"] == 1
    (model,) = names_of(cloud, "Model", "Model", "Model.ModelName", name)
    assert model["Model"]["ModelName"] == name


def test_tuning_jobs_and_pipelines(cloud: Cloud) -> None:
    made = tuning.request(cloud, ResourceLimits=tuning.limits(1, 1))
    name, tags = made["HyperParameterTuningJobName"], [{"Key": "lab", "Value": "tuned"}]
    tuning.wait(cloud, tuning.start(cloud, {**made, "Tags": tags}))
    (job,) = names_of(cloud, "HyperParameterTuningJob", "HyperParameterTuningJob", "Tags.lab", "tuned")
    assert job["HyperParameterTuningJobName"] == name
    assert job["TrainingJobStatusCounters"]["Completed"] == 1
    flows = Flows(cloud)
    execution = flows.run(fail("Stop", "here"))
    pipeline = execution.split("/")[1]
    (found,) = names_of(cloud, "Pipeline", "Pipeline", "PipelineName", pipeline)
    assert found["PipelineStatus"] == "Active"
    (run,) = names_of(cloud, "PipelineExecution", "PipelineExecution", "PipelineExecutionArn", execution)
    assert run["PipelineExecutionStatus"] == "Failed"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ({"Filters": [condition("Bogus", "Exists")]}, "Unknown property name: Bogus"),
        ({"Filters": [condition("ResourceConfig.Bogus", "Exists")]}, "Unknown property name: ResourceConfig.Bogus"),
        ({"Filters": [condition("TrainingJobName", "Equals")]}, "needs a Value"),
        ({"Filters": [condition("TrainingJobName", "Exists", "x")]}, "takes no Value"),
        ({"Filters": [condition("TrainingJobName", "GreaterThan", "x")]}, "not for text"),
        ({"Filters": [condition("CreationTime", "Contains", "2020")]}, "only for text"),
        ({"Filters": [condition("CreationTime", "Equals", "yesterday")]}, "not a timestamp"),
        ({"Filters": [condition("ResourceConfig.InstanceCount", "Equals", "many")]}, "not a number"),
        ({"Filters": [condition("ResourceConfig", "Equals", "x")]}, "properties of its own"),
        ({"Filters": [condition("TrainingJobName", "Exists")] * 15, "SubExpressions": [
            {"Filters": [condition("TrainingJobName", "Exists")] * 6}]}, "20 filters, not 21"),
        ({"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": [condition("RoleArn", "Exists")]}]},
         "not one of InputDataConfig"),
    ],
)  # fmt: skip
def test_refusals(cloud: Cloud, expression: dict[str, Any], words: str) -> None:
    code, status, message = error_of(cloud.sagemaker.search, Resource="TrainingJob", SearchExpression=expression)
    assert (code, status) == ("ValidationException", 400)
    assert words in message


def test_further_refusals(cloud: Cloud) -> None:
    search = cloud.sagemaker.search
    assert "Search for FeatureGroup is not emulated" in error_of(search, Resource="FeatureGroup")[2]
    assert "resource" in error_of(search, Resource="Bogus")[2]
    assert "Unknown property name: Bogus" in error_of(search, Resource="TrainingJob", SortBy="Bogus")[2]
    assert "NextToken" in error_of(search, Resource="TrainingJob", NextToken="x")[2]
    suggest = cloud.sagemaker.get_search_suggestions
    assert "not emulated" in error_of(suggest, Resource="FeatureGroup")[2]


def test_metric_data_of_a_job(jobs: Jobs, cloud: Cloud) -> None:
    """GetMetricData of CloudWatch, for what a training job's log said."""
    watch = cloud.connect(cloud.connection, "cloudwatch")
    job = jobs.described["b"]
    start, end = job["TrainingStartTime"] - timedelta(minutes=2), job["TrainingEndTime"] + timedelta(minutes=2)
    metric = {
        "Namespace": "/aws/sagemaker/TrainingJobs",
        "MetricName": "train:loss",
        "Dimensions": [{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
    }
    queries = [
        {"Id": stat.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
        for stat in ("Minimum", "Maximum", "SampleCount")
    ]
    results = watch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)["MetricDataResults"]
    values = {result["Id"]: result["Values"] for result in results}
    assert min(values["minimum"]) == 0.5
    assert max(values["maximum"]) == 1.0
    assert sum(values["samplecount"]) == 2.0
    later = watch.get_metric_data(MetricDataQueries=queries, StartTime=end, EndTime=end + timedelta(minutes=5))
    assert all(result["Values"] == [] for result in later["MetricDataResults"])
