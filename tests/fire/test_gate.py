"""The gate alone, with bodies that come when a test says so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from flowforge_ui.cli.gate import (
    CROWDED_READ_SECONDS,
    LARGE,
    LARGE_AT_A_TIME,
    LOOK_SECONDS,
    MAX_BODY,
    READ_SECONDS,
    READING,
    SWALLOWED,
    WORKING,
    Gate,
    cut_off,
)
from flowforge_ui.cli.serving import STOP_SECONDS
from tests.support.product import until


class Body:
    """A stream that gives what it has once `arrived` is set."""

    def __init__(self, content: bytes = b"", *, arrived: bool = True) -> None:
        self.content, self.arrived = content, threading.Event()
        self.asked = 0
        if arrived:
            self.arrived.set()

    def read(self, size: int) -> bytes:
        self.asked += size
        assert self.arrived.wait(30)
        part, self.content = self.content[:size], self.content[size:]
        return part


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read(2 * MAX_BODY)]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ask(gate: Gate, body: Body, length: int | None = 0) -> tuple[str, bytes]:
    """`length` None: the request is chunked."""
    said: list[str] = []
    stated = {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": str(length)}
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "wsgi.input": body, **stated}

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        said.append(" ".join([status, *(value for name, value in headers if name == "Retry-After")]))
        return said.append  # type: ignore[return-value]

    answer = b"".join(gate(environ, start))
    return said[0], answer


@pytest.fixture
def crowd() -> Iterator[Callable[[Gate, int, int], list[Body]]]:
    """Sends bodies that do not arrive, each in a thread of its own; at the end they do."""
    threads: list[threading.Thread] = []
    bodies: list[Body] = []

    def send(gate: Gate, count: int, length: int) -> list[Body]:
        new = [Body(b"x" * min(length, 10), arrived=False) for _ in range(count)]
        bodies.extend(new)
        for body in new:
            threads.append(threading.Thread(target=ask, args=(gate, body, length)))
            threads[-1].start()
        until(lambda: all(body.asked for body in new))
        return new

    yield send
    for body in bodies:
        body.arrived.set()
    for thread in threads:
        thread.join()


def test_the_application_gets_the_whole_body(clock: Clock) -> None:
    gate = Gate(echo, clock)
    assert ask(gate, Body(b"abc"), 3) == ("200 OK", b"abc")
    assert ask(gate, Body(b"abc"), None) == ("200 OK", b"abc")
    assert ask(gate, Body(b"x" * LARGE * 2), LARGE * 2) == ("200 OK", b"x" * LARGE * 2)


def test_a_body_that_ends_early_is_refused(clock: Clock) -> None:
    status, answer = ask(Gate(echo, clock), Body(b"abc"), 4)
    assert (status, answer) == ("400 Bad Request", b'{"code":"malformed","error":"The body is shorter than it says."}')


def test_who_reads_takes_no_place_from_who_works(clock: Clock, crowd: Callable[[Gate, int, int], list[Body]]) -> None:
    gate = Gate(echo, clock)
    crowd(gate, WORKING + 5, 10)
    assert ask(gate, Body()) == ("200 OK", b"")
    assert ask(gate, Body(b"abc"), 3) == ("200 OK", b"abc")


def test_only_so_many_read_at_a_time(clock: Clock, crowd: Callable[[Gate, int, int], list[Body]]) -> None:
    gate = Gate(echo, clock)
    bodies = crowd(gate, READING, 10)
    assert ask(gate, Body(b"abc"), 3)[0] == "503 Service Unavailable 5"
    assert ask(gate, Body()) == ("200 OK", b"")
    bodies[0].arrived.set()
    until(lambda: ask(gate, Body(b"abc"), 3)[0] == "200 OK")


def test_only_a_few_large_bodies_at_a_time(clock: Clock, crowd: Callable[[Gate, int, int], list[Body]]) -> None:
    gate = Gate(echo, clock)
    crowd(gate, LARGE_AT_A_TIME, LARGE + 1)
    assert ask(gate, Body(b"x" * LARGE * 2), LARGE * 2)[0] == "503 Service Unavailable 5"
    assert ask(gate, Body(b"abc"), None)[0] == "503 Service Unavailable 5"
    assert ask(gate, Body(b"abc"), 3) == ("200 OK", b"abc")


def test_patience_is_shorter_in_a_crowd(clock: Clock, crowd: Callable[[Gate, int, int], list[Body]]) -> None:
    gate = Gate(echo, clock)
    assert gate.overdue() is None
    crowd(gate, 3, 10)
    clock.now = READ_SECONDS
    assert gate.overdue() is None
    clock.now = READ_SECONDS + 1
    assert gate.overdue() == READ_SECONDS
    crowd(gate, READING // 2, 10)
    assert gate.overdue() == CROWDED_READ_SECONDS


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux tells how long a connection was silent")
def test_only_the_silent_connections_of_that_port_are_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as other:
        pairs = []
        for server in (ours, other):
            client = socket.create_connection(server.getsockname())
            pairs.append((client, server.accept()[0]))
        port = ours.getsockname()[1]
        assert cut_off(port, 60) == 0
        until(lambda: cut_off(port, 0.001))
        (cut, _), (spared, served) = pairs
        cut.settimeout(20)
        assert cut.recv(1) == b""
        served.send(b"x")
        assert spared.recv(1) == b"x"
        for client, accepted in pairs:
            client.close()
            accepted.close()


def test_a_server_that_is_stopped_waits_for_no_slow_sender_until_it_is_killed() -> None:
    assert READ_SECONDS + LOOK_SECONDS < STOP_SECONDS


@pytest.mark.parametrize("stated", [True, False])
def test_a_body_that_is_too_large_is_taken_whole_so_that_its_sender_hears_why(*, stated: bool) -> None:
    body = Body(b"x" * (MAX_BODY + 100_000))
    assert ask(Gate(echo), body, len(body.content) if stated else None) == ("200 OK", b"x" * MAX_BODY)
    assert body.content == b""


@pytest.mark.parametrize("stated", [True, False])
def test_but_not_for_ever(*, stated: bool) -> None:
    body = Body(b"x" * (SWALLOWED + 100_000))
    assert ask(Gate(echo), body, len(body.content) if stated else None)[0] == "200 OK"
    assert len(body.content) == (SWALLOWED + 100_000 - MAX_BODY if stated else 100_000)
