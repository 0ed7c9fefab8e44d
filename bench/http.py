"""Requests a second of intake, shell and API against a bare Flask route under the same server, in the same run.

`python -m bench.http`. The bare routes read the body and answer JSON; everything else (Granian, its threads, the
machine, the load) is the same. Loopback only, every loop bounded.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.load import Result, request, run
from flowforge_ui.telemetry.event import new_uuid
from tests.support.process import flowforge, free_port
from tests.support.product import PASSWORD, Product

ROUNDS = 3
SINGLES, BATCHES, BATCH = 6_000, 1_500, 20

_BARE = """
import sys
from functools import partial
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


@contextlib.contextmanager
def bare() -> Iterator[int]:
    """A Flask application with a route that reads and one that answers, under our own server."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)], cwd=Path(__file__).parents[1])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def event(boot: dict[str, Any], base_url: str) -> dict[str, Any]:
    """One `$pageleave` as our client sends it, of the usual size."""
    now = time.time()
    return {
        "uuid": new_uuid(),
        "event": "$pageleave",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now)),
        "properties": {
            "token": boot["apikey"],
            "distinct_id": boot["person"]["distinct_id"],
            "ticket": boot["person"]["ticket"],
            "$os": "Linux", "$browser": "Chrome", "$browser_version": 156, "$device_type": "Desktop",
            "$current_url": f"{base_url}/team/:team/projects", "$host": base_url.partition("//")[2],
            "$pathname": "/team/:team/projects", "$referrer": "$direct", "$referring_domain": "$direct",
            "$screen_height": 1080, "$screen_width": 1920, "$viewport_height": 937, "$viewport_width": 1905,
            "$lib": "web", "$lib_version": "1.449.2", "$insert_id": "x8k2m4n6p8q0r2t4", "$time": now,
            "$device_id": "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f49", "$session_id": "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f50",
            "$window_id": "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f51", "$pageview_id": new_uuid(),
            "route": "team_projects", "route_pattern": "/team/:team/projects",
            "from_route": "team", "to_route": "project",
            "nav_type": "push", "view_id": new_uuid(), "view_index": 4, "load_ms": 38, "engaged_ms": 8412,
            "total_ms": 9120, "scroll_depth": 0.4, "app_version": "0.9.0", "role": "admin", "source": "router",
            "title": "Projects",
        },
    }  # fmt: skip


def capture(path: str, events: Sequence[dict[str, Any]]) -> bytes:
    """As 1.449 posts it: text/plain, gzip found by its magic bytes."""
    body = gzip.compress(json.dumps(events if len(events) > 1 else events[0]).encode(), 1)
    return request("POST", path, body, {"Content-Type": "text/plain"})


def measure(port: int, make: Callable[[], list[bytes]]) -> Result:
    """The middle one of three rounds."""
    results = [run(port, make()) for _ in range(ROUNDS)]
    return sorted(results, key=lambda each: each.rate)[ROUNDS // 2]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder))
        product.configure(frontend={"local": {"enabled": True}})
        product.set_up()
        with (
            flowforge("run", cwd=product.home, url=product.url, health="/readyz") as running,
            bare() as other,
        ):
            cookies, boot = sign_in(product.port)
            facts = boot["telemetry"]["posthog"]
            path = facts["api_host"].removeprefix(product.url) + "/e/"
            report(product.port, other, path, facts, cookies)
            print(f"\nmemory of the server after the load: {memory(running.process.pid):.0f} MiB")


def report(port: int, other: int, path: str, facts: dict[str, Any], cookies: str) -> None:
    signed, base_url = {"Cookie": cookies}, f"http://127.0.0.1:{port}"
    single = capture(path, [event(facts, base_url)])
    cases: list[tuple[str, int, Callable[[], list[bytes]]]] = [
        ("bare Flask POST", other, lambda: [request("POST", "/post", single.partition(b"\r\n\r\n")[2])] * SINGLES),
        ("one event, committed", port, lambda: [capture(path, [event(facts, base_url)]) for _ in range(SINGLES)]),
        (
            f"{BATCH} events, committed",
            port,
            lambda: [capture(path, [event(facts, base_url) for _ in range(BATCH)]) for _ in range(BATCHES)],
        ),
        ("bare Flask GET", other, lambda: [request("GET", "/get")] * SINGLES),
        ("shell, signed in", port, lambda: [request("GET", "/", headers=signed)] * SINGLES),
        ("API: GET /api/v1/user", port, lambda: [request("GET", "/api/v1/user", headers=signed)] * SINGLES),
        ("API: GET /api/v1/teams", port, lambda: [request("GET", "/api/v1/teams", headers=signed)] * SINGLES),
    ]
    base: dict[str, float] = {}
    print(f"{'':28} {'requests/s':>11} {'events/s':>9} {'ratio':>6} {'p50 ms':>7} {'p99 ms':>7}")
    for name, where, make in cases:
        found = measure(where, make)
        if set(found.statuses) != {200}:
            raise SystemExit(f"{name}: {found.statuses}")
        kind = "GET" if "GET" in name or "shell" in name else "POST"
        base.setdefault(kind, found.rate)
        each = BATCH if name.startswith(str(BATCH)) else 1
        events = f"{found.rate * each:,.0f}" if "committed" in name else ""
        print(
            f"{name:28} {found.rate:>11,.0f} {events:>9} {found.rate / base[kind]:>6.2f} "
            f"{found.percentile(0.5):>7.1f} {found.percentile(0.99):>7.1f}"
        )


def sign_in(port: int) -> tuple[str, dict[str, Any]]:
    """The cookies of a signed-in administrator, and the boot facts of its pages."""
    import requests

    with requests.Session() as session:
        url = f"http://127.0.0.1:{port}"
        csrf = session.get(f"{url}/api/v1/csrf", timeout=10).json()["csrf"]
        answer = session.post(
            f"{url}/account/login",
            json={"username": "root", "password": PASSWORD},
            headers={"X-CSRF-Token": csrf},
            timeout=30,
        )
        answer.raise_for_status()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
        return cookies, answer.json()["boot"]


def memory(pid: int) -> float:
    """Resident memory in MiB of a process and its children."""
    rows = subprocess.run(["ps", "-eo", "pid,ppid,rss"], capture_output=True, text=True, check=True).stdout.split("\n")[
        1:
    ]
    table = [(int(a), int(b), int(c)) for a, b, c in (row.split() for row in rows if row.strip())]
    family = {pid}
    for _ in range(4):
        family |= {each for each, parent, _ in table if parent in family}
    return sum(rss for each, _, rss in table if each in family) / 1024


if __name__ == "__main__":
    main()
