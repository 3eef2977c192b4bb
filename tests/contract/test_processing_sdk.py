"""ScriptProcessor and FrameworkProcessor of the genuine SageMaker SDK v3."""

import json
from pathlib import Path

import boto3
import pytest

from contract.cloud import Cloud, unique
from contract.processors import INPUT, OUTPUT, REPORT, Processors

pytestmark = pytest.mark.sdk
pytest.importorskip("sagemaker.core.processing", reason="the SageMaker SDK v3 is not installed")


@pytest.fixture(scope="module")
def options(cloud: Cloud):
    """What every processor needs."""
    from sagemaker.core.helper.session_helper import Session

    session = Session(boto_session=boto3.Session(region_name=cloud.connection.region), default_bucket=cloud.bucket)
    return {
        "role": cloud.connection.role_arn,
        "image_uri": "registry/tiny:1",
        "command": ["python3"],
        "instance_count": 1,
        "instance_type": "ml.m5.large",
        "sagemaker_session": session,
    }


def output(cloud: Cloud, name: str):
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

    uri = f"s3://{cloud.bucket}/{name}/output"
    target = ProcessingS3Output(s3_uri=uri, local_path=OUTPUT, s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name="report", s3_output=target)


def test_script_processor(processors: Processors, cloud: Cloud, options, tmp_path: Path) -> None:
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input

    (tmp_path / "x.py").write_text(REPORT)
    source = ProcessingS3Input(
        s3_uri=cloud.put("sdk-processing/a.txt"), local_path=INPUT, s3_data_type="S3Prefix", s3_input_mode="File"
    )
    name = unique("sdk-output")
    ScriptProcessor(base_job_name=unique("script"), **options).run(
        code=str(tmp_path / "x.py"),
        inputs=[ProcessingInput(input_name="data", s3_input=source)],
        outputs=[output(cloud, name)],
        arguments=["--rate", "0.5"],
        logs=False,
    )
    report = json.loads(processors.outputs(name)["algo-1.json"])
    assert report["argv"] == ["--rate", "0.5"]
    assert report["inputs"] == {"a.txt": "data"}


def test_framework_processor(processors: Processors, cloud: Cloud, options, tmp_path: Path) -> None:
    """Scripts in an archive, which a shell script of the SDK unpacks and starts."""
    from sagemaker.core.processing import FrameworkProcessor

    (tmp_path / "helper.py").write_text("text = 'from the helper'")
    main = "import helper\nopen('/opt/ml/processing/output/made', 'w').write(helper.text)\n"
    (tmp_path / "main.py").write_text(main)
    name = unique("sdk-output")
    FrameworkProcessor(base_job_name=unique("framework"), **options).run(
        code="main.py", source_dir=str(tmp_path), outputs=[output(cloud, name)], logs=False
    )
    assert processors.outputs(name) == {"made": b"from the helper"}
