from lab_utils.processing import inputs_and_output
from lab_utils.tracking import job


def test_a_program_finds_its_inputs_by_name_and_its_output() -> None:
    places = inputs_and_output({"training": "s3://b/t", "annotation": "s3://b/a"}, "s3://b/out")
    found = {given.input_name: given.s3_input for given in places["inputs"]}
    assert {name: (part.s3_uri, part.local_path) for name, part in found.items()} == {
        "training": ("s3://b/t", "/opt/ml/processing/input/training"),
        "annotation": ("s3://b/a", "/opt/ml/processing/input/annotation"),
    }
    (result,) = places["outputs"]
    assert (result.s3_output.s3_uri, result.s3_output.local_path) == ("s3://b/out", "/opt/ml/processing/output")


def test_the_tracking_job_names_its_inputs() -> None:
    places = job.inputs_and_output("s3://b/v.mp4", "s3://b/model.tar.gz", "s3://b/out")
    assert [given.input_name for given in places["inputs"]] == ["video", "model"]
