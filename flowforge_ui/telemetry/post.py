"""One HTTP POST that cannot harm the platform: bounded in time and size, no redirects, no cookies, proxy honoured."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager
from urllib3.util.connection import allowed_gai_family

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
    """The time of one request: for names and connections, and in all.

    When it is up the sockets are shut down, so that a server, or a proxy, that dribbles a byte a second ends too.
    """

    def __init__(self, total_s: float) -> None:
        now = time.monotonic()
        self._until, self._connected_until = now + total_s, now + min(CONNECT_S, total_s)
        self._sockets: list[socket.socket] = []
        self._over = threading.Event()
        self._timer = threading.Timer(total_s, self._close)
        self._timer.daemon = True
        self._timer.start()

    def connect(self, host: str, port: int, options: Sequence[tuple[Any, ...]]) -> socket.socket:
        """A connection to the first of the host's addresses that takes one; TimeoutError when its time is up."""
        failed: OSError | None = None
        for family, kind, protocol, _, address in _resolve(host, port, self._left_to_connect()):
            sock = socket.socket(family, kind, protocol)
            try:
                for each in options:
                    sock.setsockopt(*each)
                sock.settimeout(self._left_to_connect())
                sock.connect(address)
            except OSError as error:
                sock.close()
                failed = error
            else:
                # One of our own: TLS takes the other one away from whoever holds it.
                self._sockets.append(sock.dup())
                if self._over.is_set():
                    self._close()
                return sock
        raise failed or OSError("no address")

    def _left_to_connect(self) -> float:
        left = self._connected_until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _close(self) -> None:
        self._over.set()
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed already

    def end(self) -> None:
        """The request is over."""
        self._timer.cancel()
        for each in self._sockets:
            each.close()

    @property
    def cut(self) -> bool:
        """Whether what was read last was ended by us."""
        return self._over.is_set()

    @property
    def over(self) -> bool:
        return self.cut or time.monotonic() >= self._until


def _resolve(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    """The host's addresses. A resolver cannot be interrupted: one that takes too long is left to itself."""
    answers: SimpleQueue[list[tuple[Any, ...]] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="core ping resolver", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


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


def _connect(watch: _Watch, of: HTTPConnection) -> socket.socket:
    """What urllib3 does, within the time there is."""
    try:
        sock = watch.connect(of._dns_host.strip("[]"), of.port, of.socket_options or ())  # noqa: SLF001 - the name as given
    except socket.gaierror as error:
        raise NameResolutionError(of.host, of, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(of, "not connected in time") from error
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(of, f"not connected: {error}") from error
    sock.settimeout(of.timeout if isinstance(of.timeout, float) else None)
    return sock


def _watched(watch: _Watch) -> dict[str, type]:
    class Plain(HTTPConnection):
        response_class = _Response

        def _new_conn(self) -> socket.socket:
            return _connect(watch, self)

    class Secure(HTTPSConnection):
        response_class = _Response

        def _new_conn(self) -> socket.socket:
            return _connect(watch, self)

        def _tunnel(self) -> None:
            super()._tunnel()
            if watch.cut:  # it takes an answer that was cut for a whole one
                raise TimeoutError

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
    watch = _Watch(total_s)
    session = requests.Session()
    session.trust_env = False  # the proxy is the caller's decision, and no .netrc is read
    session.mount("http://", _Adapter(watch))
    session.mount("https://", _Adapter(watch))
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
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
        raise PostError(_reason(error, late=watch.over)) from None
    finally:
        watch.end()
        session.close()
    if watch.cut:  # the answer was cut by us, not ended by the server
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
