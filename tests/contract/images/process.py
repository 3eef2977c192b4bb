"""The program of an image for processing jobs: writes its arguments to an output."""

import json
import os
import sys
from pathlib import Path

out = Path(os.environ["SAGEMAKER_BASE_DIR"]) / "processing" / "output"
(out / "arguments.json").write_text(json.dumps(sys.argv[1:]))
