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


def test_another_file_under_the_same_name_is_refused(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / install.SDIST).write_bytes(b"something else")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(SystemExit, match="expected 5d2e9e51"):
        install.fetch()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<a href="../../files/pb1-detectron2-0.6.tar.gz#sha256=5d">', "/files/pb1-detectron2-0.6.tar.gz"),
        ('<a href="/f/pb1-detectron2-0.6.tar.gz">', "/f/pb1-detectron2-0.6.tar.gz"),
    ],
)
def test_the_index_page_leads_to_the_file(install: ModuleType, tmp_path: Path, page: str, expected: str) -> None:
    index = tmp_path / "simple"
    (index / "pb1-detectron2").mkdir(parents=True)
    (index / "pb1-detectron2/index.html").write_text(page)
    serve_pages(install, index)
    url = install.find_url("http://index.invalid/simple/")
    assert url == f"http://index.invalid{expected}"


def test_an_index_without_the_file_is_an_error(install: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "pb1-detectron2").mkdir()
    (tmp_path / "pb1-detectron2/index.html").write_text("nothing")
    serve_pages(install, tmp_path)
    with pytest.raises(SystemExit, match="does not list pb1-detectron2-0"):
        install.find_url("http://index.invalid/simple")


def serve_pages(install: ModuleType, folder: Path) -> None:
    """Let the installer read its index pages from a folder."""

    class Pages:
        @staticmethod
        def urlopen(url: str, timeout: float) -> io.BufferedReader:
            return (folder / url.rstrip("/").rsplit("/", 1)[1] / "index.html").open("rb")

    class Stub:
        request = Pages
        parse = install.urllib.parse

    install.urllib = Stub
