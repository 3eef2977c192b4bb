"""The registry of images and their environments."""

import sys
import threading
from pathlib import Path

import pytest

from local_sagemaker.images import ImageError, Registry, build
from local_sagemaker.images import registry as registry_module

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABS_IMAGES_DIR", str(tmp_path / "environments"))
    for name in ("train.py", "install.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "images.toml"
    path.write_text(text)
    return path


VALID = f"""
[images.x]
python = "{OWN}"
requirements = "requirements.txt"
install = ["install.py", "--fast"]
train = ["train.py"]
pythonpath = ["common"]
uris = ['x(:\\w+)?$']
"""


def test_an_entry(folder: Path) -> None:
    image = Registry(write(folder, VALID)).get("x")
    assert image.train == (str(folder / "train.py"),)
    assert image.install == (str(folder / "install.py"), "--fast")
    assert image.pythonpath == (str(folder / "common"),)
    assert image.serve == ()
    assert not image.built


def test_uris(folder: Path) -> None:
    registry = Registry(write(folder, VALID))
    assert registry.resolve("account/x:1") == registry.get("x")
    assert registry.resolve("account/y:1") is None


def test_the_file_is_read_again_when_it_changes(folder: Path) -> None:
    registry = Registry(write(folder, VALID))
    registry.get("x")
    write(folder, VALID.replace("images.x", "images.renamed"))
    assert registry.get("renamed")
    with pytest.raises(ImageError, match=r"unknown image 'x'.* has: renamed"):
        registry.get("x")


@pytest.mark.parametrize("name", ["requirements.txt", "install.py"])
def test_the_digest_follows_the_contents(folder: Path, name: str) -> None:
    registry = Registry(write(folder, VALID))
    before = registry.get("x").folder
    (folder / "train.py").write_text("changed")
    assert registry.get("x").folder == before
    (folder / name).write_text("changed")
    assert registry.get("x").folder != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("python", "pithon"), "unknown key 'pithon'"),
        ((f'"{OWN}"', "3"), 'python must be a version such as "3.11"'),
        (('["train.py"]', '["nowhere.py"]'), "train: there is no file .*nowhere.py"),
        (('["train.py"]', '"train.py"'), "train must be a list of strings"),
        (('"requirements.txt"', '"absent.txt"'), "requirements: there is no file"),
        (("x(:", "x((:"), "uris: "),
        (("[images.x]", "[images.x"), "images.toml"),
    ],
)
def test_faults_are_named(folder: Path, change: tuple[str, str], message: str) -> None:
    path = write(folder, VALID.replace(*change))
    with pytest.raises(ImageError, match=message) as raised:
        Registry(path).images()
    assert str(path) in str(raised.value)


def test_no_registry(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.toml: No such file"):
        Registry(tmp_path / "none.toml").images()


def test_where_environments_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABS_IMAGES_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert registry_module.environments() == Path("/cache/signal-labs/images")


def test_the_projects_own_registry() -> None:
    image = Registry(PROJECT / "containers" / "images.toml").resolve("registry/signal-labs-detectron2:latest")
    assert image is not None
    assert image.name == "detectron2"


def steps(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Replace the steps of a build by one quick program."""
    module = sys.modules["local_sagemaker.images.build"]
    monkeypatch.setattr(
        module, "_steps", lambda image, folder: [("quick", [sys.executable, "-S", "-c", code, str(folder)])]
    )


MAKE = "import os, sys; os.makedirs(sys.argv[1] + '/bin'); print('made')"


def test_a_build_happens_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, MAKE)
    path, lines = write(folder, VALID), []
    python = build(path, "x", lines.append)
    assert python == Registry(path).get("x").folder / "bin" / "python"
    assert lines[:2] == ["x: step 1/1: quick", "  made"]
    assert build(path, "x", lines.append) == python
    assert len(lines) == 3


def test_two_builds_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, f"import time; time.sleep(0.4); {MAKE}")
    path, lines = write(folder, VALID), []
    threads = [threading.Thread(target=build, args=(path, "x", lines.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lines.count("  made") == 1
    assert "x: another process builds this image; waiting for it" in lines


def test_a_failed_build_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, f"{MAKE}; print('the reason'); sys.exit(9)")
    path = write(folder, VALID)
    with pytest.raises(ImageError, match=r"x: quick failed \(exit code 9\): made\nthe reason"):
        build(path, "x", lambda line: None)
    assert not Registry(path).get("x").folder.exists()


def test_a_half_built_environment_is_built_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(monkeypatch, MAKE)
    path = write(folder, VALID)
    (Registry(path).get("x").folder / "bin").mkdir(parents=True)
    build(path, "x", lambda line: None)
    assert Registry(path).get("x").built


def test_pips_settings_reach_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = sys.modules["local_sagemaker.images.build"]
    for name in ("UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", "/a  /b")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index")
    environ = module._environment(tmp_path)
    assert (environ["UV_FIND_LINKS"], environ["UV_DEFAULT_INDEX"]) == ("/a,/b", "https://index")


SHARED = f"""{VALID}
[images.y]
environment = "x"
train = ["train.py"]
uris = ['y$']
"""


def test_an_image_may_share_anothers_environment(folder: Path) -> None:
    registry = Registry(write(folder, SHARED))
    assert registry.get("y").folder == registry.get("x").folder
    assert registry.get("y").install == registry.get("x").install
    assert registry.get("y").serve == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('environment = "x"', 'environment = "z"'), r"\[images.y\] environment must name an image .*, not 'z'"),
        (('environment = "x"', 'environment = "y"'), "not 'y'"),
        (('environment = "x"', f'environment = "x"\npython = "{OWN}"'), "has both environment and python"),
    ],
)
def test_an_environment_that_cannot_be_shared(change: tuple[str, str], message: str, folder: Path) -> None:
    with pytest.raises(ImageError, match=message):
        Registry(write(folder, SHARED.replace(*change))).get("y")


def test_the_built_in_algorithms_image_is_known_by_its_uri_in_every_region() -> None:
    import sagemaker.core.image_uris as image_uris

    registry = Registry(PROJECT / "containers" / "images.toml")
    regions = image_uris.config_for_framework("object-detection")["versions"]["1"]["registries"]
    assert len(regions) > 30
    for region in regions:
        image = registry.resolve(image_uris.retrieve("object-detection", region))
        assert image is not None, region
        assert image.name == "object-detection"
    assert registry.resolve("811284229777.dkr.ecr.us-east-1.amazonaws.com/my-object-detection:1") is None
