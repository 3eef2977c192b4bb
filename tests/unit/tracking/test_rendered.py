"""The clips of the lab, and what is fetched from S3."""

import io
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab_utils.errors import ConfigError
from lab_utils.tracking import rendered


class Store:
    """An S3 of one object."""

    def __init__(self, content: bytes = b"content") -> None:
        self.content, self.calls = content, 0

    def download_file(self, bucket: str, key: str, target: str) -> None:
        self.calls += 1
        Path(target).write_bytes(self.content)


def lab(store: Store) -> SimpleNamespace:
    return SimpleNamespace(backend="local", client=lambda name: store)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABS_HOME", str(tmp_path))


def test_the_sets_of_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rendered.SETS, "smoke", {split: rendered._Set(1, 3, False) for split in rendered._SEEDS})
    clips = {split: rendered.clip_set(split, profile="smoke", seed=4) for split in rendered._SEEDS}
    assert {split: len(found) for split, found in clips.items()} == dict.fromkeys(rendered._SEEDS, 1)
    assert len({found[0].path.read_bytes() for found in clips.values()}) == len(clips)
    for profile, split in (("huge", "test"), ("smoke", "train")):
        with pytest.raises(ConfigError, match="unknown"):
            rendered.clip_set(split, profile=profile)


def test_a_video_comes_from_wherever_it_is(tmp_path: Path) -> None:
    store = Store()
    assert rendered.fetch_video(lab(store), "").name == "approach.mp4"
    assert rendered.fetch_video(lab(store), "/a/b.avi") == Path("/a/b.avi")
    for _ in range(2):
        fetched = rendered.fetch_video(lab(store), "s3://bucket/clips/b.mp4")
    assert fetched == tmp_path / "downloads/local/bucket/clips/b.mp4"
    assert (fetched.read_bytes(), store.calls) == (b"content", 1)


def test_a_model_is_unpacked_once() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("tracker.json"), io.BytesIO())
    store = Store(packed.getvalue())
    for _ in range(2):
        folder = rendered.fetch_model(lab(store), "s3://bucket/job/output/model.tar.gz")
    assert [path.name for path in folder.iterdir()] == ["tracker.json"]
    assert store.calls == 1


def test_half_a_model_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(tarfile.TarError):
        rendered.fetch_model(lab(Store(b"no archive")), "s3://bucket/job/model.tar.gz")
    assert [path.name for path in (tmp_path / "downloads/local/bucket/job").iterdir()] == ["model.tar.gz"]
