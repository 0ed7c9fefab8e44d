"""The collector: pings acknowledged durably a second, the fleet's numbers at a million installations, memory.

`python -m bench.collector [--pings 10000] [--many 500000] [--minutes 10]`. The collector is a real process; a bare
Flask POST route runs under the same server beside it and gets the same bodies in the same run. Loopback only, every
loop bounded. The million installations are written straight into the tables, as a year of pings would have left
them; sending them would take an hour.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from bench.http import bare
from bench.load import request, run
from bench.processes import used
from bench.report import Table
from flowforge_ui.collector.fleet import Fleet
from flowforge_ui.collector.ping import HOUR_MS, SIZE_ORDER
from flowforge_ui.collector.store import PingStore
from flowforge_ui.telemetry.wire import PingPlan
from tests.support.ports import free_port
from tests.support.process import flowforge

ROOT = Path(__file__).parents[1]
PLAN = PingPlan.load(ROOT / "flowforge_ui" / "plan" / "ping.yml")
CONNECTIONS = 32
ROUNDS = 3
TIMES = 15
INSTALLATIONS = 1_000_000
CHUNK = 20_000


def ping(instance: str, seq: int) -> bytes:
    """One ping of the usual size."""
    body = {
        "instanceId": instance,
        "os": {"type": "Linux", "release": "6.1.0-18", "arch": "x64"},
        "env": {"python": "3.12.4", "flowforge": "0.9.0"},
        "platform": {"counts": {"users": 12, "teams": 3, "projects": 7}, "config": {"driver": "localfs"}},
        "envelope": {
            "plan": 1,
            "period": f"2026-11-23T10-{seq:08x}",
            "seq": seq,
            "secretHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        },
    }
    return json.dumps(body, separators=(",", ":")).encode()


def post(path: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Each from a sender of its own, as a proxy would name it: this machine itself has one limit for all it sends."""
    return [
        request("POST", path, body, {"Content-Type": "application/json", "X-Forwarded-For": _somebody()})
        for body in bodies
    ]


def _somebody() -> str:
    return str(IPv4Address(0x0A000000 + random.getrandbits(24)))


@dataclass
class Case:
    """Something that is asked round by round, so that whatever else the machine does falls on all cases alike."""

    name: str
    port: int
    pid: int
    make: Callable[[], list[bytes]]
    rounds: list[tuple[float, float, float, float]] = field(default_factory=list)

    def round(self) -> None:
        """One round: pings a second, microseconds of processor each, latency in ms (half, ninety-nine of a hundred)."""
        requests = self.make()
        before = used(self.pid).cpu
        found = run(self.port, requests, CONNECTIONS)
        if set(found.statuses) - {200, 202}:
            raise SystemExit(f"{self.name}: {found.statuses}")
        cost = (used(self.pid).cpu - before) / len(requests) * 1e6
        self.rounds.append((found.rate, cost, found.percentile(0.5), found.percentile(0.99)))

    @property
    def middle(self) -> tuple[float, ...]:
        return tuple(median(column) for column in zip(*self.rounds, strict=True))


def throughput(server: tuple[int, int], other: tuple[int, int], pings: int) -> Table:
    """First pings, later pings of the same installations, repeats; each against the bare route."""
    fleet = [str(uuid.uuid4()) for _ in range(pings)]
    numbers = iter(range(1, 1_000))
    known = [ping(each, 0) for each in fleet]

    def first() -> list[bytes]:
        return post("/ping", [ping(str(uuid.uuid4()), 1) for _ in range(pings)])

    def later() -> list[bytes]:
        seq = next(numbers)
        return post("/ping", [ping(each, seq) for each in fleet])

    cases = [
        Case("bare Flask POST route", *other, lambda: post("/post", known)),
        Case("ping of a new installation", *server, first),
        Case("ping of a known installation", *server, later),
        Case("a repeat", *server, lambda: post("/ping", known)),
    ]
    run(server[0], post("/ping", known), CONNECTIONS)  # the installations are known from here on
    for _ in range(ROUNDS):
        for case in cases:
            case.round()
    head = ["", "a second", "of bare", "CPU us each", "times bare", "p50 ms", "p99 ms"]
    table = Table(f"Pings acknowledged, one process, {CONNECTIONS} connections", head)
    base = cases[0].middle
    for case in cases:
        rate, cost, half, most = case.middle
        ratios = f"{rate / base[0]:.2f}", f"{cost / base[1]:.1f}"
        table.add(case.name, f"{rate:.0f}", ratios[0], f"{cost:.0f}", ratios[1], f"{half:.1f}", f"{most:.1f}")
    table.note(
        f"{pings} pings a round, the middle of {ROUNDS} rounds. Acknowledged means committed and flushed to disk."
    )
    return table


def over_a_run(server: tuple[int, int], pings: int, minutes: float) -> Table:
    """Memory of the server while pings come, until their number or the time is reached."""
    table = Table("Memory of the server over a run", ["pings taken", "MiB"])
    start, taken = time.monotonic(), 0
    table.add("0", f"{used(server[1]).resident:.0f}")
    step = max(1, pings // 10)
    while taken < pings and time.monotonic() - start < 60 * minutes:
        for at in range(0, step, CHUNK):
            part = min(CHUNK, step - at)
            run(server[0], post("/ping", [ping(str(uuid.uuid4()), 1) for _ in range(part)]), CONNECTIONS)
            taken += part
        table.add(f"{taken:,}", f"{used(server[1]).resident:.0f}")
    if taken < pings:
        table.note(f"{pings:,} were wanted; the {minutes:g} minutes were over.")
    return table


def questions(folder: Path) -> Table:
    """Everything the fleet page asks, at a million installations and a year of days."""
    store = PingStore(f"sqlite:///{folder / 'million.db'}", PLAN)
    store.prepare()
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    fill(store, now)
    asked: list[sa.Executable] = []

    def note(_: sa.Connection, statement: sa.Executable, *__: object) -> None:
        asked.append(statement)

    sa.event.listen(store.engine, "before_execute", note)
    Fleet(store, now).dashboard()
    sa.event.remove(store.engine, "before_execute", note)
    table = Table(f"The fleet page's questions at {INSTALLATIONS:,} installations", ["", "ms", "CPU ms"])
    table.add("all its numbers, ready to be sent", *timed(lambda: Fleet(store, now).dashboard()))
    with store.reading() as tx:
        for number, statement in enumerate(asked, 1):
            (source,) = statement.get_final_froms() if isinstance(statement, sa.Select) else ("",)
            table.add(f"question {number}: {source}", *timed(partial(everything, tx, statement)))
        scan = "SELECT env_flowforge, count(*) FROM installation GROUP BY env_flowforge"
        table.add(
            "for comparison: one number by counting installations", *timed(lambda: tx.exec_driver_sql(scan).all())
        )
    store.close()
    table.note(f"Filled straight into the tables: a year of days, 48 versions; the middle of {TIMES}.")
    return table


def everything(tx: sa.Connection, statement: sa.Executable) -> object:
    return tx.execute(statement).all()


def timed(act: Callable[[], object]) -> tuple[str, str]:
    """Milliseconds of wall and of processor time, the middle of several."""
    wall, cpu = [], []
    for _ in range(TIMES):
        before = time.perf_counter(), time.process_time()
        act()
        wall.append(1000 * (time.perf_counter() - before[0]))
        cpu.append(1000 * (time.process_time() - before[1]))
    return f"{median(wall):.1f}", f"{median(cpu):.1f}"


def fill(store: PingStore, now: datetime) -> None:
    """The tables as a year of pings would have left them."""
    chance = random.Random(1)
    tables = store.tables
    today = now.date()
    hour = int(now.timestamp() * 1000) // HOUR_MS
    heard: dict[int, int] = {}
    with store.writing() as tx:
        for start in range(0, INSTALLATIONS, CHUNK):
            rows = []
            for number in range(start, start + CHUNK):
                last = hour - (chance.randrange(30) if chance.random() < 0.8 else chance.randrange(9_000))
                heard[last] = heard.get(last, 0) + 1
                seen = {"first_seen": (last - 1000) * HOUR_MS, "last_seen": last * HOUR_MS}
                values = {"env_flowforge": f"0.{number % 12}.0", "os_type": "Linux", "users": number % 50}
                rows.append({"instance_id": str(uuid.UUID(int=number)), **seen, **values})
            tx.execute(tables.installation.insert(), rows)
        store.add(tx, tables.last_heard, {(each,): n for each, n in heard.items()})
        store.add(tx, tables.roll_up, dict(roll_ups(today)))
        lags = {(f"0.{minor}.0", days): 50 for minor in range(12) for days in range(120)}
        store.add(tx, tables.upgrade_lag, lags)


def roll_ups(today: date) -> Iterator[tuple[tuple[str, date, str, str], int]]:
    values = {
        "all": [""],
        "new": [""],
        "version": [f"0.{minor}.{patch}" for minor in range(12) for patch in range(4)],
        "os": ["Linux", "Windows_NT", "Darwin", "FreeBSD"],
        "arch": ["x64", "arm64", "arm"],
        "runtime": [f"python 3.{minor}" for minor in range(9, 15)],
        "driver": ["localfs", "docker", "kubernetes"],
        **{each: list(SIZE_ORDER) for each in ("users", "teams", "projects")},
    }
    for back in range(400):
        day = today - timedelta(days=back)
        for dimension, named in values.items():
            for value in named:
                yield ("day", day, dimension, value), INSTALLATIONS // len(named)
                if day.weekday() == 0:
                    yield ("week", day, dimension, value), INSTALLATIONS // len(named)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pings", type=int, default=10_000, help="a round")
    arguments.add_argument("--many", type=int, default=500_000, help="for the memory")
    arguments.add_argument("--minutes", type=float, default=10, help="at most, for the memory")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        (folder / "flowforge.yml").write_text(
            f"home: {folder / 'var'}\ntrusted_proxies: [127.0.0.0/8]\ncollector: {{port: {port}}}\n", "utf-8"
        )
        url = f"http://127.0.0.1:{port}"
        with flowforge("collector", "run", cwd=folder, url=url) as running, bare() as other:
            server = port, running.process.pid
            print(throughput(server, other, given.pings))
            print(over_a_run(server, given.many, given.minutes))
        print(questions(folder))


if __name__ == "__main__":
    main()
