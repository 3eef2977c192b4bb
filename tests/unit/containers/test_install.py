"""The installer of detectron2's Python sources: what it unpacks, and that it takes nothing else."""

import importlib.util
import io
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[3] / "containers/detectron2/install.py"


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sdist(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"pb1-detectron2-0.6/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def test_the_package_and_its_licence_are_unpacked_and_an_old_one_goes(install: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "detectron2").mkdir()
    (tmp_path / "detectron2/old.py").touch()
    install.unpack(sdist(**{"detectron2/__init__.py": b"1", "LICENSE": b"2", "setup.py": b"3"}), tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "detectron2",
        "detectron2/LICENSE",
        "detectron2/__init__.py",
    ]


def test_a_path_that_leaves_the_archive_is_refused(install: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(tarfile.OutsideDestinationError):
        install.unpack(sdist(**{"../../../evil.py": b"1"}), tmp_path)


def test_another_file_under_the_same_name_is_refused(install: ModuleType) -> None:
    with pytest.raises(SystemExit, match="expected 5d2e9e51"):
        install.verified(b"something else")
