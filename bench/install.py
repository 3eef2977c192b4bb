"""From nothing to an image's environment, in a folder of its own: no package is cached, the index answers as it may."""

import os
import tempfile
from unittest.mock import patch

from bench.table import Row, seconds
from lab_utils import paths
from local_sagemaker import images

IMAGES = ("gluoncv", "tfod")
UNCACHED = {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}


def run() -> list[Row]:
    return [Row(f"image {name}: environment, nothing cached", [_install(name)], "s", "<= 180 s") for name in IMAGES]


def _install(name: str) -> float:
    registry = paths.project() / "containers" / "images.toml"
    with (
        tempfile.TemporaryDirectory(prefix="signal-labs-") as folder,
        patch.dict(os.environ, {**UNCACHED, "LABS_IMAGES_DIR": folder}),
    ):
        return seconds(lambda: images.build(registry, name))
