"""One HTTP POST that cannot harm the platform: bounded in time and size, no redirects, no cookies, proxy honoured."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

CONNECT_S = 5.0
TOTAL_S = 10.0
MAX_HEAD = 64 * 1024
MAX_ANSWER = 64 * 1024
MAX_RETRY_AFTER_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``retry_after`` in seconds; ``body`` cut at MAX_ANSWER bytes."""

    status: int
    body: bytes
    retry_after: float | None


class PostError(Exception):
    """Nothing usable came back; ``reason`` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REASONS = ("unreachable", "timeout", "tls", "proxy", "broken_answer")

Post = Callable[[bytes], Reply]


class _Watch:
    """Closes the sockets of one request when its time is up: a server that dribbles a byte a second ends too."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._over = threading.Event()

    def add(self, sock: socket.socket | None) -> None:
        if sock is None:
            return
        self._sockets.append(sock)
        if self._over.is_set():
            self.close()

    def close(self) -> None:
        self._over.set()
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed already

    @property
    def over(self) -> bool:
        return self._over.is_set()


class _Head:
    """A response's stream while its head is read: no more than MAX_HEAD bytes.

    http.client's own limit on header lines is a global of the process, and another library may have lifted it.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._left = MAX_HEAD

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self.stream.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            raise http.client.HTTPException(f"a head of more than {MAX_HEAD} bytes")
        return line

    def close(self) -> None:
        self.stream.close()


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        stream = self.fp
        head: Any = _Head(stream)
        self.fp = head
        try:
            super().begin()
        finally:
            if self.fp is head:  # begin() lets go of it where nothing follows
                self.fp = stream


def _watched(watch: _Watch) -> dict[str, type]:
    class Plain(HTTPConnection):
        response_class = _Response

        def connect(self) -> None:
            super().connect()
            watch.add(self.sock)

    class Secure(HTTPSConnection):
        response_class = _Response

        def connect(self) -> None:
            super().connect()
            watch.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Adapter(HTTPAdapter):
    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self._watch_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        self._watch_pools(manager)
        return manager

    def _watch_pools(self, manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = _watched(self._watch)


def post(
    url: str, body: bytes, *, headers: Mapping[str, str], proxy: str | None = None, total_s: float = TOTAL_S
) -> Reply:
    """POST ``body``; the reply whatever its status, or PostError. Redirects come back as they are, never followed."""
    watch = _Watch()
    session = requests.Session()
    session.trust_env = False  # the proxy is the caller's decision, and no .netrc is read
    session.mount("http://", _Adapter(watch))
    session.mount("https://", _Adapter(watch))
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    timer = threading.Timer(total_s, watch.close)
    timer.daemon = True
    timer.start()
    started = time.monotonic()
    try:
        with session.post(
            url,
            data=body,
            headers=dict(headers),
            timeout=(min(CONNECT_S, total_s), total_s),
            allow_redirects=False,
            stream=True,
        ) as answer:
            # The raw stream: an answer that unpacks to gigabytes is never unpacked.
            text = answer.raw.read(MAX_ANSWER, decode_content=False)
            reply = Reply(answer.status_code, text, retry_after(answer.headers.get("Retry-After")))
    except Exception as error:  # noqa: BLE001 - requests lets some of urllib3's and http.client's through as they are
        raise PostError(_reason(error, late=watch.over or time.monotonic() - started >= total_s)) from None
    finally:
        timer.cancel()
        session.close()
    if watch.over:  # the answer was cut by us, not ended by the server
        raise PostError("timeout")
    return reply


def retry_after(header: str | None) -> float | None:
    """Seconds asked for, cut to a day; None for none or for what is no number (dates are not honoured: clocks lie)."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return min(seconds, MAX_RETRY_AFTER_S) if seconds >= 0 else None


def _reason(error: Exception, *, late: bool) -> str:
    if late or isinstance(error, requests.Timeout):
        return "timeout"
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if isinstance(error, requests.ConnectionError) and "NewConnectionError" in repr(error):
        return "unreachable"
    if isinstance(error, requests.ConnectionError) and "NameResolution" in repr(error):
        return "unreachable"
    return "broken_answer"
