"""A proxy in front of the product that gives its pages a script of the test's.

Chromium under a debugger neither prerenders nor hides a tab: without one the pages have to act on their own.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_OF_A_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding"}


@dataclass
class Front:
    """Forwards to the server on `port` what is not its own.

    `pages` are its own, path to (type, text). `/drive.js` is `script`, which runs first on every page of the product.
    `rules` gives paths the speculation rules their pages come with. What is posted to `/note` is kept in `notes`.
    """

    port: int
    script: str
    pages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def own(self, path: str) -> tuple[str, bytes] | None:
        if path == "/drive.js":
            return "text/javascript", self.script.encode()
        if path == "/notes":
            return "application/json", json.dumps([note["what"] for note in self.notes]).encode()
        if path.startswith("/rules"):
            return "application/speculationrules+json", json.dumps(self.rules[path.removeprefix("/rules")]).encode()
        found = self.pages.get(path)
        return (found[0], found[1].encode()) if found else None


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            if path == "/note":
                front.notes.append(json.loads(body))
                self.give(204, [], b"")
            elif own := front.own(path):
                self.give(200, [("Content-Type", own[0])], own[1])
            else:
                self.forward(path, body)

        def forward(self, path: str, body: bytes) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_A_HOP}
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
            finally:
                connection.close()
            given = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OF_A_HOP]
            if (answer.getheader("Content-Type") or "").startswith("text/html"):
                text = text.replace(b"<head>", b'<head><script src="/drive.js"></script>', 1)
                if path in front.rules:
                    given.append(("Speculation-Rules", f'"/rules{path}"'))
            self.give(answer.status, given, text)

        def give(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = respond  # noqa: N815 -- names the base class calls

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
