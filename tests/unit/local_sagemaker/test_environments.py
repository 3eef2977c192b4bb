"""What is deleted of the images' environments, and what stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab_utils import paths
from lab_utils.cli import main
from lab_utils.cli.tables import duration, size
from local_sagemaker.images import Registry

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of environments of a project with one image: its environment, an older one, and other things."""
    (tmp_path / "containers").mkdir()
    registry = tmp_path / "containers" / "images.toml"
    registry.write_text(f'[images.x]\npython = "{OWN}"\n')
    root = tmp_path / "environments"
    monkeypatch.setenv("LABS_IMAGES_DIR", str(root))
    monkeypatch.setattr(paths, "project", lambda: tmp_path)
    for folder in (Registry(registry).get("x").folder, root / "x-0123456789ab", root / "gone-ba9876543210"):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "data").write_bytes(os.urandom(50_000))
        (folder / ".complete").touch()
    (root / "not an environment").mkdir()
    return root


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def labs(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["images", *arguments]) == 0
    return capsys.readouterr().out


def test_the_list(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, line = labs(capsys).splitlines()
    assert head.split() == ["image", "Python", "built", "size", "folder"]
    assert line.split()[:3] == ["x", OWN, "yes"]
    assert line.split()[-1].startswith(str(root / "x-"))
    assert labs(capsys, "list") == f"{head}\n{line}\n"


def test_a_dry_run_deletes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names(root)
    text = labs(capsys, "clean", "--dry-run")
    assert text.count("would delete") == 2
    assert "would free 1" in text  # two environments of 50 kB
    assert names(root) == before


def test_old_environments_go(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = labs(capsys, "clean")
    assert f"deleted {root / 'gone-ba9876543210'} (" in text
    kept = Registry(paths.project() / "containers" / "images.toml").get("x").folder.name
    assert names(root) == {kept, "not an environment"}
    assert labs(capsys, "clean") == "freed 0 B\n"


def test_all_go(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert labs(capsys, "clean", "--all").count("deleted") == 3
    assert names(root) == {"not an environment"}
    assert " no " in labs(capsys)


def test_one_that_a_program_runs_in_stays(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    python = root / "x-0123456789ab" / "bin" / "python"
    python.symlink_to(sys.executable)
    with subprocess.Popen([python, "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        text = labs(capsys, "clean")
        process.kill()
    assert f"kept, in use: {root / 'x-0123456789ab'}" in text
    assert python.parent.exists()


def test_shared_files_are_not_counted_as_freed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.link(root / "x-0123456789ab" / "bin" / "data", root.parent / "cached")
    text = labs(capsys, "clean")
    assert "is shared with other environments or uv's cache" in text
    assert (root.parent / "cached").stat().st_size == 50_000


def test_a_broken_registry(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (paths.project() / "containers" / "images.toml").write_text("[images.x]\npython = 3")
    assert main(["images", "clean", "--all"]) == 0  # needs no registry
    assert main(["images"]) == 2
    assert "python must be a version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0s"), (59.4, "59s"), (60, "1m"), (200, "3m 20s"), (7500, "2h 5m"), (86400 * 4 + 3700, "4d 1h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB")])
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text
