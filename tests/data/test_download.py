"""A real HTTP server on the loopback, with and without ranges, that may hang up; archives that are damaged or evil."""

import hashlib
import http.server
import io
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sr.data import download
from sr.data.download import Archive, extract, fetch_archive


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content` at every path; `server.hang_up_after` bytes of an answer the connection ends, once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        if self.path.startswith("/absent"):
            self.send_error(404)
            return
        content, begin = self.server.content, 0
        if self.headers.get("Range") and self.server.ranged:
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        end, self.server.hang_up_after = self.server.hang_up_after, None
        self.wfile.write(content[begin : begin + end] if end else content[begin:])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.ThreadingHTTPServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "_PAUSE_S", 0.01)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.ranged, server.hang_up_after, server.ranges = zipped(), True, None, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def zipped(**more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in {
            "set/0001.png": b"first" * 2000,
            "set/sub/0002.png": bytes(range(256)) * 40,
            **more,
        }.items():
            file.writestr(name, content)
    return buffer.getvalue()


def archive_of(server: http.server.ThreadingHTTPServer, **changes: object) -> Archive:
    url = f"http://127.0.0.1:{server.server_port}/some/set.zip?download=1"
    known = Archive(url, "set", len(server.content), hashlib.sha256(server.content).hexdigest())
    return known._replace(**changes)


def names(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def test_an_archive_is_fetched_once(server, tmp_path: Path):
    for _ in range(2):
        assert fetch_archive(archive_of(server), tmp_path / "new") == tmp_path / "new" / "set"
    assert names(tmp_path / "new") == ["set/0001.png", "set/sub/0002.png"]
    assert (tmp_path / "new/set/0001.png").read_bytes() == b"first" * 2000
    assert len(server.ranges) == 1


@pytest.mark.parametrize(("ranged", "second"), [(True, "bytes=7000-"), (False, "bytes=7000-")])
def test_a_broken_connection_is_taken_up_again(server, tmp_path: Path, ranged: bool, second: str):
    server.ranged, server.hang_up_after = ranged, 7000
    fetch_archive(archive_of(server), tmp_path)
    assert server.ranges == [None, second]
    assert (tmp_path / "set/sub/0002.png").read_bytes() == bytes(range(256)) * 40


def test_a_later_start_goes_on_from_the_part(server, tmp_path: Path):
    (tmp_path / "set.zip.part").write_bytes(server.content[:9000])
    fetch_archive(archive_of(server), tmp_path)
    assert server.ranges == ["bytes=9000-"]


def test_a_whole_part_is_not_fetched_again(server, tmp_path: Path):
    for known_size in (len(server.content), None):
        (tmp_path / "set.zip.part").write_bytes(server.content)
        assert download.download(archive_of(server).url, tmp_path / "set.zip", archive_of(server).sha256, known_size)
        (tmp_path / "set.zip").unlink()
    assert server.ranges == [f"bytes={len(server.content)}-"]


def test_a_part_of_something_longer_is_thrown_away(server, tmp_path: Path):
    (tmp_path / "set.zip.part").write_bytes(server.content + b"more")
    fetch_archive(archive_of(server), tmp_path)
    assert (tmp_path / "set").is_dir()


def test_damage_on_the_way_is_noticed_and_removed(server, tmp_path: Path):
    expected = archive_of(server)
    server.content = server.content[:500] + b"\0" + server.content[501:]
    with pytest.raises(ValueError, match=r"has SHA-256 [0-9a-f]{64}, expected .*removed; run"):
        fetch_archive(expected, tmp_path)
    assert names(tmp_path) == []


def test_without_a_known_hash_the_first_download_is_trusted_and_recorded(server, tmp_path: Path):
    fetch_archive(archive_of(server, sha256=None, num_bytes=None), tmp_path)
    assert (tmp_path / "set.zip.sha256").read_text().strip() == archive_of(server).sha256
    (tmp_path / "set").rename(tmp_path / "moved")
    server.content = zipped(**{"set/0003.png": b"changed"})
    with pytest.raises(ValueError, match=r"has SHA-256 .*, expected"):
        fetch_archive(archive_of(server, sha256=None, num_bytes=None), tmp_path)


def test_a_refusal_names_the_address(server, tmp_path: Path):
    url = f"http://127.0.0.1:{server.server_port}/absent.zip"
    with pytest.raises(ValueError, match=rf"cannot download {url}: HTTP Error 404"):
        fetch_archive(archive_of(server, url=url), tmp_path)
    assert len(server.ranges) == 1


def test_no_server_is_told_after_a_few_attempts(server, tmp_path: Path):
    archive = archive_of(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(ValueError, match=r"cannot download http.*refused.*check the connection"):
        fetch_archive(archive, tmp_path)


def test_a_file_in_the_way_is_told(server, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot write .*file/set .*data\.root=<folder>"):
        fetch_archive(archive_of(server), tmp_path / "file")


@pytest.mark.parametrize(
    "name",
    ["../out.png", "set/../../out.png", "/tmp/out.png", "C:\\out.png", "..\\out.png", "\\\\host\\share\\out.png"],
)
def test_a_path_that_escapes_is_refused_and_nothing_unpacked(tmp_path: Path, name: str):
    (tmp_path / "root").mkdir()
    (tmp_path / "evil.zip").write_bytes(zipped(**{name: b"evil"}))
    with pytest.raises(ValueError, match=r"evil\.zip holds .*outside its folder"):
        extract(tmp_path / "evil.zip", "set", tmp_path / "root")
    assert names(tmp_path) == ["evil.zip"]


def test_a_link_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        link = zipfile.ZipInfo("set/link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc")
    with pytest.raises(ValueError, match=r"holds 'set/link'"):
        extract(tmp_path / "evil.zip", "set", tmp_path)


def test_a_truncated_archive_is_refused(tmp_path: Path):
    for name, content in {
        "cut": zipped()[:-30],
        "text": b"not a zip",
        "bits": zipped().replace(b"firstfirst", b"wrongfirst"),
    }.items():
        (tmp_path / f"{name}.zip").write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.zip is damaged or not a zip file"):
            extract(tmp_path / f"{name}.zip", "set", tmp_path)
        assert not (tmp_path / "set").exists()
        assert not list(tmp_path.glob(".*"))


def test_another_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zipped())
    with pytest.raises(ValueError, match=r"has no folder 'DIV2K_train_HR'"):
        extract(tmp_path / "a.zip", "DIV2K_train_HR", tmp_path)
