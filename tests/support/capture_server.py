"""A second process's part, played in a thread: an endpoint that speaks PostHog's capture protocol and keeps what came.

It decodes on its own (no code of the product), so that it is a witness: gzip by magic bytes, `data=` forms, base64,
JSON; one event, an array, a batch.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

Mode = Literal["ok", "error", "hang", "garbage", "refuse"]


@dataclass(frozen=True)
class Received:
    """One event as it arrived; `request` counts the requests of this server from 0."""

    name: str
    uuid: str
    timestamp: datetime
    properties: dict[str, Any]
    request: int

    def __getitem__(self, name: str) -> Any:
        return self.properties[name]

    def get(self, name: str) -> Any:
        return self.properties.get(name)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Serve = Callable[[Request], Answer | None]


@dataclass
class CaptureServer:
    """Events go below `prefix`; every other path is `serve`'s. `mode` is how the endpoint behaves from now on."""

    serve: Serve = lambda _: None
    mode: Mode = "ok"
    requests: list[Request] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What could not be decoded; a test that waits says so."""

    def __post_init__(self) -> None:
        self._prefixes = [f"/q{uuid.uuid4().hex}"]
        self._arrived = threading.Condition()
        self._go_on = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def prefix(self) -> str:
        return self._prefixes[-1]

    @property
    def api_host(self) -> str:
        return self.url + self.prefix

    @property
    def captures(self) -> list[Request]:
        """What came to the endpoint, CORS questions not counted."""
        return [one for one in self.requests if one.path.startswith(self.prefix) and one.method == "POST"]

    def close(self) -> None:
        self._go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def clear(self) -> None:
        self.release()
        with self._arrived:
            self.mode = "ok"
            # What a page of the test before still sends is not this test's.
            self._prefixes.append(f"/q{uuid.uuid4().hex}")
            self.requests.clear()
            self.received.clear()
            self.broken.clear()

    def release(self) -> None:
        """Lets the requests that hang end."""
        self._go_on.set()
        self._go_on = threading.Event()

    def wait(self, done: Callable[[list[Received]], bool], seconds: float = 20) -> list[Received]:
        """What has been received, as soon as `done` says so; raises AssertionError with what there is otherwise."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: done(self.received), seconds):
                received = [(e.name, e.get("route")) for e in self.received]
                raise AssertionError(f"still waiting; received {received}, broken {self.broken}")
            return list(self.received)

    def take(self, count: int, seconds: float = 20) -> list[Received]:
        return self.wait(lambda received: len(received) >= count, seconds)

    def answer(self, request: Request) -> Answer | None:
        """None: the connection is closed without a word."""
        with self._arrived:
            if request.path.startswith(tuple(self._prefixes[:-1])):
                return Answer(200, b"{}")
            mode, go_on = self.mode, self._go_on
            self.requests.append(request)
            captured = request.path.startswith(self.prefix)
            if captured and mode == "ok" and request.method == "POST":
                self._keep(request)
            self._arrived.notify_all()
        return _answer(mode, go_on, request) if captured else self.serve(request) or Answer(404, b"")

    def _keep(self, request: Request) -> None:
        try:
            self.received += decode(request, len(self.captures) - 1)
        except (ValueError, KeyError, TypeError, OSError) as error:
            self.broken.append(f"{error!r}: {request}")


def _answer(mode: Mode, go_on: threading.Event, request: Request) -> Answer | None:
    cors = {"Access-Control-Allow-Origin": request.headers.get("origin", "*")}
    if mode == "hang":
        go_on.wait(60)
    if mode in {"hang", "refuse"}:
        return None
    status = 500 if mode == "error" else 200
    body = b"<html>" if mode == "garbage" else b'{"status": 1}'
    return Answer(status, body, {**cors, "Content-Type": "application/json"})


def decode(request: Request, index: int) -> list[Received]:
    """The events of a body, in order."""
    text = request.body
    if request.headers.get("content-encoding") == "gzip" or text[:2] == b"\x1f\x8b":
        text = gzip.decompress(text)
    if text.startswith(b"data="):
        text = base64.b64decode(parse_qs(text.decode())["data"][0])
    parsed = json.loads(text)
    events = parsed if isinstance(parsed, list) else parsed.get("batch", [parsed])
    return [
        Received(event["event"], event["uuid"], datetime.fromisoformat(event["timestamp"]), event["properties"], index)
        for event in events
    ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Browsers close connections as they please."""


def _handler(owner: CaptureServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(length))
            answer = owner.answer(request)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_OPTIONS = respond  # noqa: N815 -- names the base class calls

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler


def path_of(request: Request) -> str:
    return urlsplit(request.path).path
