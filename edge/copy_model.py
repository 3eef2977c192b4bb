"""Collect what a device needs from a training job's model.tar.gz: the TFLite file, the class names, the programs.

python copy_model.py model.tar.gz railway-signals/      then copy the folder to the device
"""

import argparse
import json
import shutil
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = ("detect.py", "detector.py", "sources.py", "requirements.txt")
KINDS = ("int8", "fp16", "float")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a tfod job's model.tar.gz")
    parser.add_argument("folder", type=Path, help="where to put the files")
    parser.add_argument("--kind", choices=KINDS, default="int8", help="of the numbers in the model (int8)")
    arguments = parser.parse_args()
    try:
        copy(arguments.archive, arguments.folder, arguments.kind)
    except (OSError, KeyError, tarfile.TarError, ValueError) as error:
        print(f"{arguments.archive}: not a tfod job's archive with {arguments.kind} numbers ({error})", file=sys.stderr)
        return 2
    return 0


def copy(archive: Path, folder: Path, kind: str = "int8") -> None:
    """Write model.tflite, labels.json and the programs into `folder`."""
    with tarfile.open(archive) as tar:
        content = {path.removeprefix("./"): path for path in tar.getnames()}
        model = tar.extractfile(content[f"model_{kind}.tflite"]).read()
        names = json.load(tar.extractfile(content["training_summary.json"]))["classes"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(model)
    (folder / "labels.json").write_text(json.dumps(names, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in PROGRAMS:
        shutil.copy(HERE / name, folder)


if __name__ == "__main__":
    sys.exit(main())
