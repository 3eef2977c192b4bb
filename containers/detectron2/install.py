"""Install the Python sources of detectron2 0.6 into the environment that runs this program.

`pb1-detectron2` is a redistribution of upstream v0.6 without the C++ sources, so pip cannot build it.
RetinaNet and Faster R-CNN need none of them: the Python files are unpacked as they are, and
`detector/compat.py` supplies what is missing at run time.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "pb1-detectron2==0.6"
SHA256 = "5d2e9e51e523ec72f6a31cca04b0a515492e9514b773a3d134cedc0677170b29"
LICENCE = "detectron2 0.6, Copyright Facebook, Inc. and its affiliates, Apache License 2.0"


def fetch() -> bytes:
    """The sdist's bytes from wherever pip is set up to look, verified by sha256."""
    # pip runs the sdist's setup.py for its metadata: it imports the torch that is installed here, and looks for CUDA
    environment = {**os.environ, "FORCE_CUDA": "0"}
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-binary=:all:", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", *options, PACKAGE, f"--dest={folder}"]
        subprocess.run(command, env=environment, check=True)
        (sdist,) = Path(folder).iterdir()
        return verified(sdist.read_bytes())


def verified(data: bytes) -> bytes:
    """The same bytes; ends the program when they are not the release's."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"install.py: {PACKAGE} has sha256 {digest}, expected {SHA256}")
    return data


def unpack(data: bytes, site_packages: Path) -> Path:
    """Put the sdist's `detectron2/` folder and its licence in place with one rename."""
    target = site_packages / "detectron2"
    with tempfile.TemporaryDirectory(dir=site_packages) as folder:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
        top = Path(folder) / PACKAGE.replace("==", "-")
        shutil.copy(top / "LICENSE", top / "detectron2" / "LICENSE")
        shutil.rmtree(target, ignore_errors=True)
        (top / "detectron2").rename(target)
    return target


def main() -> None:
    target = unpack(fetch(), Path(sysconfig.get_paths()["purelib"]))
    print(f"{LICENCE}: {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
