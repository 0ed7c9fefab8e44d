"""A load generator that is not the bottleneck: prepared requests over keep-alive connections, one thread, one poll."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Result:
    """``seconds`` for all requests; ``latencies`` in seconds, one each; ``statuses`` by code."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Latency in ms that ``share`` of the requests stayed below."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class _Connection:
    sock: socket.socket
    sent_at: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, requests: Sequence[bytes], connections: int = 16) -> Result:
    """Send every request once, ``connections`` at a time, and wait for every answer."""
    selector = selectors.DefaultSelector()
    waiting = iter(requests)
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    started = time.perf_counter()
    for _ in range(min(connections, len(requests))):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(sock)
        selector.register(sock, selectors.EVENT_READ, connection)
        _send(connection, next(waiting))
    open_connections = len(selector.get_map())
    while open_connections:
        for key, _mask in selector.select(30):
            connection = key.data
            data = connection.sock.recv(262_144)
            if not data:
                raise ConnectionError("the server closed a connection")
            connection.buffer += data
            status = _complete(connection.buffer)
            if status is None:
                continue
            latencies.append(time.perf_counter() - connection.sent_at)
            statuses[status] = statuses.get(status, 0) + 1
            connection.buffer.clear()
            following = next(waiting, None)
            if following is None:
                selector.unregister(connection.sock)
                connection.sock.close()
                open_connections -= 1
            else:
                _send(connection, following)
    return Result(time.perf_counter() - started, latencies, statuses)


def _send(connection: _Connection, data: bytes) -> None:
    connection.sent_at = time.perf_counter()
    connection.sock.sendall(data)


def _complete(buffer: bytearray) -> int | None:
    """The status of a whole answer, None while it is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end]).lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return int(head[9:12]) if len(buffer) >= end + 4 + length else None
