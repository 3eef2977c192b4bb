"""A container's folder, archives, metrics, and where objects land."""

import io
import tarfile
from pathlib import Path

import pytest

from local_sagemaker.aws.objects import ObjectError, place, relative_key, split_uri
from local_sagemaker.jobs.archive import ArchiveError, pack, unpack
from local_sagemaker.jobs.folder import ContainerFolder
from local_sagemaker.jobs.metrics import MetricScanner


def test_relocation(tmp_path: Path) -> None:
    folder = ContainerFolder(tmp_path / "job")
    base = str(tmp_path / "job" / "opt" / "ml")
    assert folder.relocate("cat /opt/ml/model '/opt/ml' x=/opt/ml:") == f"cat {base}/model '{base}' x={base}:"
    for unchanged in ("/other/opt/ml", "/opt/mlx", "/opt/ml-x", "s3://b/opt/ml", base):
        assert folder.relocate(unchanged) == unchanged


def test_files_are_relocated_unless_binary(tmp_path: Path) -> None:
    folder = ContainerFolder(tmp_path / "job")
    folder.create()
    scripts = folder.channel("sm_drivers")
    scripts.mkdir()
    (scripts / "a.sh").write_text("cd /opt/ml/model")
    (scripts / "latin1.sh").write_bytes(b"\xe9 /opt/ml")
    (scripts / "b.bin").write_bytes(b"\0/opt/ml")
    folder.relocate_files(scripts)
    assert (scripts / "a.sh").read_text() == f"cd {folder.model}"
    assert (scripts / "latin1.sh").read_bytes() == b"\xe9 " + str(folder.base).encode()
    assert (scripts / "b.bin").read_bytes() == b"\0/opt/ml"


def test_the_log_outlives_the_contents(tmp_path: Path) -> None:
    folder = ContainerFolder(tmp_path / "job")
    folder.create()
    folder.log.write_text("line")
    folder.remove_contents()
    assert [path.name for path in folder.root.iterdir()] == ["log.txt"]
    assert folder.root.stat().st_mode & 0o777 == 0o700


def tar(members: list[tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def member(name: str, **attributes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


def test_archives_round_trip(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "x").write_text("x")
    target.mkdir()
    pack([source], tmp_path / "a.tar.gz")
    unpack(tmp_path / "a.tar.gz", target, "a")
    assert (target / "deep" / "x").read_text() == "x"


@pytest.mark.parametrize(
    "hostile",
    [
        member("../x"),
        member("a/../../x"),
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("link", type=tarfile.SYMTYPE, linkname="../../x"),
        member("link", type=tarfile.LNKTYPE, linkname="../x"),
        member("device", type=tarfile.CHRTYPE),
    ],
    ids=lambda m: m.name,
)
def test_hostile_members(tmp_path: Path, hostile: tarfile.TarInfo) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "a").write_bytes(tar([hostile]))
    with pytest.raises(ArchiveError, match="the archive"):
        unpack(tmp_path / "a", target, "the archive")
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"no tar", tar([member("x", size=100_000)])[:-50]])
def test_damaged_archives(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ArchiveError):
        unpack(tmp_path / "a", tmp_path, "a")


def test_an_archive_too_big_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_sagemaker.jobs.archive._RESERVE", 1 << 62)
    (tmp_path / "a").write_bytes(tar([member("x", size=10)]))
    with pytest.raises(ArchiveError, match="more than the disk can hold"):
        unpack(tmp_path / "a", tmp_path, "a")


@pytest.mark.parametrize(
    ("key", "prefix", "relative"),
    [
        ("data/train/a", "data/train", "/a"),
        ("data/train/a/b", "data/train", "/a/b"),
        ("data/one.json", "data/one.json", "one.json"),
        ("data/train2/a", "data/train", "train2/a"),
        ("a", "", "a"),
    ],
)
def test_keys_below_a_prefix(key: str, prefix: str, relative: str) -> None:
    assert relative_key(key, prefix) == relative


@pytest.mark.parametrize("relative", ["../x", "a/../../x", "a/..", "", "/", "a\0b"])
def test_keys_that_lead_out(tmp_path: Path, relative: str) -> None:
    with pytest.raises(ObjectError, match="leads out"):
        place(relative, tmp_path)


def test_keys_that_stay_inside(tmp_path: Path) -> None:
    assert place("/a//b/./c..d", tmp_path) == tmp_path / "a" / "b" / "c..d"


@pytest.mark.parametrize("uri", ["", "s3://", "s3:/b/k", "https://b/k", "/local"])
def test_bad_uris(uri: str) -> None:
    with pytest.raises(ObjectError, match="not an S3 URI"):
        split_uri(uri)
    assert split_uri("s3://b/k/l") == ("b", "k/l")


def test_metrics() -> None:
    scanner = MetricScanner({"loss": r"loss=(\S+);", "speed": r"\d+ it/s"})
    found = scanner.scan(["loss=0.5; loss=0.25;", "loss=nan; loss=inf; loss=x;", "7 it/s", "nothing"])
    assert [(name, value) for name, value, _ in found] == [("loss", 0.5), ("loss", 0.25)]
    assert [(m["MetricName"], m["Value"]) for m in scanner.final()] == [("loss", 0.25)]
    assert MetricScanner({}).scan(["loss=1;"]) == []
