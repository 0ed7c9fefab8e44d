"""Hostile input at the running server: a clear answer within bounds, nothing kept that the plan does not allow."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import math
import random
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import flowforge_ui
from flowforge_ui.telemetry.identity import Pseudonyms
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.redact import Redactor
from tests.support.fire import (
    DEVICE,
    Admin,
    Answer,
    Sender,
    Stand,
    iso,
    memory,
    page_event,
    signed_in,
    stand,
    worker_pids,
)
from tests.support.process import Running
from tests.support.product import KEY, until

pytestmark = pytest.mark.slow
PLAN = Plan.load(Path(flowforge_ui.__file__).parent / "plan")
SECRET = "s3cr3t+t0ken"
"""Planted wherever a text can stand; afterwards it is nowhere. (No host may be called like that.)"""
MEMORY_MIB = 600
"""The most a server may grow by, whatever is thrown at it."""


@dataclass
class Target:
    there: Stand
    running: Running
    admin: Admin
    sender: Sender
    pids: list[int]
    memory: float
    chance: random.Random = field(default_factory=lambda: random.Random(17))

    def post(self, body: bytes, query: str = "", **headers: str) -> Answer:
        path = self.admin.capture + (f"?{query}" if query else "")
        return self.sender.post(body, {"Content-Type": "text/plain", **headers}, path)

    def raw(self, data: bytes, seconds: float = 20) -> bytes:
        """What comes back for these bytes, until the connection is closed or silent."""
        with socket.create_connection(("127.0.0.1", self.there.product.port), timeout=seconds) as connection:
            connection.sendall(data)
            return connection.recv(65536)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with (
        stand(tmp_path_factory.mktemp("hostile")) as there,
        there.serve() as running,
        signed_in(there.product.url) as admin,
        Sender(there.product.url, admin.capture) as sender,
    ):
        pids = worker_pids(running)
        yield Target(there, running, admin, sender, pids, memory(pids[0]))


def is_clear(answer: Answer) -> bool:
    """One of the few answers there are, in JSON, short, and without an echo of what was sent."""
    said = answer.json
    known = said == {"status": 1} if answer.status == 200 else set(said) == {"code", "error"}
    return (
        answer.status in {200, 400, 401, 413}
        and known
        and len(answer.body) < 500
        and SECRET.encode() not in answer.body
        and "access-control-allow-origin" not in answer.headers
    )


# Bodies

SPLINTERS = (
    b"NaN", b"-Infinity", b"1e999", b"-0.0", b"9" * 400, b'"\\ud800"', b'"\\udfff\\ud800"', b"\\u0000", b"\x00",
    b"\xff\xfe", b"\xef\xbb\xbf", b"[" * 3000, b'{"a":' * 3000, b"]" * 50, b'"event":"$identify",', b'"batch":[],',
    b'"api_key":"phc_other",', b'"token":null,', b'"properties":[],', b'"uuid":{},', b'"timestamp":1e400,',
    b'"$set":{"email":"' + SECRET.encode() + b'"},', b'"__proto__":{"a":1},', b"null", b"true", b",,", b"'", b"/**/",
)  # fmt: skip


def bodies(chance: random.Random) -> list[bytes]:
    """Well-formed ones in every shape an SDK sends, one of them with another's token."""
    event = page_event(chance, title=SECRET, **{"$current_url": f"http://127.0.0.1/?token={SECRET}"})
    shapes: list[Any] = [event, [event, page_event(chance)], {"api_key": KEY, "batch": [event], "sent_at": iso()}]
    shapes.append({"api_key": "phc_other", "batch": [event]})
    plain = [json.dumps(shape).encode() for shape in shapes]
    return [*plain, *map(gzip.compress, plain), *(b"data=" + base64.b64encode(each) for each in plain)]


def mutate(chance: random.Random, body: bytes) -> bytes:
    for _ in range(chance.randint(0, 4)):
        at, length = chance.randint(0, len(body)), chance.randint(0, 30)
        match chance.randint(0, 5):
            case 0:
                body = body[:at] + bytes([chance.randint(0, 255)]) + body[at + 1 :]
            case 1:
                body = body[:at]
            case 2:
                body = body[:at] + body[at + length :]
            case 3:
                body = body[:at] + body[at : at + length] * 3 + body[at:]
            case _:
                body = body[:at] + chance.choice(SPLINTERS) + body[at + chance.randint(0, 4) :]
    return body


def test_whatever_the_body_the_answer_is_clear(target: Target) -> None:
    chance = target.chance
    statuses: set[int] = set()
    for _ in range(60):
        for body in bodies(chance):
            mutated = mutate(chance, body)
            packed = chance.choice((mutated, mutated, gzip.compress(mutated), zlib.compress(mutated)))
            encoding = chance.choice(("", "", "gzip", "deflate", "br", "identity", "gzip, gzip", "\xff"))
            query = chance.choice(
                ("", "", "compression=gzip-js", "compression=base64", "ip=1&_=x&ver=%ff", "sent_at=é")
            )
            headers = {"Content-Encoding": encoding} if encoding else {}
            answer = target.post(packed, query.encode("ascii", "replace").decode(), **headers)
            assert is_clear(answer), (answer, packed)
            statuses.add(answer.status)
    assert statuses >= {200, 400, 401}


WRONG: tuple[Any, ...] = (
    None, True, -1, 0.5, 10**30, 1e308, "", SECRET, SECRET * 1000, "<script>", "\ud800" + SECRET, "\u2028",
    f"https://evil.example/{SECRET}?{SECRET}#{SECRET}", f"u_{SECRET}", [SECRET], {"a": SECRET}, float("nan"),
)  # fmt: skip


def test_a_wrong_value_in_any_property_stays_out(target: Target) -> None:
    definition = PLAN.events["$pageview"]
    names = [*definition.properties, *PLAN.common, *PLAN.sdk, "$set", "$set_once", "$groups", "$ip", "email", SECRET]
    events = []
    for name in names:
        for wrong in WRONG:
            event = page_event(target.chance)
            event["properties"][name] = wrong
            events.append(event)
    outer = ["event", "uuid", "timestamp", "offset", "sent_at", "distinct_id", "$set", "properties", "type", "ip"]
    for name in outer:
        events += [{**page_event(target.chance), name: wrong} for wrong in WRONG]
    for start in range(0, len(events), 500):
        body = {"api_key": KEY, "batch": events[start : start + 500]}
        answer = target.post(json.dumps(body).encode())
        assert answer.status in {200, 401}  # `token` is a name, too
        assert is_clear(answer)


def test_an_event_years_off_is_put_right_or_dropped(target: Target) -> None:
    times = ["1970-01-01T00:00:00Z", "2035-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00", iso(-86400)]
    times += ["+275760-09-13T00:00:00Z", "yesterday", "2026-02-30T00:00:00Z", iso(3e8), iso(-3e8), "1" * 13, "9" * 15]
    offsets: list[Any] = [None, 0, -(10**12), 10**12, 10**14, 1e300, float("inf"), "5", True]
    for sent_at in (None, *times):
        events = [
            {**page_event(target.chance), "timestamp": when, "offset": offset} for when in times for offset in offsets
        ]
        body = {"api_key": KEY, "batch": events, "sent_at": sent_at}
        assert target.post(json.dumps(body).encode()).status == 200


# Sizes


def bomb(size: int, inside: bytes = b"[") -> bytes:
    return gzip.compress(inside * size, 9)


def test_what_is_too_large_is_refused_within_bounds(target: Target) -> None:
    many = json.dumps({"api_key": KEY, "batch": [{"event": "$pageview"}] * 10_000}).encode()
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (b"x" * 10_000_000, {}, 413),
        (b"x" * (5 * 2**20 + 1), {}, 413),
        (bomb(12_000_000), {}, 413),
        (bomb(200_000_000, b"\0"), {"Content-Encoding": "gzip"}, 413),
        (zlib.compress(b" " * 50_000_000), {"Content-Encoding": "deflate"}, 413),
        (gzip.compress(bomb(100_000_000)), {}, 400),
        (b"data=" + base64.b64encode(bomb(50_000_000)), {}, 413),
        (gzip.compress(b"data=" + base64.b64encode(bomb(50_000_000))), {}, 413),
        (gzip.compress(b"[" * 9_000_000), {}, 413),
        (gzip.compress(b"[" + b"[]," * 3_000_000 + b"[]]"), {}, 413),
        (gzip.compress(b'{"a":' * 1_000_000), {}, 413),
        (gzip.compress(b'{"a":' * 100_000), {}, 400),
        (b"[" * 100_000, {}, 400),
        (many, {}, 413),
        (gzip.compress(many), {}, 413),
    ]
    for body, headers, status in cases:
        answer = target.post(body, **headers)
        assert (answer.status, is_clear(answer)) == (status, True), (status, answer, len(body))


def test_many_bombs_at_once_do_not_fill_the_memory(target: Target) -> None:
    body = gzip.compress(b"[" + b"[]," * 3_000_000 + b"[]]")
    statuses: list[int] = []

    def throw() -> None:
        with Sender(target.there.product.url, target.admin.capture) as sender:
            statuses.append(sender.post(body).status)

    threads = [threading.Thread(target=throw) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {413, 503}
    assert len(statuses) == len(threads)
    assert memory(target.pids[0], "VmHWM") < target.memory + MEMORY_MIB


def test_a_body_without_end_is_cut(target: Target) -> None:
    port, path = target.there.product.port, target.admin.capture
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        try:
            while sent < 100 * 2**20:
                connection.sendall(piece)
                sent += 65536
        except OSError:
            pass
        assert sent < 50 * 2**20


def test_a_body_shorter_than_it_says_is_not_taken(target: Target) -> None:
    body = json.dumps(page_event(target.chance, title=SECRET)).encode()
    head = f"POST {target.admin.capture} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body) + 10}\r\n\r\n".encode()
    before = target.admin.status().sent
    with socket.create_connection(("127.0.0.1", target.there.product.port), timeout=20) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(4096)[:12] in {b"", b"HTTP/1.1 400"}
    assert target.admin.status().sent == before


# Who, where, how


def test_only_this_platforms_key_is_taken(target: Target) -> None:
    def answer(**tokens: Any) -> tuple[int, str]:
        event = page_event(target.chance)
        del event["properties"]["token"]
        said = target.post(json.dumps({**tokens, "batch": [event]}).encode())
        assert is_clear(said)
        return said.status, said.json["code"]

    before = target.admin.status()
    assert answer() == (401, "no_token")
    assert answer(api_key="phx_" + SECRET) == (401, "personal_key")
    for token in ("phc_other", SECRET, KEY + "x", KEY.upper(), "\ud800", "x" * 100_000, KEY + "\0"):
        assert answer(api_key=token) == (401, "unknown_token")
    for none in (None, 7, ["x"], {"a": KEY}, ""):
        assert answer(token=none) == (401, "no_token")
    assert target.admin.status().sent == before.sent


def test_nobody_speaks_for_another(target: Target) -> None:
    person, chance = target.admin.person, target.chance
    real = person["ticket"]
    forged = ["", "x", real[:-1], real + "A", real[::-1], real.swapcase(), SECRET, "." * 500, "\ud800"]
    for at in range(0, len(real), 3):
        other = "A" if real[at] != "A" else "B"
        forged.append(real[:at] + other + real[at + 1 :])
    another = Pseudonyms(b"the secret of another installation")
    from flowforge_ui.telemetry.event import utc_now

    forged.append(another.ticket(person["distinct_id"], utc_now()))
    events = [page_event(chance, distinct_id=person["distinct_id"], ticket=ticket) for ticket in forged]
    events += [page_event(chance, distinct_id=who, ticket=real) for who in ("u_" + "a" * 26, SECRET, "root")]
    events += [page_event(chance, distinct_id=person["distinct_id"])]
    before = target.admin.status().dropped.get("identity_unproven", 0)
    assert target.sender.batch(events).status == 200
    # A change in the last character of base64 may say the same; nothing else may.
    assert target.admin.status().dropped["identity_unproven"] - before >= len(events) - 1


def test_other_paths_and_methods_have_their_answers(target: Target) -> None:
    prefix = target.admin.capture.removesuffix("/e/")
    event = json.dumps(page_event(target.chance)).encode()

    def status(method: str, path: str) -> int:
        return target.sender.post(event, {}, path, method).status

    assert [status("POST", prefix + path) for path in ("/e", "/i/v0/e/", "/batch", "", "/", "//e//")] == [200] * 6
    assert [status("POST", prefix + path) for path in ("/s/", "/e/x", "/../api", "/%2e%2e/", "/%ff", "/e%00")] == [
        404
    ] * 6
    assert [status(method, prefix + "/e/") for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD")] == [405] * 5
    assert status("OPTIONS", prefix + "/e/") == 204
    assert status("POST", prefix[:-1] + "/e/") in {404, 405}
    assert status("POST", "/" + "x" * 5000) in {404, 405}
    assert target.sender.post(b"", path="/healthz", method="GET").status == 200


BROKEN = (
    b"*\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + b"\r\n",
    b"GET /?%00%ff&" + b"a" * 90_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
)  # fmt: skip


def test_what_is_no_http_is_refused_and_forgotten(target: Target) -> None:
    for data in BROKEN:
        try:
            answer = target.raw(data)
        except ConnectionError:
            answer = b""
        assert answer[:10] in {b"", b"HTTP/1.1 4", b"HTTP/1.0 4"}, (data[:60], answer[:60])
    assert target.admin.status().sent > 0


# Slowly


def test_slow_senders_hold_up_nobody_but_themselves(target: Target) -> None:
    port, path = target.there.product.port, target.admin.capture
    body = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n".encode() + b'{"api_key'
    chunked = f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe".encode()
    slow: list[socket.socket] = []

    def connect(count: int, data: bytes) -> None:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            slow.append(connection)
            connection.sendall(data)

    try:
        connect(200, b"")
        connect(100, b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow")
        connect(10, chunked)
        connect(40, body)
        for _ in range(3):
            assert target.sender.batch([page_event(target.chance)]).status == 200
            assert target.admin.session.get(f"{target.admin.url}/", timeout=20).status_code == 200
        connect(250, body)
        assert target.admin.session.get(f"{target.admin.url}/api/v1/user", timeout=20).status_code == 200
        until(lambda: _dribble(slow) or _is_taken(target), 60)
        until(lambda: not _dribble(slow), 90)
    finally:
        for connection in slow:
            connection.close()


def _dribble(slow: list[socket.socket]) -> list[socket.socket]:
    """A byte more on each; those that are still open."""
    still_open = []
    for connection in slow:
        try:
            connection.send(b"x")
            connection.setblocking(False)
            if connection.recv(4096):
                continue
        except BlockingIOError:
            still_open.append(connection)
        except OSError:
            continue
    time.sleep(0.2)
    return still_open


def _is_taken(target: Target) -> bool:
    try:
        return target.sender.batch([page_event(target.chance)]).status == 200
    except (OSError, http.client.HTTPException):
        return False


# And afterwards


def test_afterwards_only_what_the_plan_allows_is_kept(target: Target) -> None:
    """Stops the server; the last test here."""

    def is_settled() -> bool:
        status = target.admin.status()
        return not any(status.channel(name)["pending"] for name in ("local", "posthog"))

    until(is_settled, 120)
    assert target.sender.post(b"", path="/healthz", method="GET").status == 200
    assert worker_pids(target.running) == target.pids
    assert memory(target.pids[0], "VmHWM") < target.memory + MEMORY_MIB
    person = target.admin.person["distinct_id"]
    status = target.admin.status()
    assert (status.channel("local")["failed"], status.channel("posthog")["failed"]) == (0, 0)
    assert target.running.stop() == 0

    with target.there.log() as log:
        rows = log.execute(
            "SELECT event, distinct_id, timestamp, recorded_at, origin, properties FROM outbox"
        ).fetchall()
    assert len(rows) == status.accepted > 500
    redactor = Redactor(PLAN, target.there.product.url)
    for name, distinct_id, timestamp, recorded_at, origin, text in rows:
        properties = json.loads(text)
        _is_planned(name, origin, properties)
        assert distinct_id in {DEVICE, person}
        assert -6 * 86_400_000 <= timestamp - recorded_at <= 23 * 3_600_000
        if origin == "browser":
            kept = redactor.clean(name, properties).properties
            assert kept.items() <= properties.items()
    stored = target.there.events_stored()
    assert {row["event"] for row in stored.values()} <= PLAN.events.keys()
    for row in stored.values():
        _is_planned(row["event"], row["origin"], json.loads(row["properties"] or "{}"))
    assert [text for *_, text in rows if SECRET in text] == []
    files = [path for path in target.there.product.home.rglob("*") if path.is_file()]
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []


def _is_planned(name: str, origin: str, properties: dict[str, Any]) -> None:
    definition = PLAN.events[name]
    allowed = {**PLAN.common, **definition.properties, **(PLAN.sdk if definition.sdk else {})}
    assert definition.side == origin
    assert properties.keys() <= allowed.keys()
    for value in properties.values():
        assert isinstance(value, str | int | float | bool)
        assert not isinstance(value, float) or math.isfinite(value)
        assert not isinstance(value, str) or len(value) <= 1000
