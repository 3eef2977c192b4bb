"""What the edge example's mistakes are told as; its models are tested with the image that makes them."""

import tarfile
from pathlib import Path

import pytest

from lab_utils.tfod import edge


def test_an_archive_without_the_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "weights.txt").write_text("none")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "weights.txt", "weights.txt")
    with pytest.raises(
        edge.EdgeError, match=r"copy_model\.py: .*model\.tar\.gz: not a tfod job's archive with int8 numbers"
    ):
        edge.copy_model(tmp_path / "model.tar.gz", tmp_path / "device")
    assert not (tmp_path / "device").exists()
