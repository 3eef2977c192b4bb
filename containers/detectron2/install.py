"""Install the Python sources of detectron2 0.6 into the environment that runs this program.

`pb1-detectron2` is a redistribution of upstream v0.6 without the C++ sources, so pip cannot build it.
RetinaNet and Faster R-CNN need none of them: the Python files are unpacked as they are, and
`detector/compat.py` supplies what is missing at run time.
"""

import hashlib
import io
import os
import re
import shutil
import sys
import sysconfig
import tarfile
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

SDIST = "pb1-detectron2-0.6.tar.gz"
SHA256 = "5d2e9e51e523ec72f6a31cca04b0a515492e9514b773a3d134cedc0677170b29"
LICENCE = "detectron2 0.6, Copyright Facebook, Inc. and its affiliates, Apache License 2.0"
DEFAULT_INDEX = "https://pypi.org/simple"


def find_local() -> Path | None:
    """The sdist in a folder of PIP_FIND_LINKS, if one holds it."""
    folders = os.environ.get("PIP_FIND_LINKS", "").split()
    return next((Path(f) / SDIST for f in folders if (Path(f) / SDIST).is_file()), None)


def find_url(index: str) -> str:
    """The sdist's address on a package index that speaks the simple API (PEP 503)."""
    page_url = f"{index.rstrip('/')}/pb1-detectron2/"
    with urllib.request.urlopen(page_url, timeout=60) as answer:
        page = answer.read().decode()
    link = re.search(rf'href="([^"]*{re.escape(SDIST)})[#"]', page)
    if link is None:
        raise SystemExit(f"install.py: {page_url} does not list {SDIST}")
    return urllib.parse.urljoin(page_url, link[1])


def fetch() -> bytes:
    """The sdist's bytes, verified by sha256."""
    local = find_local()
    if local:
        data = local.read_bytes()
    else:
        index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or DEFAULT_INDEX
        with urllib.request.urlopen(find_url(index), timeout=180) as answer:
            data = answer.read()
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"install.py: {SDIST} has sha256 {digest}, expected {SHA256}")
    return data


def unpack(data: bytes, site_packages: Path) -> Path:
    """Put the sdist's `detectron2/` folder and its licence in place with one rename."""
    target = site_packages / "detectron2"
    with tempfile.TemporaryDirectory(dir=site_packages) as folder:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
        top = Path(folder) / SDIST.removesuffix(".tar.gz")
        shutil.copy(top / "LICENSE", top / "detectron2" / "LICENSE")
        shutil.rmtree(target, ignore_errors=True)
        (top / "detectron2").rename(target)
    return target


def main() -> None:
    target = unpack(fetch(), Path(sysconfig.get_paths()["purelib"]))
    print(f"{LICENCE}: {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
