"""Whether TFOD reads the third file as the first with the second merged into it; run by the Python of the image `tfod`.

PYTHON check_override.py BASE OVERRIDE MERGED
"""

import sys
from pathlib import Path

from google.protobuf import text_format
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig

base, override, merged = (Path(name).read_text() for name in sys.argv[1:])
expected = text_format.Merge(override, text_format.Parse(base, TrainEvalPipelineConfig()))
found = text_format.Parse(merged, TrainEvalPipelineConfig())
if found != expected:
    sys.exit(f"expected\n{expected}\nfound\n{found}")
