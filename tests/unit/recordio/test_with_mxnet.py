"""MXNet and GluonCV read what is written here, in the environment of the image that has them."""

import json
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT

from lab_utils.formats import coco, recordio
from local_sagemaker import images

pytestmark = pytest.mark.environment
HERE = Path(__file__).parent
REGISTRY = PROJECT / "containers" / "images.toml"


@pytest.fixture(scope="session")
def mxnet_python() -> Path:
    """The Python of the GluonCV image's environment, built when it is not there."""
    if "gluoncv" not in tomllib.loads(REGISTRY.read_text())["images"]:
        pytest.skip("no image with MXNet")
    return images.build(REGISTRY, "gluoncv")


def run(python: Path, program: str, *arguments: Path) -> str:
    done = subprocess.run([python, HERE / program, *arguments], capture_output=True, text=True, timeout=300)
    assert not done.returncode, done.stderr
    return done.stdout


def test_the_golden_files_are_mxnets(mxnet_python: Path, tmp_path: Path) -> None:
    run(mxnet_python, "make_golden.py", tmp_path)
    for name in ("framing.rec", "boxes.json", "plain.lst", "extended.lst"):  # the .rec hold what Pillow encodes, too
        assert (tmp_path / name).read_bytes() == (HERE / "golden" / name).read_bytes()


def test_mxnet_and_gluoncv_read_it(mxnet_python: Path, tmp_path: Path) -> None:
    dataset = coco.read(HERE / "golden" / "boxes.json", HERE / "golden" / "images")
    recordio.write(dataset, tmp_path / "a.rec", difficult=True, size_header=True)
    iterated, gluoncv, same = json.loads(run(mxnet_python, "check_with_mxnet.py", tmp_path / "a.rec", dataset.root))
    assert same  # im2rec makes these very files of the .lst
    for image, rows, corners in zip(dataset.images.itertuples(), iterated, gluoncv, strict=True):
        boxes = dataset.boxes_of(image.image_id)
        if boxes.empty:
            assert rows == []
            assert corners[0][4] == -1
            continue
        low = boxes[["xmin", "ymin"]].to_numpy()
        wanted = np.hstack([low, low + boxes[["width", "height"]].to_numpy()])
        np.testing.assert_allclose(np.array(corners)[:, :4], wanted, atol=1e-4)
        np.testing.assert_allclose(np.array(rows)[:, 1:5] * ([image.width, image.height] * 2), wanted, atol=1e-4)
        assert np.array(rows)[:, 0].tolist() == boxes["class_id"].tolist()
