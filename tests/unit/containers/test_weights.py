"""First weights: downloads that go on where they ended and are never taken for complete unchecked."""

import argparse
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from detection import weights
from detector import zoo
from detector.weights import BEST, resolve
from sagemaker_contract import UserError

CONTENT = bytes(range(256)) * 20_000  # 5 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; `/short/` promises more than it sends, `/plain/` knows no ranges."""

    ranges: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        if self.path.startswith("/missing/"):
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and "/plain/" not in self.path else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        short = self.path.startswith("/short/") and not start
        self.wfile.write(CONTENT[start : 2_000_000 if short else None])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    Handler.ranges = []
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def names(folder: Path) -> list[str]:
    return sorted(path.name.split("-", 1)[-1] for path in folder.iterdir())


def test_a_download_is_verified_and_cached(server: str, tmp_path: Path) -> None:
    for _ in range(2):
        path = weights.download(f"{server}/model.pth", tmp_path, SHA256, len(CONTENT))
        assert path.read_bytes() == CONTENT
    assert Handler.ranges == [None]
    assert names(tmp_path) == ["model.pth"]


def test_an_interrupted_download_goes_on_where_it_ended(server: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="after 2000000 of 5120000 bytes"):
        weights.download(f"{server}/short/model.pth", tmp_path, SHA256)
    assert names(tmp_path) == ["model.pth.part"]
    assert weights.download(f"{server}/short/model.pth", tmp_path, SHA256).read_bytes() == CONTENT
    assert Handler.ranges == [None, "bytes=2000000-"]


def test_a_server_without_ranges_starts_the_file_anew(server: str, tmp_path: Path) -> None:
    url = f"{server}/plain/model.pth"
    path = weights.download(url, tmp_path, SHA256)
    path.rename(path.with_name(f"{path.name}.part"))
    assert weights.download(url, tmp_path, SHA256).read_bytes() == CONTENT


def test_a_part_that_was_complete_is_only_verified(server: str, tmp_path: Path) -> None:
    path = weights.download(f"{server}/model.pth", tmp_path, SHA256)
    path.rename(path.with_name(f"{path.name}.part"))
    assert weights.download(f"{server}/model.pth", tmp_path, SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize(("sha256", "size", "message"), [("0" * 64, 0, "sha256"), (SHA256, 7, "expected 7")])
def test_wrong_content_is_refused_and_not_kept(
    server: str, tmp_path: Path, sha256: str, size: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        weights.download(f"{server}/model.pth", tmp_path, sha256, size)
    assert names(tmp_path) == []


def test_a_cached_file_that_was_changed_is_refused(server: str, tmp_path: Path) -> None:
    weights.download(f"{server}/model.pth", tmp_path, SHA256).write_bytes(b"changed")
    with pytest.raises(UserError, match="sha256"):
        weights.download(f"{server}/model.pth", tmp_path, SHA256)


@pytest.mark.parametrize("path", ["/missing/model.pth", None])
def test_a_failed_download_names_the_address(server: str, tmp_path: Path, path: str | None) -> None:
    url = f"{server}{path}" if path else "http://127.0.0.1:1/model.pth"
    with pytest.raises(UserError, match=f"{url}: download failed"):
        weights.download(url, tmp_path)


def archive(path: Path, name: str = BEST) -> Path:
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"abc"))
    return path


def test_an_earlier_jobs_archive_is_unpacked(tmp_path: Path) -> None:
    channel = archive(tmp_path / "model/job-1/output/model.tar.gz").parents[2]
    assert weights.unpack(channel, BEST).read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["other.pth", "../model_best.pth"])
def test_an_archive_without_weights_of_its_own_is_refused(tmp_path: Path, name: str) -> None:
    channel = archive(tmp_path / "channels/model/model.tar.gz", name).parent
    with pytest.raises(UserError, match="model"):
        weights.unpack(channel, BEST)
    assert not (tmp_path / "channels/model_best.pth").exists()


def test_a_channel_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither model_best\.pth nor a model\.tar\.gz"):
        weights.unpack(tmp_path, BEST)
    (tmp_path / "model.tar.gz").write_bytes(b"garbage")
    with pytest.raises(UserError, match="not a model archive"):
        weights.unpack(tmp_path, BEST)


def arguments(**values: object) -> argparse.Namespace:
    given = {"weights": "", "weights_sha256": "", "model_channel": None, "model_type": "retinanet"}
    return argparse.Namespace(**{**given, "backbone": "R_50_FPN", "zoo_schedule": "3x", **values})


def test_where_weights_come_from(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABS_WEIGHTS_DIR", str(tmp_path / "cache"))
    assert resolve(arguments()) is None
    url = f"{server}/model.pth"
    assert resolve(arguments(weights=url, weights_sha256=SHA256)).parent == tmp_path / "cache"
    channel = archive(tmp_path / "model/model.tar.gz").parent
    assert resolve(arguments(model_channel=channel)).name == BEST
    assert resolve(arguments(weights=str(channel / "model.tar.gz"))) == channel / "model.tar.gz"


def test_the_zoos_weights_come_with_their_licence(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LABS_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setattr(zoo, "URL", server)
    path = resolve(arguments(weights="zoo"))
    assert path.name.endswith("model_final_5bd44e.pkl")
    assert "CC BY-SA 3.0" in capsys.readouterr().out


@pytest.mark.parametrize(("wanted", "message"), [("model", "no channel 'model'"), ("/none.pth", "no such file")])
def test_weights_that_are_not_there_are_named(wanted: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        resolve(arguments(weights=wanted))
