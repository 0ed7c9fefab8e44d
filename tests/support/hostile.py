"""A loopback server that answers with whatever bytes a test tells it to, as slowly as it is told."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket, bytes], None]


@dataclass
class Hostile:
    """``behaviours`` are used up one a connection; the last one stays. ``requests`` holds what came, raw."""

    behaviours: list[Behaviour]
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ping"

    def serve(self, listener: socket.socket) -> None:
        listener.settimeout(0.05)
        while not self._stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            request = _read_request(connection)
            self.requests.append(request)
            behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
            behave(connection, request)


def _read_request(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            return data
        data += got
        if data.startswith(b"\x16"):  # a TLS greeting has no blank line to wait for
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        got = connection.recv(65536)
        if not got:
            break
        body += got
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def hostile(*behaviours: Behaviour) -> Iterator[Hostile]:
    """A running server; it is gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Hostile(list(behaviours), port=listener.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listener,))
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


def answer(status: str, body: bytes = b"{}", *headers: str) -> Behaviour:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return lambda connection, _: connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def raw(data: bytes) -> Behaviour:
    """These bytes, then the end."""
    return lambda connection, _: connection.sendall(data)


def hang(seconds: float = 30) -> Behaviour:
    """Nothing at all."""
    return lambda connection, _: _until_closed(connection, seconds)


def dribble(head: bytes, byte: bytes = b"x", pause: float = 0.05) -> Behaviour:
    """``head``, then a byte now and then for ever."""

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(byte)
            time.sleep(pause)

    return behave


def flood(head: bytes, chunk: bytes = b"x" * 65536, limit: int = 16_384) -> Behaviour:
    """``head``, then a gigabyte as fast as it is taken."""

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        for _each in range(limit):
            connection.sendall(chunk)

    return behave


def _until_closed(connection: socket.socket, seconds: float) -> None:
    connection.settimeout(seconds)
    connection.recv(1)
