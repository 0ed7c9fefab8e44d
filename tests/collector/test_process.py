"""The collector as a process of its own: killed under load it loses nothing, and an address is nowhere."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from flowforge_ui.collector.ping import receipt_of
from flowforge_ui.collector.store import PingStore
from tests.collector.test_spool import everything_in
from tests.support.collector import PLAN
from tests.support.ports import free_port
from tests.support.process import Running, flowforge

# Each marker is searched for in every spelling it could be kept in.
MARKERS = {
    "203.0.113.201": [b"203.0.113.201", bytes([203, 0, 113, 201])],
    "2001:db8:dead:beef::77": [b"2001:db8:dead:beef", b"2001:0db8:dead:beef", bytes.fromhex("20010db8deadbeef")],
    "::ffff:198.51.100.202": [b"198.51.100.202", bytes([198, 51, 100, 202])],
    "not-an-address-MARK9": [b"not-an-address-MARK9"],
}
# What no proxy stands before comes from the socket's own address.
SOCKET = "127.77.66.55"
SECRET = "a-secret-of-this-test"


@contextlib.contextmanager
def collector(home: Path, **settings: object) -> Iterator[Running]:
    port = free_port()
    lines = [f"home: {home / 'var'}", "trusted_proxies: [127.0.0.0/8]", "collector:", f"  port: {port}"]
    lines += [f"  {key}: {json.dumps(value)}" for key, value in settings.items()]
    home.mkdir(exist_ok=True)
    (home / "flowforge.yml").write_text("\n".join(lines))
    with flowforge("collector", "run", cwd=home, url=f"http://127.0.0.1:{port}") as running:
        yield running


@contextlib.contextmanager
def mounted(home: Path) -> Iterator[Running]:
    """The same below a platform's `/collector`; nobody has set the platform up."""
    port = free_port()
    ours = {"mount": True, "public": True}
    settings = {"home": str(home / "var"), "port": port, "trusted_proxies": ["127.0.0.0/8"], "collector": ours}
    (home / "flowforge.yml").write_text(json.dumps({**settings, "telemetry": {"enabled": False}}))
    with flowforge("run", cwd=home, url=f"http://127.0.0.1:{port}") as running:
        yield Running(running.process, f"{running.url}/collector", running.log)


def body(instance: str, seq: int, **envelope: object) -> bytes:
    envelope |= {"period": period(seq), "seq": seq}
    return json.dumps({"instanceId": instance, "envelope": envelope}).encode()


def period(seq: int) -> str:
    return f"2026-11-23T10-{seq:08x}"


def request(running: Running, method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None) -> int:
    place = urlsplit(running.url)
    source = ((headers or {}).pop("from", "127.0.0.1"), 0)
    connection = http.client.HTTPConnection(place.netloc, timeout=10, source_address=source)
    try:
        connection.request(method, f"{place.path}{path}", data, headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize("away", [False, True], ids=["database there", "database away halfway"])
def test_every_acknowledged_ping_outlives_a_kill_under_load(tmp_path: Path, away: bool) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()

    def load(running: Running, worker: int) -> None:
        seq = 0
        while not stop.is_set():
            seq += 1
            instance = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{worker}-{seq}"))
            with contextlib.suppress(OSError, http.client.HTTPException):
                if request(running, "POST", "/ping", body(instance, seq)) == 202:
                    acknowledged.append(receipt_of(instance, period(seq)))

    for round_number in range(3):
        with collector(tmp_path) as running:
            stop.clear()
            workers = [threading.Thread(target=load, args=(running, round_number * 10 + n)) for n in range(6)]
            for each in workers:
                each.start()
            time.sleep(0.75)
            if away and round_number == 1:
                _break_the_database(tmp_path)
            time.sleep(0.75)
            running.kill()
            stop.set()
            for each in workers:
                each.join()

    store = PingStore(f"sqlite:///{tmp_path / 'var' / 'collector.db'}", PLAN)
    with store.reading() as tx:
        tables = {"ping_raw", "away"} & set(sa.inspect(tx).get_table_names())
        held = {each for table in tables for each in tx.execute(sa.text(f"SELECT receipt FROM {table}")).scalars()}
    store.close()
    assert ("away" in tables) is away
    spooled = everything_in(tmp_path / "var" / "collector-spool")
    assert len(acknowledged) > 100
    assert set(acknowledged) - held - spooled == set()


@pytest.mark.parametrize("alone", [True, False], ids=["on its own", "mounted"])
def test_an_address_is_nowhere_on_disk_and_in_no_line_printed(tmp_path: Path, alone: bool) -> None:
    with collector(tmp_path, public=True) if alone else mounted(tmp_path) as running:
        for number, marker in enumerate(MARKERS):
            for headers in (
                {"X-Forwarded-For": marker},
                {"X-Forwarded-For": f"{marker}, 10.9.8.7"},
                {"Forwarded": f'for="{marker}"'},
            ):
                _everything(running, headers, number)
        _everything(running, {"from": SOCKET}, 90)
        limited = [_access(running, {"X-Forwarded-For": next(iter(MARKERS))}) for _ in range(11)]
        assert limited[-1] == 429
        _break_the_database(tmp_path)
        for number, marker in enumerate(MARKERS):
            _everything(running, {"X-Forwarded-For": marker}, 100 + number)
        assert request(running, "GET", "/fleet.json", b"", _reader(tmp_path)) == 200
        on_disk = [path for path in tmp_path.rglob("*") if path.is_file()]
        held = {path: path.read_bytes() for path in on_disk}
        assert running.stop() == 0
    held |= {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert any(path.parent.name == "collector-spool" for path in held)
    assert running.log in held
    for spellings in (*MARKERS.values(), [SOCKET.encode(), bytes(map(int, SOCKET.split(".")))]):
        for spelling in spellings:
            assert [path.name for path, content in held.items() if spelling in content] == []


def _everything(running: Running, headers: dict[str, str], number: int) -> None:
    """Success and every kind of refusal, from one address."""
    instance = str(uuid.uuid4())
    good = body(instance, number, secretHash=hashlib.sha256(SECRET.encode()).hexdigest())
    assert request(running, "POST", "/ping", good, {**headers}) in {202, 200}
    assert request(running, "POST", "/", good, {**headers}) in {202, 200}
    assert request(running, "POST", "/bundle", good + b"\n{\n", {**headers}) == 200
    owner = {**headers, "Authorization": f"Bearer {SECRET}"}
    for method in ("GET", "DELETE"):
        request(running, method, f"/installations/{instance}", b"", {**owner})
    _no_http(running, headers)
    for data, more, status in (
        (b"{", {}, 400),
        (b"\xff", {}, 400),
        (b'{"instanceId": NaN}', {}, 400),
        (b"x" * 70_000, {}, 413),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
        (b"{}", {"Content-Type": "text/plain; charset=utf-16"}, 415),
    ):
        assert request(running, "POST", "/ping", data, {**headers, **more}) == status
    for method, path in (
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/nowhere"),
        ("GET", "/assets/nothing.js"),
        ("GET", "/healthz"),
        ("PUT", "/ping"),
        ("GET", "/fleet.json"),
        ("GET", "/public.json"),
    ):
        request(running, method, path, b"", {**headers})
    _access(running, headers)
    request(running, "DELETE", f"/installations/{uuid.uuid4()}", b"", {**headers, "Authorization": "Bearer x"})


def _access(running: Running, headers: dict[str, str]) -> int:
    return request(running, "POST", "/access", b'{"token":"no"}', {**headers, "Content-Type": "application/json"})


def _reader(home: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(home / 'var' / 'collector.access').read_text('ascii').strip()}"}


def _no_http(running: Running, headers: dict[str, str]) -> None:
    """What the server itself refuses, before any of our code; and a body that ends early."""
    place = urlsplit(running.url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name != "from")
    for text in (
        f"POST {place.path}/ping HTTP/9.9\r\n{lines}\r\n",
        f"POST {place.path}/ping HTTP/1.1\r\n{lines}no header\r\n\r\n",
        f"POST {place.path}/ping HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 50\r\n\r\n{{",
    ):
        source = (headers.get("from", "127.0.0.1"), 0)
        with socket.create_connection((str(place.hostname), place.port or 0), 10, source) as connection:
            connection.sendall(text.encode())


def _break_the_database(home: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{home / 'var' / 'collector.db'}")
    with engine.begin() as tx:
        tx.execute(sa.text("DROP INDEX ix_ping_raw_expires_at"))
        tx.execute(sa.text("ALTER TABLE ping_raw RENAME TO away"))
    engine.dispose()


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9"])
def test_only_a_trusted_proxy_may_name_the_client(tmp_path: Path, forwarded: str | None) -> None:
    with collector(tmp_path) as running:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        assert request(running, "POST", "/ping", body(str(uuid.uuid4()), 1), headers) == 202
        running.stop()
    store = PingStore(f"sqlite:///{tmp_path / 'var' / 'collector.db'}", PLAN)
    with store.reading() as tx:
        (token,) = tx.execute(sa.select(store.tables.raw.c.sender_token)).scalars()
    store.close()
    assert (token is None) == (forwarded is None)  # the socket is loopback: nobody in particular


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    import subprocess
    import sys

    with collector(tmp_path) as running:
        second = subprocess.run(
            [sys.executable, "-m", "flowforge_ui", "collector", "run"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert running.process.poll() is None
    assert second.returncode != 0
    assert "is in use by another program" in second.stderr
    assert "Traceback" not in second.stderr
