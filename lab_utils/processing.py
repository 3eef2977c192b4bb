"""Where the files of a processing job come from and go to."""

from collections.abc import Mapping
from typing import Any

_ROOT = "/opt/ml/processing"


def inputs_and_output(inputs: Mapping[str, str], output: str) -> dict[str, Any]:
    """The `inputs` and `outputs` of a `Processor.run`: where the programs of `containers/` look for what.

    Args:
        inputs: name -> S3 URI of an object or a prefix; the program finds it below `input/NAME`.
        output: S3 prefix for what the program writes.
    """
    from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output

    given = [
        ProcessingInput(
            input_name=name,
            s3_input=ProcessingS3Input(
                s3_uri=uri, local_path=f"{_ROOT}/input/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
            ),
        )
        for name, uri in inputs.items()
    ]
    target = ProcessingS3Output(s3_uri=output, local_path=f"{_ROOT}/output", s3_upload_mode="EndOfJob")
    return {"inputs": given, "outputs": [ProcessingOutput(output_name="result", s3_output=target)]}
