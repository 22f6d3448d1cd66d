"""The page over HTTP."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sr.dashboard import serve
from sr.dashboard.content import content
from sr.dashboard.serve import Live, server
from sr.report.runs import find_runs

MakeRun = Callable[..., Path]
Ask = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Serve `tmp_path`, and ask for a path with headers."""
    serving = server(Live([tmp_path], lambda: (content(find_runs([tmp_path]), [tmp_path]), [])), "127.0.0.1", 0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()

    def get(path: str, **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", serving.server_address[1], timeout=30)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse()

    yield get
    serving.shutdown()
    serving.server_close()


def test_news_come_only_when_a_run_has_changed(tmp_path: Path, make_run: MakeRun, ask: Ask, unpack_runs: Any) -> None:
    make_run()
    first = ask("/content.json")
    assert [run["run"] for run in unpack_runs(json.loads(first.read()))] == ["model_a"]
    tag = first.headers["ETag"]
    assert ask("/content.json", If_None_Match=tag).status == 304
    make_run(run="model_b")
    second = ask("/content.json", If_None_Match=tag)
    assert second.status == 200
    assert [run["run"] for run in unpack_runs(json.loads(second.read()))] == ["model_a", "model_b"]


def test_only_the_page_is_served(tmp_path: Path, make_run: MakeRun, ask: Ask) -> None:
    make_run()
    assert ask("/").headers["Content-Type"] == "text/html; charset=utf-8"
    assert ask("/nets/model_a/report.json").status == 404
    assert ask("/../../etc/passwd").status == 404


def test_what_keeps_the_page_from_being_made_is_said(
    tmp_path: Path, make_run: MakeRun, ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run()
    assert ask("/").status == 200
    place = tmp_path.rename(tmp_path.with_name("renamed"))
    answer = ask("/content.json")
    assert answer.status == 503 and "no folder at" in answer.read().decode()
    said = [line for line in capsys.readouterr().err.splitlines() if "no folder at" in line]
    assert len(said) == 1 and said[0].startswith("Error: ")
    place.rename(tmp_path)
    assert ask("/content.json").status == 200


def test_another_site_that_leads_here_is_refused(ask: Ask) -> None:
    assert ask("/content.json", Host="evil.example:8008").status == 403
    assert ask("/content.json", Host="localhost:8008").status == 200


def test_a_client_that_says_nothing_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "CLIENT_TIMEOUT_S", 0.3)
    with server(Live([tmp_path], lambda: (content([], [tmp_path]), [])), "127.0.0.1", 0) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        with socket.create_connection(serving.server_address, timeout=20) as silent:
            silent.sendall(b"GET / HT")
            assert silent.recv(1) == b""  # closed by the server
        serving.shutdown()
