"""``flowforge run`` as operators start it: a real process, real HTTP."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.ports import free_port
from tests.support.process import Running, flowforge

PASSWORD = "correct horse"


class Client:
    """A script that speaks the API: cookies and the CSRF token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.csrf = ""

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=20, allow_redirects=False)

    def post(self, path: str, body: object = None) -> requests.Response:
        if not self.csrf:
            self.csrf = self.get("/api/v1/csrf").json()["csrf"]
        answer = self.session.post(self.url + path, json=body, headers={"X-CSRF-Token": self.csrf}, timeout=20)
        if "boot" in (facts := answer.json()):
            self.csrf = facts["boot"]["csrf"]
        return answer

    def set_up(self) -> None:
        assert self.post("/setup/admin", {"username": "root", "password": PASSWORD}).status_code == 201
        assert self.post("/setup/options", {"telemetry": False, "local_analytics": True}).status_code == 200
        assert self.post("/setup/finish").status_code == 200

    def login(self) -> requests.Response:
        return self.post("/account/login", {"username": "root", "password": PASSWORD})


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    (tmp_path / "flowforge.yml").write_text(
        f"port: {free_port()}\ntelemetry: {{enabled: false, frontend: {{local: {{enabled: true}}}}}}\n"
    )
    return tmp_path


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    port = (folder / "flowforge.yml").read_text().split()[1]
    with flowforge("run", cwd=folder, url=f"http://127.0.0.1:{port}") as found:
        yield found


def eventually(probe: Callable[[], Any], seconds: float = 20) -> Any:
    """What the probe gives once it gives something; everything here happens within a second or two."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := probe():
            return found
        time.sleep(0.05)
    raise AssertionError("it does not happen")


def delivered(client: Client) -> list[str]:
    return [event["event"] for event in client.get("/api/v1/insights/live").json()["events"]]


def test_from_the_first_start_to_the_next(installation: Path) -> None:
    with running(installation) as server:
        client = Client(server.url)
        assert client.get("/").headers["Location"] == "/setup"
        client.set_up()
        assert client.get("/setup").status_code == 404
        assert client.post("/account/logout").json()["boot"]["user"] is None
        assert client.get("/api/v1/user").status_code == 401
        assert client.login().status_code == 200
        eventually(lambda: len(delivered(client)) == 4)
        assert sorted(delivered(client)) == ["logged in", "logged out", "set-up finished", "user registered"]
        held = [path for path in (installation / "var").rglob("*") if path.is_file()]
        assert [path.name for path in held if path.stat().st_mode & 0o077] == []
        assert server.stop() == 0
        printed = server.log.read_text()
    assert printed == f"FlowForge 0.9.0: open {server.url}/setup to set it up. Ctrl-C ends it.\n"
    with running(installation) as server:
        client.url = server.url
        assert client.get("/api/v1/user").json()["username"] == "root"
        assert server.stop() == 0
        assert server.log.read_text() == f"FlowForge 0.9.0: open {server.url}. Ctrl-C ends it.\n"


def test_what_was_acknowledged_survives_sigkill(installation: Path) -> None:
    uuids = [str(uuid.uuid4()) for _ in range(50)]
    with running(installation) as server:
        client = Client(server.url)
        client.set_up()
        facts = client.login().json()["boot"]["telemetry"]["posthog"]
        for one in uuids:
            event = {
                "uuid": one,
                "event": "$pageview",
                "distinct_id": facts["person"]["distinct_id"],
                "properties": {"route": "home", "source": "router", "ticket": facts["person"]["ticket"]},
            }
            body = {"api_key": facts["apikey"], "batch": [event]}
            assert client.session.post(f"{facts['api_host']}/e/", json=body, timeout=20).status_code == 200
        server.kill()
    with running(installation) as server:
        client.url = server.url
        eventually(lambda: delivered(client).count("$pageview") == len(uuids))
        assert server.stop() == 0
    with closing(sqlite3.connect(installation / "var" / "flowforge.db")) as database:
        rows = database.execute("SELECT uuid FROM outbox WHERE event = '$pageview' ORDER BY id").fetchall()
    assert [row[0] for row in rows] == uuids


def test_a_request_under_way_is_answered_before_the_end(installation: Path) -> None:
    with running(installation) as server:
        client = Client(server.url)
        client.set_up()
        host, port = server.url.removeprefix("http://").split(":")
        body = f'{{"username": "root", "password": "{PASSWORD}"}}'
        cookie = "; ".join(f"{one.name}={one.value}" for one in client.session.cookies)
        head = (
            f"POST /account/login HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"X-CSRF-Token: {client.csrf}\r\nCookie: {cookie}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall((head + body[:10]).encode())
            time.sleep(0.3)
            server.process.terminate()
            time.sleep(0.3)
            connection.sendall(body[10:].encode())
            answer = b""
            while part := connection.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert server.process.wait(40) == 0


def test_workers_do_not_outlive_their_supervisor(installation: Path) -> None:
    with running(installation) as server:
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(10)

        def is_free() -> bool:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", int(server.url.rpartition(":")[2])))
                except OSError:
                    return False
                return True

        eventually(is_free)


def failing(folder: Path, **environ: str) -> str:
    """What ``flowforge run`` says when it does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "flowforge_ui", "run"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_port_in_use_is_one_clear_line(installation: Path) -> None:
    with running(installation) as server:
        address = server.url.removeprefix("http://")
        assert failing(installation) == (
            f"Error: {address} is in use by another program; set another with `port:` in flowforge.yml or "
            "FLOWFORGE_PORT.\n"
        )
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"FLOWFORGE_PORT": "nope"}, "Error: FLOWFORGE_PORT: port:"),
        ({"FLOWFORGE_HOST": "203.0.113.1"}, "Error: 203.0.113.1:"),
        ({"FLOWFORGE_DATABASE__URL": "sqlite:////proc/nope/x.db"}, "Error: "),
    ],
)
def test_what_an_operator_can_mend_is_said_in_a_line(installation: Path, environ: dict[str, str], said: str) -> None:
    printed = failing(installation, **environ)
    assert printed.startswith(said)
    assert printed.count("\n") == 1
    assert "Traceback" not in printed


def test_a_newer_database_is_refused_and_left_alone(installation: Path) -> None:
    with running(installation) as server:
        assert server.stop() == 0
    path = installation / "var" / "flowforge.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffff'")
        database.commit()
    before = path.read_bytes()
    assert failing(installation).startswith("Error: The database is at revision ffff")
    assert path.read_bytes() == before
