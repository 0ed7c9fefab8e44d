"""A server on loopback that plays PostHog's `/batch/`: strict as the real one, and as ill as a test wants it.

In a test: `with FakePostHog() as posthog: PostHogSink(posthog.key, posthog.url)`. As a second process:
`python -m tests.support.posthog_server --port 0 --log FILE` prints its address and appends each event it takes to the
file, one JSON object a line, on disk before it answers. `PUT /behave` tells it how to behave from now on, `GET /seen`
when it was asked.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self
from uuid import UUID

Mode = Literal["ok", "garbage", "hang", "half", "swallow", "redirect"]
"""`half` breaks its answer off and takes nothing; `swallow` takes the events, then breaks its answer off."""


class FakePostHog:
    """What it took is in `events` (each uuid once, as PostHog has it) and `taken` (every taking, in order).

    `status` other than 200 is answered to everything, with `retry_after` if given. A batch with an event of `poison`
    is answered 400, one with an event of `stumble` 503; a body above `max_body` bytes 413; another key 401.
    """

    def __init__(self, key: str = "phc_test", on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.key = key
        self.mode: Mode = "ok"
        self.status = 200
        self.retry_after: str | None = None
        self.poison: set[str] = set()
        self.stumble: set[str] = set()
        self.max_body = 20 * 2**20
        self.taken: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.requests = 0
        self.asked: list[float] = []
        self._on_event = on_event
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._port = 0
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        with self._lock:
            return {event["uuid"]: event for event in reversed(self.taken)}

    @property
    def names(self) -> list[str]:
        """The names of the events in the order they were taken in, each once."""
        with self._lock:
            return [event["event"] for event in {event["uuid"]: event for event in self.taken}.values()]

    def up(self, port: int = 0) -> None:
        """Listens, on the port it had before if it had one."""
        self._released.clear()
        self._server = _Server(("127.0.0.1", port or self._port), self)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Connections are refused, and those that hang are let go."""
        self._released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def behave(self, *, mode: Mode, status: int, retry_after: str | None, poison: Iterable[str]) -> None:
        """From now on; what hangs is let go."""
        self._released.set()
        self._released = threading.Event()
        self.mode, self.status, self.retry_after, self.poison = mode, status, retry_after, set(poison)

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def receive(self, handler: Handler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        with self._lock:
            self.requests += 1
            self.asked.append(time.time())
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        if self.mode == "hang":
            released = self._released
            released.wait(600)
            handler.close_connection = True
            return
        if self.mode == "half":
            handler.break_off()
            return
        if self.mode == "garbage":
            handler.answer(200, b"<html>Please sign in</html>")
            return
        if self.mode == "redirect":
            handler.answer(302, b"", {"Location": self.url + "/elsewhere"})
            return
        status, events = self._judge(body, handler.headers.get("Content-Encoding"))
        if status != 200:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            handler.answer(status, json.dumps({"detail": f"refused with {status}"}).encode(), headers)
            return
        with self._lock:
            self.bodies.append(body)
            self.taken += events
        for event in events:
            if self._on_event:
                self._on_event(event)
        if self.mode == "swallow":
            handler.break_off()
        else:
            handler.answer(200, b'{"status":1}')

    def _judge(self, body: bytes, encoding: str | None) -> tuple[int, list[dict[str, Any]]]:
        if self.status != 200 or len(body) > self.max_body:
            return (self.status if self.status != 200 else 413), []
        parsed = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
        if parsed["api_key"] != self.key:
            return 401, []
        events: list[dict[str, Any]] = parsed["batch"]
        try:
            uuids = {str(UUID(event["uuid"])) for event in events}
        except (ValueError, KeyError):
            return 400, []
        if ill := uuids & (self.poison | self.stumble):
            return (400 if ill & self.poison else 503), []
        return 200, events


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], posthog: FakePostHog) -> None:
        self.posthog = posthog
        self._open: set[socket.socket] = set()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # gone already

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # the other side's business


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        if self.path != "/batch/":
            self.answer(404, b"{}")
            return
        self.server.posthog.receive(self)

    def do_PUT(self) -> None:
        behaviour = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posthog.behave(**behaviour)
        self.answer(200, b"{}")

    def do_GET(self) -> None:
        if self.path == "/seen":
            self.answer(200, json.dumps(self.server.posthog.asked).encode())
            return
        self.answer(200, b"<html>A page</html>")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def break_off(self) -> None:
        """Half an answer, then a reset."""
        self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"sta')
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--key", default="phc_test")
    parser.add_argument(
        "--no-sync", action="store_true", help="for many events: what was taken outlives this process only"
    )
    options = parser.parse_args()
    lock = threading.Lock()
    with options.log.open("a", encoding="utf-8") as log:

        def keep(event: dict[str, Any]) -> None:
            with lock:
                log.write(json.dumps(event) + "\n")
                log.flush()
                if not options.no_sync:
                    os.fsync(log.fileno())

        posthog = FakePostHog(options.key, keep)
        posthog.up(options.port)
        sys.stdout.write(posthog.url + "\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        posthog.down()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
