"""Between Granian and the application: slow senders hold up nobody but themselves.

Granian gives a request a thread as soon as its headers are there and bounds no body in time: as many senders that
dribble as there are threads would be the end of service. Here a body is read before its request takes one of the
places to work; how many are read at a time is bounded, so that threads remain for everybody else; and who takes too
long is cut off. Headers and idle connections have Granian's own time limit.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import struct
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

    Refusal = Callable[[StartResponse], Iterable[bytes]]

log = logging.getLogger(__name__)

# Requests wait for the commit they share, so more at work than cores make larger groups, not more work.
WORKING = 32
READING = 128
THREADS = WORKING + READING + 32
MAX_BODY = 6 * 2**20
"""More than any address takes: whoever is given this much refuses it."""
SWALLOWED = 16 * 2**20
"""Of a body that is too large so much is taken and thrown away: cut off before, its sender hears no refusal."""
LARGE = 2**20
LARGE_AT_A_TIME = 12
READ_SECONDS = 20.0
"""Less than the server waits for requests under way when it is stopped."""
CROWDED_READ_SECONDS = 5.0
"""Where half of the places for reading are taken, patience is shorter."""
LOOK_SECONDS = 1.0
RETRY_SECONDS = 5

# <linux/tcp.h>, struct tcp_info: milliseconds since this side sent data, or since the connection was made.
_LAST_DATA_SENT = 44
_TCP_INFO_BYTES = 104
_MY_FILES = Path("/proc/self/fd")


class _Places:
    """A semaphore that costs a crowd little: Python's own makes a lock for each who waits."""

    def __init__(self, number: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(number):
            self._free.put(None)

    def __enter__(self) -> None:
        self._free.get()

    def __exit__(self, *_: object) -> None:
        self._free.put(None)


class Gate:
    """`application` behind the gate; `clock` is monotonic, in seconds."""

    def __init__(self, application: WSGIApplication, clock: Callable[[], float] = time.monotonic) -> None:
        self._application, self._clock = application, clock
        self._places = _Places(WORKING)
        self._large = threading.Semaphore(LARGE_AT_A_TIME)
        self._reading: dict[int, float] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length == "0" and "HTTP_TRANSFER_ENCODING" not in environ:
            with self._places:
                return self._application(environ, start_response)
        stated = int(length) if length.isdecimal() and "HTTP_TRANSFER_ENCODING" not in environ else None
        if stated is not None and stated <= LARGE:
            return self._answer(environ, start_response, stated)
        if not self._large.acquire(blocking=False):
            return _busy(start_response)
        try:
            return self._answer(environ, start_response, stated)
        finally:
            self._large.release()

    def overdue(self) -> float | None:
        """The seconds that a body may be under way, if one has been for longer."""
        with self._lock:
            first, crowded = min(self._reading.values(), default=None), len(self._reading) > READING // 2
        patience = CROWDED_READ_SECONDS if crowded else READ_SECONDS
        return patience if first is not None and self._clock() - first > patience else None

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse, stated: int | None) -> Iterable[bytes]:
        refusal = self._take(environ, stated)
        if refusal is not None:
            return refusal(start_response)
        with self._places:
            return self._application(environ, start_response)

    def _take(self, environ: WSGIEnvironment, stated: int | None) -> Refusal | None:
        """Puts the body in the place of the stream, unless there is no room for it or it never comes."""
        me = threading.get_ident()
        with self._lock:
            if len(self._reading) >= READING:
                return _busy
            self._reading[me] = self._clock()
        try:
            wanted, stream = MAX_BODY if stated is None else min(stated, MAX_BODY), environ["wsgi.input"]
            body = stream.read(wanted)
            if len(body) == MAX_BODY and (stated is None or stated <= SWALLOWED):
                _swallow(stream)
        finally:
            with self._lock:
                del self._reading[me]
        if stated is not None and len(body) < wanted:
            return _cut_short
        environ["wsgi.input"] = io.BytesIO(body)
        return None


def _swallow(stream: InputStream) -> None:
    left = SWALLOWED - MAX_BODY
    while left > 0 and (piece := stream.read(min(left, 65536))):
        left -= len(piece)


def watch(gate: Gate, port: int) -> None:
    """Cut off who is overdue, for as long as the process lives. Only Linux tells how long a connection was silent."""
    while hasattr(socket, "TCP_INFO") and _MY_FILES.is_dir():
        time.sleep(LOOK_SECONDS)
        seconds = gate.overdue()
        if seconds is not None and (cut := cut_off(port, seconds)):
            log.warning("%s connections were cut: they sent too slowly", cut)


def cut_off(port: int, seconds: float) -> int:
    """Shut down this process's connections on `port` that have been answered nothing for so long; how many they were.

    Granian tells no request's connection. Those that send their bodies too slowly are among these; others are not,
    unless an answer takes as long.
    """
    cut = 0
    for file in list(_MY_FILES.iterdir()):
        with contextlib.suppress(OSError), contextlib.closing(_duplicate(int(file.name))) as connection:
            if connection.family not in {socket.AF_INET, socket.AF_INET6} or connection.getsockname()[1] != port:
                continue
            connection.getpeername()  # raises for the socket that listens
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            if struct.unpack_from("I", info, _LAST_DATA_SENT)[0] > seconds * 1000:
                connection.shutdown(socket.SHUT_RDWR)
                cut += 1
    return cut


def _duplicate(number: int) -> socket.socket:
    """A second hold on a connection; raises OSError for what is none."""
    copy = os.dup(number)
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _busy(start_response: StartResponse) -> Iterable[bytes]:
    headers = [("Retry-After", str(RETRY_SECONDS))]
    return _refuse(start_response, "503 Service Unavailable", "unavailable", "Too much at a time; try again.", headers)


def _cut_short(start_response: StartResponse) -> Iterable[bytes]:
    return _refuse(start_response, "400 Bad Request", "malformed", "The body is shorter than it says.", [])


def _refuse(
    start_response: StartResponse, status: str, code: str, error: str, headers: list[tuple[str, str]]
) -> Iterable[bytes]:
    body = orjson.dumps({"code": code, "error": error})
    common = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response(status, [*common, *headers])
    return [body]
