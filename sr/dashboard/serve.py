"""The page over HTTP, following its runs: read again whenever the page asks and a run folder has changed."""

import hashlib
import sys
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sr.dashboard.page import embedded, render
from sr.dashboard.run_deltas import without_repetition
from sr.report.runs import sweep_roots
from sr.runs.files import stamp
from sr.runs.screen_text import printable
from sr.runs.sweep_record import record_files

Made = tuple[dict[str, Any], list[dict[str, Any]]]

WATCHED = ("config.yaml", "report.json", "failed.json", ".running", "images/images.json", "logs/*/metrics.csv")
CLIENT_TIMEOUT_S = 10
"""After which a client that sends or reads nothing is let go."""
BODIES: dict[str, tuple[str, Callable[[dict[str, Any], list[dict[str, Any]]], str]]] = {
    "/": ("text/html; charset=utf-8", render),
    "/content.json": ("application/json", lambda content, _: embedded(without_repetition(content))),
    "/pictures.json": ("application/json", lambda _, pictures: embedded(pictures)),
}
"""What is served, each made when it is asked for: type, and function of content and pictures."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Live:
    """What is served: made anew when a file that it was made from has changed.

    Args:
        places: run folders, experiments, or folders of experiments.
        make: makes content and pictures of the places.
    """

    def __init__(self, places: Sequence[Path], make: Callable[[], Made]) -> None:
        self._places, self._make = places, make
        self._state: tuple[Any, ...] | None = None
        self._content: Made = ({}, [])
        self._answers: dict[str, tuple[str, bytes, str]] = {}
        self._lock = threading.Lock()

    def answer(self, path: str) -> tuple[str, bytes, str] | None:
        """Body, type and tag of a path; None for a path that is not served."""
        with self._lock:
            state = self.state()
            if state != self._state:
                self._content, self._answers = self._make(), {}
                self._state = state
            if path not in self._answers and path in BODIES:
                kind, body = BODIES[path]
                self._answers[path] = _tagged(kind, body(*self._content))
            return self._answers.get(path)

    def state(self) -> tuple[Any, ...]:
        """Names, sizes and times of the files that the page is made from."""
        files = []
        for place in self._places:
            for folder in (place, *place.glob("*/"), *place.glob("*/*/")):
                files += [path for pattern in WATCHED for path in folder.glob(pattern)]
            files += [path for root in sweep_roots(place.resolve()) for path in record_files(root)]
        return tuple(sorted((str(path), *found) for path in files if (found := stamp(path))))


def _tagged(kind: str, text: str) -> tuple[str, bytes, str]:
    """Type, body and tag of an answer."""
    body = text.encode()
    return kind, body, f'"{hashlib.sha256(body).hexdigest()[:20]}"'


class _Handler(BaseHTTPRequestHandler):
    """Answers for `live` alone; only reading, only known paths."""

    live: Live
    host: str

    def do_GET(self) -> None:
        """Answer, or say that nothing is new, or why there is no page now."""
        # A page of another site must not read this one through a name that leads here (DNS rebinding).
        name = self.headers.get("Host", "").rsplit(":", 1)[0].strip("[]")
        if self.host in LOOPBACK and name not in LOOPBACK:
            return self.send_error(HTTPStatus.FORBIDDEN, "open it as localhost")
        try:
            found = self.live.answer(self.path.split("?")[0])
        except (ValueError, OSError) as error:  # such as an experiment that was renamed meanwhile
            print(printable(f"Error: {error}"), file=sys.stderr)
            return self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain=str(error))
        return self._send(*found) if found else self.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, kind: str, body: bytes, tag: str) -> None:
        """Send a body, unless it is known there."""
        known = self.headers.get("If-None-Match") == tag
        self.send_response(HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        if not known:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not known:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the page asks every few seconds."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a page that was closed while it was being answered."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def server(live: Live, host: str, port: int) -> ThreadingHTTPServer:
    """Make a server, which `serve_forever` starts.

    Args:
        live: what to serve.
        host: address to listen at.
        port: port to listen at; 0 takes a free one.

    Raises:
        ValueError: the address cannot be had.
    """
    handler = type("Handler", (_Handler,), {"live": live, "host": host, "timeout": CLIENT_TIMEOUT_S})
    try:
        return _Server((host, port), handler)
    except (OSError, OverflowError) as error:
        raise ValueError(f"{host} port {port} cannot be had ({error}); choose another with --port") from error
