"""A dead, slow, redirecting, lying or endless collector: each post ends in time, with a reason."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import resource
import socket
import threading
import time
from typing import Any

import pytest

from flowforge_ui.telemetry.post import CONNECT_S, MAX_ANSWER, TOTAL_S, PostError, Reply, post, retry_after
from tests.support.hostile import Behaviour, answer, dribble, flood, hang, hostile, raw


def send(url: str, *, proxy: str | None = None, total_s: float = 1.0) -> Reply:
    return post(url, b'{"a":1}', headers={"Content-Type": "application/json"}, proxy=proxy, total_s=total_s)


def test_what_is_posted_and_nothing_more() -> None:
    with hostile(answer("202 Accepted", b'{"receipt":"x"}', "Set-Cookie: a=b")) as server:
        assert send(server.url) == Reply(202, b'{"receipt":"x"}', None)
        send(server.url)

    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert head.startswith(b"POST /ping HTTP/1.1\r\n")
    assert b"cookie" not in head.lower()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://127.0.0.1:9/", "https://example.org/", "//elsewhere"])
def test_redirects_come_back_as_they_are(target: str) -> None:
    for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
        with hostile(answer(status, b"", f"Location: {target}")) as server:
            assert send(server.url).status == int(status[:3])
        assert len(server.requests) == 1


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (hang(), "timeout"),
        (dribble(OK, b"X-Slow: 1\r\n"), "timeout"),
        (dribble(OK + b"Content-Length: 1000000\r\n\r\n"), "timeout"),
        (dribble(b"HTTP/1.1 ", b"2"), "timeout"),
        (raw(b""), "broken_answer"),
        (raw(b"hello\r\n\r\n"), "broken_answer"),
        (raw(b"\x00" * 100), "broken_answer"),
        (flood(OK, b"X: " + b"y" * 60_000 + b"\r\n", limit=300), "broken_answer"),
    ],
    ids=[
        "hangs",
        "slow headers",
        "slow body",
        "slow status",
        "closes at once",
        "no HTTP",
        "noughts",
        "endless headers",
    ],
)
def test_each_ends_in_time_and_says_why(behaviour: Behaviour, reason: str) -> None:
    started = time.monotonic()
    with hostile(behaviour) as server, pytest.raises(PostError) as caught:
        send(server.url, total_s=1.0 if reason == "timeout" else 20.0)
    assert caught.value.reason == reason
    assert time.monotonic() - started < 20  # the server would go on for ever


@pytest.mark.parametrize("told", [OK, b"HTTP/1.1 200 OK\r\nX: ", b""], ids=["headers", "a line", "nothing"])
def test_a_proxy_that_dribbles_before_there_is_a_connection_ends_in_time_too(told: bytes) -> None:
    with hostile(dribble(told)) as proxy, pytest.raises(PostError) as caught:
        send("https://collector.invalid/ping", proxy=f"http://127.0.0.1:{proxy.port}", total_s=0.5)
    assert caught.value.reason == "timeout"


def test_a_handshake_that_dribbles_ends_in_time_too() -> None:
    record = b"\x16\x03\x03\x40\x00"  # of 16 KiB, a byte now and then
    with hostile(dribble(record)) as server, pytest.raises(PostError) as caught:
        send(server.url.replace("http://", "https://"), total_s=0.5)
    assert caught.value.reason == "timeout"


def test_addresses_that_do_not_answer_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty of them: where each had the time for itself this would take half a minute."""
    tried: list[object] = []
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # as many as nobody takes
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())

        def many(*asked: object) -> list[tuple[Any, ...]]:
            tried.append(asked[0])
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())] * 60

        monkeypatch.setattr(socket, "getaddrinfo", many)
        started = time.monotonic()
        with pytest.raises(PostError) as caught:
            send("http://many.invalid/ping", total_s=0.5)
    assert (caught.value.reason, tried) == ("timeout", ["many.invalid"])
    assert time.monotonic() - started < 20


def test_a_resolver_that_takes_too_long_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    leave, left = threading.Event(), threading.Event()

    def slow(*_: object) -> list[tuple[Any, ...]]:
        leave.wait(30)
        left.set()
        raise socket.gaierror(-3, "later")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(PostError) as caught:
        send("http://slow.invalid/ping", total_s=0.5)
    assert (caught.value.reason, left.is_set()) == ("timeout", False)
    leave.set()
    assert left.wait(10)


def test_endless_headers_end_even_where_a_library_has_lifted_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.client, "_MAXHEADERS", 10**9)  # the ClickHouse driver does so, to 10 000
    endless = flood(OK, b"X: " + b"y" * 60_000 + b"\r\n", limit=300)
    with hostile(endless) as server, pytest.raises(PostError) as caught:
        send(server.url, total_s=20)
    assert caught.value.reason == "broken_answer"


def test_an_answer_cut_half_way_still_has_its_status() -> None:
    with hostile(raw(OK + b'Content-Length: 100\r\n\r\n{"rec')) as server:
        assert send(server.url) == Reply(200, b'{"rec', None)


@pytest.mark.parametrize("encoding", [b"", b"Content-Encoding: gzip\r\n"])
def test_a_gigabyte_is_cut(encoding: bytes) -> None:
    chunk = gzip.compress(b"0" * 10_000_000) if encoding else b"x" * 65536
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hostile(flood(OK + encoding + b"Content-Length: 1073741824\r\n\r\n", chunk)) as server:
        reply = send(server.url, total_s=5)
    assert len(reply.body) == MAX_ANSWER
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(PostError) as caught:
            send(url)
    assert caught.value.reason == "unreachable"


def test_a_name_that_is_none() -> None:
    with pytest.raises(PostError) as caught:
        send("http://no-such-host.invalid/")
    assert caught.value.reason == "unreachable"


def test_tls_that_is_none() -> None:
    with hostile(answer("200 OK")) as server, pytest.raises(PostError) as caught:
        send(server.url.replace("http://", "https://"))
    assert caught.value.reason == "tls"


def test_the_proxy_is_used_for_plain_and_for_tls() -> None:
    with hostile(answer("202 Accepted"), answer("403 Forbidden")) as proxy:
        assert send("http://collector.invalid/ping", proxy=f"http://127.0.0.1:{proxy.port}").status == 202
        with pytest.raises(PostError) as caught:
            send("https://collector.invalid/ping", proxy=f"http://127.0.0.1:{proxy.port}")

    assert proxy.requests[0].startswith(b"POST http://collector.invalid/ping HTTP/1.1\r\n")
    assert proxy.requests[1].startswith(b"CONNECT collector.invalid:443 HTTP/1.")
    assert caught.value.reason == "proxy"


def test_the_environment_s_proxy_is_not_read_behind_the_caller_s_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with hostile(answer("200 OK")) as server:
        assert send(server.url).status == 200


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        ("0", 0.0),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("inf", 86400.0),
        ("1e9", 86400.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_no_thread_stays_behind() -> None:
    before = threading.active_count()
    with hostile(dribble(OK + b"Content-Length: 1000000\r\n\r\n")) as server, pytest.raises(PostError):
        send(server.url)
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.02)
    assert threading.active_count() <= before


def test_the_times_that_are_promised() -> None:
    assert (CONNECT_S, TOTAL_S) == (5.0, 10.0)
