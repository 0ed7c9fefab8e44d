"""What a process reaches for, seen from outside of it: a listener of ours, and strace's lines."""

from __future__ import annotations

import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STRACE = shutil.which("strace")
RECEIPT = "0123456789abcdef" * 2
# An outgoing connection, or a datagram, to anybody; and the files a resolver reads before it asks anybody.
REACHING = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(\d+, .*(AF_INET|nscd|resolve)")
LOOKING_UP = re.compile(r'open(at)?\(.*"(/etc/hosts|/etc/resolv\.conf|/etc/host\.conf)"')


def traced(into: str) -> list[str]:
    """What to put before a command; nothing where strace is not installed."""
    if STRACE is None:
        return []
    return [STRACE, "-f", "-qq", "-e", "trace=network,open,openat", "-s", "200", "-o", into]


class Listener:
    """Plays the collector on a loopback port; ``bodies`` is what it was sent, ``knocks`` how often it was reached."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.knocks = 0
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                listener.knocks += 1
                super().setup()

            def do_POST(self) -> None:
                listener.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps({"receipt": RECEIPT}).encode()
                self.send_response(202)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
