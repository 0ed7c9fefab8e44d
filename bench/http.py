"""Requests a second of intake, shell and API against a bare Flask route under the same server, in the same run.

The bare routes read the body and answer JSON; everything else (Granian, its threads, the machine, the load) is the
same, and the cases take turns. Beside the time on the clock stands the server's own processor time, which other
programs on the machine disturb less. Loopback only, every loop bounded.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.load import request, run
from bench.processes import Used, used
from bench.report import Table
from bench.traffic import SignedIn, capture, event
from tests.support.ports import free_port
from tests.support.process import Running
from tests.support.product import KEY, Product

ROUNDS = 5
CONNECTIONS = 64
REQUESTS, BATCHES, BATCH = 3_000, 1_000, 20

_BARE = """
import sys
from flask import Flask, request
from flowforge_ui.cli.serving import serve

class Bare:
    def __init__(self):
        self.application = app = Flask("bare")
        app.add_url_rule("/post", "post", self.post, methods=["POST"])
        app.add_url_rule("/get", "get", self.get)
    def post(self):
        request.get_data()
        return {"status": 1}
    def get(self):
        return {"status": 1}
    def start(self): ...
    def stop(self): ...

serve(Bare, host="127.0.0.1", port=int(sys.argv[1]), workers=1)
"""


@dataclass
class Case:
    """Something to be asked again and again; `events` is how many each request carries."""

    name: str
    port: int
    pid: int
    make: Callable[[], list[bytes]]
    base: str | None = None
    events: int = 0
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)

    def round(self) -> None:
        """Ask once round; every answer has to be a 200."""
        requests = self.make()
        before, mine = used(self.pid).cpu, time.process_time()
        found = run(self.port, requests, CONNECTIONS)
        if set(found.statuses) != {200}:
            raise SystemExit(f"{self.name}: {found.statuses}")
        self.rates.append(found.rate)
        self.costs.append((used(self.pid).cpu - before) / len(requests) * 1e6)
        self.loads.append((time.process_time() - mine) / found.seconds)
        self.waits.append((found.percentile(0.5), found.percentile(0.99)))


@contextlib.contextmanager
def bare() -> Iterator[tuple[int, int]]:
    """A Flask application with a route that reads and one that answers, under our own server: port and pid."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)], cwd=Path(__file__).parents[1])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def serving(folder: Path, **telemetry: object) -> Iterator[tuple[Product, Running]]:
    """A platform set up in a folder, with these settings."""
    folder.mkdir()
    product = Product(folder)
    product.configure(**telemetry)
    product.set_up()
    with product.serve() as running:
        yield product, running


def keeping(folder: Path) -> contextlib.AbstractContextManager[tuple[Product, Running]]:
    """A platform that takes events in and is rid of none: its PostHog is down. That is intake alone."""
    nobody = f"http://127.0.0.1:{free_port()}"
    return serving(folder, frontend={"local": {"enabled": False}, "posthog": {"apikey": KEY, "apiurl": nobody}})


def working(folder: Path) -> contextlib.AbstractContextManager[tuple[Product, Running]]:
    """A platform as it runs by default: events go on into its own store at once."""
    return serving(folder, frontend={"local": {"enabled": True}})


def cases(bare_at: tuple[int, int], kept: tuple[Product, Running], worked: tuple[Product, Running]) -> list[Case]:
    intake, platform = SignedIn(kept[0].url), SignedIn(worked[0].url)
    body = capture("/post", [event(intake.facts)])
    cookies = {"Cookie": platform.cookies}
    post, get = "bare Flask POST", "bare Flask GET"
    at_kept, at_worked = (kept[0].port, kept[1].process.pid), (worked[0].port, worked[1].process.pid)

    def taken(at: SignedIn, count: int, each: int) -> Callable[[], list[bytes]]:
        return lambda: [capture(at.path, [event(at.facts) for _ in range(each)]) for _ in range(count)]

    def asked(name: str, path: str) -> Case:
        return Case(name, *at_worked, lambda: [request("GET", path, headers=cookies)] * REQUESTS, get)

    return [
        Case(post, *bare_at, lambda: [body] * REQUESTS),
        Case("1 event", *at_kept, taken(intake, REQUESTS, 1), post, 1),
        Case(f"{BATCH} events", *at_kept, taken(intake, BATCHES, BATCH), post, BATCH),
        Case("1 event, delivered meanwhile", *at_worked, taken(platform, REQUESTS, 1), post, 1),
        Case(f"{BATCH} events, delivered meanwhile", *at_worked, taken(platform, BATCHES, BATCH), post, BATCH),
        Case(get, *bare_at, lambda: [request("GET", "/get")] * REQUESTS),
        asked("shell, signed in", "/"),
        *(asked(f"GET {path}", path) for path in ("/api/v1/user", "/api/v1/home", "/api/v1/teams")),
    ]


def report(rounds: int = ROUNDS) -> list[Table]:
    """The table of all cases, and the server's memory before and after."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        kept = stack.enter_context(keeping(Path(folder) / "kept"))
        worked = stack.enter_context(working(Path(folder) / "worked"))
        all_of_them = cases(stack.enter_context(bare()), kept, worked)
        time.sleep(2)
        rest = used(worked[1].process.pid)
        for _ in range(rounds):
            for case in all_of_them:
                case.round()
        loaded = {"delivering": used(worked[1].process.pid), "PostHog down": used(kept[1].process.pid)}
        return [_rates(all_of_them), _memory(rest, loaded)]


def _rates(all_of_them: list[Case]) -> Table:
    bases = {case.name: case for case in all_of_them}
    table = Table(
        f"Requests under one server, {CONNECTIONS} connections, the middle of {len(all_of_them[0].rates)} rounds",
        ["", "requests/s", "ratio", "events/s", "CPU us/request", "ratio", "events/CPU s", "p50 ms", "p99 ms", "load"],
    )
    for case in all_of_them:
        base = bases[case.base or case.name]
        rate, cost = median(case.rates), median(case.costs)
        # Of rounds that ran beside each other, not of two numbers from different minutes.
        pairs = zip(case.rates, base.rates, strict=True)
        costs = zip(base.costs, case.costs, strict=True)
        table.add(
            case.name,
            f"{rate:,.0f}",
            f"{median(own / other for own, other in pairs):.2f}",
            f"{rate * case.events:,.0f}" if case.events else "",
            f"{cost:,.0f}",
            f"{median(other / own for other, own in costs):.2f}",
            f"{case.events * 1e6 / cost:,.0f}" if case.events else "",
            f"{median(wait[0] for wait in case.waits):.1f}",
            f"{median(wait[1] for wait in case.waits):.1f}",
            f"{median(case.loads):.0%}",
        )
    table.note("`load` is the load generator's own use of a core: near 100 % it would be what limits the rate.")
    return table


def _memory(rest: Used, loaded: dict[str, Used]) -> Table:
    table = Table("Memory of the server (supervisor and worker together), MiB", ["", "resident", "at most"])
    table.add("at rest", f"{rest.resident:.0f}", f"{rest.peak:.0f}")
    for name, one in loaded.items():
        table.add(f"after the load, {name}", f"{one.resident:.0f}", f"{one.peak:.0f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    for table in report(parser.parse_args().rounds):
        print(table)


if __name__ == "__main__":
    main()
