import hashlib
import io
import json
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from lab_utils import coco_download, downloads
from lab_utils.downloads import Remote, fetch
from lab_utils.errors import DataError


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files`; `server.cut` bytes an answer, where it is set; `server.ranges` or not."""

    def do_GET(self):
        body = self.server.files.get(self.path)
        start = int(re.sub(r"\D", "", self.headers.get("Range", "0"))) if self.server.ranges else 0
        self.server.asked.append(self.headers.get("Range"))
        if body is None or start >= len(body):
            self.send_error(404 if body is None else 416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        self.wfile.write(body[start:][: self.server.cut])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloads, "_PAUSE", 0.01)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.files, http.asked, http.cut, http.ranges = {}, [], None, True
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield http
        http.shutdown()
        thread.join()


BODY = bytes(range(256)) * 40


def offer(server, path="/a.bin", body=BODY):
    server.files[path] = body
    return Remote(f"http://127.0.0.1:{server.server_port}{path}", len(body), hashlib.sha256(body).hexdigest())


def test_a_file_is_fetched_once(server, tmp_path):
    remote = offer(server)
    for _ in range(2):
        assert fetch(remote, tmp_path / "sub/a.bin", progress=False).read_bytes() == BODY
    assert server.asked == [None]
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.bin"]


def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path):
    server.cut = 4000
    assert fetch(offer(server), tmp_path / "a.bin", progress=False).read_bytes() == BODY
    assert server.asked == [None, "bytes=4000-", "bytes=8000-"]


def test_a_later_call_goes_on(server, tmp_path):
    server.cut = 4000
    with pytest.raises(DataError, match=r"a\.bin: the server ends after 4,000 of 10,240 bytes; 1 attempts"):
        fetch(offer(server), tmp_path / "a.bin", attempts=1, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin.part"]
    server.cut = None
    assert fetch(offer(server), tmp_path / "a.bin", progress=False).read_bytes() == BODY
    assert server.asked == [None, "bytes=4000-"]


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(b"x" * 4000)
    server.ranges = False
    assert fetch(offer(server), tmp_path / "a.bin", progress=False).read_bytes() == BODY


@pytest.mark.parametrize("there", [b"x" * 4000, b"x" * 10_240])
def test_another_file_than_expected_is_refused_and_not_kept(server, tmp_path, there):
    (tmp_path / "a.bin.part").write_bytes(there)
    with pytest.raises(DataError, match="another file than expected: 10,240 bytes with sha256"):
        fetch(offer(server), tmp_path / "a.bin", progress=False)
    assert not list(tmp_path.iterdir())
    assert fetch(offer(server), tmp_path / "a.bin", progress=False).read_bytes() == BODY


def test_a_longer_file_is_refused(server, tmp_path):
    remote = offer(server)
    server.files["/a.bin"] = BODY * 2
    with pytest.raises(DataError, match="another file than expected"):
        fetch(remote, tmp_path / "a.bin", progress=False)


def test_what_the_server_refuses_is_not_asked_for_again(server, tmp_path):
    remote = offer(server)
    server.files.clear()
    with pytest.raises(DataError, match="download failed: HTTP Error 404"):
        fetch(remote, tmp_path / "a.bin", progress=False)
    assert server.asked == [None]


def test_other_obstacles_are_named(server, tmp_path):
    remote = offer(server)
    with pytest.raises(DataError, match="expected an http or https address"):
        fetch(Remote("file:///etc/hosts", 1, ""), tmp_path / "a")
    with pytest.raises(DataError, match=r"no room in .*: 1,000,000,000,000 MB are needed"):
        fetch(Remote(remote.url, 10**18, ""), tmp_path / "a", progress=False)
    server.server_close()
    with pytest.raises(DataError, match=r"download failed: .*; 0 of 10,240 bytes are kept"):
        fetch(remote, tmp_path / "b.bin", attempts=2, progress=False)


def test_two_at_once_fetch_it_once(server, tmp_path):
    remote = offer(server)
    arguments = {"args": (remote, tmp_path / "a.bin"), "kwargs": {"progress": False}}
    threads = [threading.Thread(target=fetch, **arguments) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, data in members.items():
            content.writestr(name, data)
    return buffer.getvalue()


def test_val2017_is_downloaded_and_unpacked_once(server, tmp_path):
    jpeg = io.BytesIO()
    Image.new("L", (20, 10)).save(jpeg, "JPEG")
    content = {
        "images": [{"id": 7, "file_name": "000000000007.jpg", "width": 20, "height": 10}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 1, 2.5, 3], "iscrowd": 1}],
        "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}],
    }
    images = offer(server, "/val.zip", archive(**{"val2017/000000000007.jpg": jpeg.getvalue(), "other/x.jpg": b""}))
    members = {"annotations/instances_val2017.json": json.dumps(content), "annotations/captions_val2017.json": "{}"}
    annotations = offer(server, "/ann.zip", archive(**members))
    for _ in range(2):
        read = coco_download.val2017(tmp_path, images=images, annotations=annotations, progress=False)
    assert len(server.asked) == 2
    assert read.open_image(7).size == (20, 10)
    assert read.boxes["crowd"].all()
    assert read.category_ids == (1, 90)
    assert not (tmp_path / "other").exists()
    assert not (tmp_path / "annotations/captions_val2017.json").exists()


def test_an_archive_that_is_not_val2017_is_refused(server, tmp_path):
    annotations = offer(server, "/ann.zip", archive(x="y"))
    with pytest.raises(DataError, match=r"val2017\.zip: holds nothing of val2017"):
        coco_download.val2017(tmp_path / "a", images=offer(server, "/v.zip", archive(x="y")), annotations=annotations)
    with pytest.raises(DataError, match=r"val2017\.zip: not a readable archive"):
        coco_download.val2017(tmp_path / "b", images=offer(server, "/w.zip", b"text"), annotations=annotations)
    outside = offer(server, "/o.zip", archive(**{"val2017/../../x.jpg": "y"}))
    with pytest.raises(DataError, match="leads out of the archive's folder"):
        coco_download.val2017(tmp_path / "c", images=outside, annotations=annotations)
