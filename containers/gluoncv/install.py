"""Install two packages into the environment that runs this program, without all that they ask for.

GluonCV's opencv-python would come beside the headless one, which needs no libGL; pandas, autocfg and yacs serve its
PyTorch half. ONNX Runtime asks for NumPy 1.24, where MXNet needs 1.23, and runs with both.
"""

import subprocess
import sys

PACKAGES = ("gluoncv==0.10.5.post0", "onnxruntime==1.16.3")


def main() -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*command, *PACKAGES], check=True)


if __name__ == "__main__":
    main()
