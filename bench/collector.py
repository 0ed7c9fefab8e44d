"""The collector: pings acknowledged durably a second, the fleet's numbers at a million installations, memory.

`python -m bench.collector [--pings 20000] [--many 500000] [--minutes 4]`. The collector is a real process; a bare Flask
POST route runs under the same server beside it and gets the same bodies in the same run. Loopback only, every loop
bounded. The million installations are written straight into the tables (what a year of pings would have left there),
as sending them would take an hour.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.http import bare, memory
from bench.load import Result, request, run
from flowforge_ui.collector.fleet import Fleet
from flowforge_ui.collector.ping import HOUR_MS, SIZE_ORDER
from flowforge_ui.collector.store import PingStore
from flowforge_ui.telemetry.wire import PingPlan
from tests.support.process import flowforge, free_port

ROOT = Path(__file__).parents[1]
PLAN = PingPlan.load(ROOT / "flowforge_ui" / "plan" / "ping.yml")
CONNECTIONS = 32
ROUNDS = 3
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
    return [request("POST", path, body, {"Content-Type": "application/json"}) for body in bodies]


def middle(act: Callable[[], Result]) -> Result:
    """The middle one of three rounds."""
    return sorted((act() for _ in range(ROUNDS)), key=lambda each: each.rate)[ROUNDS // 2]


def throughput(port: int, other: int, pings: int) -> None:
    """First pings, later pings of the same installations, repeats; each against the bare route."""
    fleet = [str(uuid.uuid4()) for _ in range(pings)]
    numbers = iter(range(1, 1_000))

    def first() -> Result:
        return run(port, post("/ping", [ping(str(uuid.uuid4()), 1) for _ in range(pings)]), CONNECTIONS)

    def later() -> Result:
        seq = next(numbers)
        return run(port, post("/ping", [ping(each, seq) for each in fleet]), CONNECTIONS)

    repeated = [ping(each, 1) for each in fleet]
    base = middle(lambda: run(other, post("/post", repeated), CONNECTIONS))
    print(f"\n{'pings a second, one process':34}{'rate':>9}{'p50 ms':>9}{'p99 ms':>9}{'of bare':>9}")
    show("bare Flask POST route", base, base)
    later()  # the installations are known from here on
    show("of a new installation", middle(first), base)
    show("of a known installation", middle(later), base)
    show("a repeat", middle(lambda: run(port, post("/ping", repeated), CONNECTIONS)), base)


def show(name: str, found: Result, base: Result) -> None:
    bad = {status: n for status, n in found.statuses.items() if status not in {200, 202}}
    if bad:
        raise SystemExit(f"{name}: refused {bad}")
    ratio = found.rate / base.rate
    print(f"{name:34}{found.rate:9.0f}{found.percentile(0.5):9.1f}{found.percentile(0.99):9.1f}{ratio:9.2f}")


def over_a_run(port: int, pid: int, pings: int, minutes: float) -> None:
    """Memory of the server while pings come, until their number or the time is reached."""
    print(f"\n{'pings taken':>14}{'server MiB':>12}")
    start, taken = time.monotonic(), 0
    print(f"{taken:>14,}{memory(pid):>12.0f}")
    step = max(1, pings // 10)
    while taken < pings and time.monotonic() - start < 60 * minutes:
        for _ in range(0, step, CHUNK):
            part = min(CHUNK, step)
            run(port, post("/ping", [ping(str(uuid.uuid4()), 1) for _ in range(part)]), CONNECTIONS)
            taken += part
        print(f"{taken:>14,}{memory(pid):>12.0f}")
    if taken < pings:
        print(f"({pings:,} were wanted; the {minutes:g} minutes were over)")


def questions(folder: Path) -> None:
    """Everything the fleet page asks, at a million installations and a year of days."""
    store = PingStore(f"sqlite:///{folder / 'million.db'}", PLAN)
    store.prepare()
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    fill(store, now)
    times = []
    for _ in range(15):
        start = time.perf_counter()
        Fleet(store, now).dashboard()
        times.append(1000 * (time.perf_counter() - start))
    with store.reading() as tx:
        start = time.perf_counter()
        tx.exec_driver_sql("SELECT env_flowforge, count(*) FROM installation GROUP BY env_flowforge").all()
        scan = 1000 * (time.perf_counter() - start)
    store.close()
    print(f"\nfleet page at {INSTALLATIONS:,} installations: {median(times):.0f} ms for all its numbers together")
    print(f"(one of them counted by a scan instead: {scan:.0f} ms, {scan / median(times):.1f} times as long)")


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
    arguments.add_argument("--minutes", type=float, default=4, help="at most, for the memory")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        (folder / "flowforge.yml").write_text(f"home: {folder / 'var'}\ncollector: {{port: {port}}}\n", "utf-8")
        url = f"http://127.0.0.1:{port}"
        with flowforge("collector", "run", cwd=folder, url=url) as running, bare() as other:
            throughput(port, other, given.pings)
            over_a_run(port, running.process.pid, given.many, given.minutes)
        questions(folder)


if __name__ == "__main__":
    main()
