"""What the tests under fire need.

A product with a PostHog that does as it is told, senders that do not give up, an administrator's eye on the numbers,
and a look into what was kept.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from tests.support.ports import free_port
from tests.support.process import Running, flowforge
from tests.support.product import KEY, PASSWORD, ROOT, Product

DEVICE = "01a20757-10ab-7eec-ad5c-9c58e2135fef"


class PostHog:
    """A second process that plays PostHog; `taken` is every taking in order, read as it grows."""

    def __init__(self, folder: Path) -> None:
        self.log, self.port = folder / "posthog.ndjson", free_port()
        self.taken: list[dict[str, Any]] = []
        self._read = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        program = [sys.executable, "-m", "tests.support.posthog_server", "--no-sync"]
        program += ["--port", str(self.port), "--log", str(self.log)]
        self._process = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == self.url

    def down(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=20)
            self._process = None

    def behave(
        self, mode: str = "ok", *, status: int = 200, retry_after: str | None = None, poison: Sequence[str] = ()
    ) -> None:
        body = {"mode": mode, "status": status, "retry_after": retry_after, "poison": list(poison)}
        requests.put(f"{self.url}/behave", json=body, timeout=20).raise_for_status()

    def asked(self) -> list[float]:
        """When it was asked to take something, whatever it said: seconds since the epoch."""
        found: list[float] = requests.get(f"{self.url}/seen", timeout=20).json()
        return found

    def look(self) -> list[dict[str, Any]]:
        """Everything taken so far."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._read)
                new = log.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self.taken += [json.loads(line) for line in whole.splitlines()]
        return self.taken

    def uuids(self) -> set[str]:
        return {event["uuid"] for event in self.look()}

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()


@dataclass
class Stand:
    """A product set up with both channels on, and its PostHog."""

    product: Product
    posthog: PostHog

    @contextlib.contextmanager
    def serve(self, **environ: str) -> Iterator[Running]:
        with flowforge(
            "run", cwd=self.product.home, url=self.product.url, health="/readyz", environ=environ
        ) as running:
            yield running

    def init(self, *options: str) -> None:
        """Set up as an administrator does it."""
        command = [sys.executable, "-m", "flowforge_ui", "init", "--admin", "root", "--password-stdin", *options]
        subprocess.run(command, cwd=self.product.home, input=PASSWORD, text=True, check=True, capture_output=True)

    @contextlib.contextmanager
    def log(self) -> Iterator[sqlite3.Connection]:
        """The platform's database, to look into while the server runs."""
        path = self.product.home / "var" / "flowforge.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as log:
            yield log

    def events_stored(self) -> dict[str, dict[str, Any]]:
        """By uuid; the store has each once. Only while no server runs."""
        rows = self.product.stored()
        found = {str(row["uuid"]): row for row in rows}
        assert len(found) == len(rows)
        return found


@contextlib.contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """Set up as an administrator does it, local analytics on; nothing runs yet but PostHog."""
    with configured(folder) as found:
        found.init("--local-analytics")
        yield found


@contextlib.contextmanager
def configured(folder: Path) -> Iterator[Stand]:
    """The settings are written; it is not set up yet, and nothing runs but PostHog."""
    with PostHog(folder) as posthog:
        product = Product(folder)
        product.configure(frontend={"posthog": {"apikey": KEY, "apiurl": posthog.url, "capture_pageview": False}})
        yield Stand(product, posthog)


@dataclass
class Admin:
    """The administrator, signed in; `capture` is where browsers send to, `boot` what a page of theirs is told."""

    url: str
    session: requests.Session
    boot: dict[str, Any]

    @property
    def capture(self) -> str:
        host: str = self.boot["telemetry"]["posthog"]["api_host"]
        return urlsplit(host).path + "/e/"

    @property
    def person(self) -> dict[str, str]:
        found: dict[str, str] = self.boot["telemetry"]["posthog"]["person"]
        return found

    def status(self) -> Status:
        answer = self.session.get(f"{self.url}/api/v1/admin/telemetry/status", timeout=60)
        assert answer.status_code == 200, answer.text
        return Status(answer.json())

    def keep_usage_analytics(self, on: bool) -> None:
        self._change("PATCH", "settings", {"local_analytics": on})

    def opt_out(self, out: bool) -> None:
        self._change("PUT", "user/privacy", {"opt_out": out})

    def _change(self, method: str, path: str, body: dict[str, Any]) -> None:
        csrf = self.session.get(f"{self.url}/api/v1/csrf", timeout=60).json()["csrf"]
        answer = self.session.request(
            method, f"{self.url}/api/v1/{path}", json=body, headers={"X-CSRF-Token": csrf}, timeout=60
        )
        assert answer.status_code == 200, answer.text


@contextlib.contextmanager
def signed_in(url: str) -> Iterator[Admin]:
    with requests.Session() as session:
        session.trust_env = False
        csrf = session.get(f"{url}/api/v1/csrf", timeout=60).json()["csrf"]
        answer = session.post(
            f"{url}/account/login",
            json={"username": "root", "password": PASSWORD},
            headers={"X-CSRF-Token": csrf},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        yield Admin(url, session, answer.json()["boot"])


@dataclass(frozen=True)
class Status:
    """The console's numbers."""

    raw: dict[str, Any]

    def channel(self, name: str) -> dict[str, Any]:
        return next(one for one in self.raw["channels"] if one["channel"] == name)

    @property
    def accepted(self) -> int:
        return int(self.raw["counts"]["accepted"])

    @property
    def dropped(self) -> dict[str, int]:
        found: dict[str, int] = self.raw["counts"]["dropped"]
        return found

    @property
    def sent(self) -> int:
        return self.accepted + sum(self.dropped.values())

    def missing(self) -> dict[str, int]:
        """Per channel what was addressed to it and is neither delivered, failed, abandoned nor pending: 0."""
        settled = ("delivered", "failed", "abandoned", "pending")
        both = [self.channel(name) for name in ("local", "posthog")]
        return {one["channel"]: one["addressed"] - sum(one[name] for name in settled) for one in both}


OURS = 3
"""Events of the server's own: the administrator was registered, the set-up finished, somebody signed in (once)."""
NOTHING_MISSING = {"local": 0, "posthog": 0}


def page_event(chance: random.Random, **properties: object) -> dict[str, Any]:
    """A `$pageview` as a page sends it, a while after it happened."""
    return {
        "event": "$pageview",
        "uuid": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "timestamp": iso(-chance.uniform(0, 3600)),
        "properties": {
            "token": KEY,
            "distinct_id": DEVICE,
            "source": "router",
            "route": "login",
            "nav_type": "push",
            "view_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "view_index": chance.randint(1, 50),
            "load_ms": chance.randint(1, 900),
            "$session_id": DEVICE,
            **properties,
        },
    }


def iso(seconds: float = 0) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Sender:
    """One connection to the server, kept alive while it lives, and made anew when it was closed meanwhile."""

    def __init__(self, url: str, path: str, timeout: float = 60) -> None:
        parts = urlsplit(url)
        self.path = path
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)

    def batch(self, events: Sequence[Any], **headers: str) -> Answer:
        body = {"api_key": KEY, "batch": list(events), "sent_at": iso()}
        return self.post(gzip.compress(json.dumps(body).encode(), 1), {"Content-Type": "text/plain", **headers})

    def post(self, body: bytes, headers: dict[str, str] | None = None, path: str = "", method: str = "POST") -> Answer:
        reused = self._connection.sock is not None
        try:
            return self._exchange(body, headers or {}, path or self.path, method)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            if not reused:
                raise
            return self._exchange(body, headers or {}, path or self.path, method)

    def _exchange(self, body: bytes, headers: dict[str, str], path: str, method: str) -> Answer:
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Driver:
    """Sends every batch over several connections until it is answered 200, as it is, as often as it takes."""

    url: str
    path: str
    batches: list[list[dict[str, Any]]]
    connections: int = 6
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    retry_after: set[str | None] = field(default_factory=set)
    broken: int = 0

    def __post_init__(self) -> None:
        self._waiting = list(reversed(self.batches))
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(self.connections)]
        for thread in self._threads:
            thread.start()

    @property
    def finished(self) -> bool:
        return len(self.acknowledged) == sum(map(len, self.batches))

    def has(self, acknowledged: int) -> bool:
        """Whether so many events at least are acknowledged."""
        return len(self.acknowledged) >= acknowledged

    def close(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        with Sender(self.url, self.path, timeout=30) as sender:
            while not self._ending.is_set():
                with self._lock:
                    batch = self._waiting.pop() if self._waiting else None
                if batch is None:
                    self._ending.wait(0.05)
                elif not self._send(sender, batch):
                    with self._lock:
                        self._waiting.insert(0, batch)
                    self._ending.wait(0.1)

    def _send(self, sender: Sender, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = sender.batch(batch)
        except (OSError, http.client.HTTPException):
            with self._lock:
                self.broken += 1
            return False
        with self._lock:
            self.answers[answer.status] += 1
            if answer.status == 200:
                self.acknowledged |= {event["uuid"] for event in batch}
            else:
                self.retry_after.add(answer.headers.get("retry-after"))
        return answer.status == 200


def batches(chance: random.Random, events: int, largest: int = 100) -> list[list[dict[str, Any]]]:
    """That many events in batches of all sizes."""
    made: list[list[dict[str, Any]]] = []
    while events:
        size = min(events, chance.randint(1, largest))
        made.append([page_event(chance) for _ in range(size)])
        events -= size
    return made


def same_everywhere(there: Stand, expected: set[str]) -> None:
    """Each event once in the local store and, by uuid, once at PostHog, with one and the same time."""
    stored = there.events_stored()
    views = {found: row for found, row in stored.items() if row["event"] == "$pageview"}
    assert views.keys() == expected
    told: dict[str, dict[str, Any]] = {}
    for event in there.posthog.look():
        assert told.setdefault(event["uuid"], event) == event
    assert told.keys() == stored.keys()
    assert {found: datetime.fromisoformat(event["timestamp"]) for found, event in told.items()} == {
        found: row["timestamp"].replace(tzinfo=UTC) for found, row in stored.items()
    }


def worker_pids(running: Running) -> list[int]:
    """The serving processes below the supervisor (not multiprocessing's own helper)."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return [pid for pid, command in commands.items() if b"resource_tracker" not in command]


def memory(pid: int, key: str = "VmRSS") -> float:
    """MiB; `VmHWM` is the most there ever was."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def pause(chance: random.Random, most: float) -> None:
    time.sleep(chance.uniform(0, most))
