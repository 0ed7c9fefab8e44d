"""200 browsers, a PostHog that hangs: is memory flat, are pages quick, is the local store fresh, and what comes after?

`python -m bench.soak [--seconds 300] [--browsers 200]`. Each browser sends a batch every three seconds, as posthog-js
does. PostHog is a second process that takes connections and answers nothing, until the time is over; then it recovers
and what waited is counted, in order. Loopback only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.load import request
from tests.support.fire import Admin, Sender, Stand, iso, memory, page_event, signed_in, stand, worker_pids
from tests.support.product import KEY, until

EVERY_SECONDS = 3.0
EVENTS = (1, 5)
"""In a batch, from and to."""
PAGES = ("/", "/api/v1/user")


@dataclass(frozen=True)
class Sample:
    """`at` seconds after the start; memory in MiB, the others in seconds; `backlog` is what waits for PostHog."""

    at: float
    memory: float
    pages: dict[str, float]
    stale: float
    backlog: int


@dataclass
class Browsers:
    """They send until they are told to end; `sent` are the uuids acknowledged."""

    port: int
    path: str
    count: int
    sent: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    over: bool = False

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._browser(random.Random(number)) for number in range(self.count)))

    async def _browser(self, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0, EVERY_SECONDS))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while not self.over:
                due = time.monotonic() + EVERY_SECONDS
                events = [page_event(chance) for _ in range(chance.randint(*EVENTS))]
                body = gzip.compress(json.dumps({"api_key": KEY, "batch": events, "sent_at": iso()}).encode(), 1)
                writer.write(request("POST", self.path, body, {"Content-Type": "text/plain"}))
                status = await _status(reader)
                self.answers[status] += 1
                if status == 200:
                    self.sent += [event["uuid"] for event in events]
                await asyncio.sleep(due - time.monotonic())
        except OSError:
            self.broken += 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    at = head.index(b"content-length:")
    await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
    return int(head[9:12])


@dataclass(frozen=True)
class Soak:
    """What came of it; `expected` in the order in which the log has it, `told` in that in which PostHog took it."""

    samples: list[Sample]
    browsers: Browsers
    expected: list[str]
    told: list[str]
    kept: int
    drained_in: float

    @property
    def growth(self) -> float:
        """MiB from when everything was warm (a fifth of the time) to the end."""
        warm = self.samples[len(self.samples) // 5]
        return self.samples[-1].memory - warm.memory


@contextlib.contextmanager
def _running(browsers: Browsers) -> Iterator[None]:
    thread = threading.Thread(target=browsers.run)
    thread.start()
    try:
        yield
    finally:
        browsers.over = True
        thread.join()


def soak(folder: Path, *, seconds: float, browsers: int, samples: int = 30) -> Soak:
    with stand(folder) as there, there.serve() as running, signed_in(there.product.url) as admin:
        there.posthog.behave("hang")
        crowd = Browsers(there.product.port, admin.capture, browsers)
        pid = worker_pids(running)[0]
        moments = [seconds * number / samples for number in range(1, samples + 1)]
        with _running(crowd):
            taken = list(_sample(there, admin, pid, moments))
        until(lambda: not admin.status().channel("local")["pending"], 60)
        kept = admin.status().channel("local")["delivered"]
        recovered = time.monotonic()
        there.posthog.behave()
        until(lambda: not admin.status().channel("posthog")["pending"], 600)
        drained_in = time.monotonic() - recovered
        if running.stop() != 0:
            raise SystemExit("the server did not end well")
        with there.log() as log:
            expected = [row[0] for row in log.execute("SELECT uuid FROM outbox ORDER BY id")]
        told = list(dict.fromkeys(event["uuid"] for event in there.posthog.look()))
    return Soak(taken, crowd, expected, told, kept, drained_in)


def _sample(there: Stand, admin: Admin, pid: int, moments: Sequence[float]) -> Iterator[Sample]:
    """One sample at each moment, in seconds from now."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in admin.session.cookies)
    started = time.monotonic()
    for moment in moments:
        time.sleep(max(0.0, started + moment - time.monotonic()))
        yield Sample(
            at=time.monotonic() - started,
            memory=memory(pid),
            pages={page: _latency(there.product.url, page, cookies) for page in PAGES},
            stale=_stale(admin),
            backlog=admin.status().channel("posthog")["pending"],
        )


def _latency(url: str, page: str, cookies: str) -> float:
    """Of one request over a connection that is there already; raises when it is no success."""
    with Sender(url, page) as sender:
        sender.post(b"", method="GET", path="/healthz")
        started = time.perf_counter()
        answer = sender.post(b"", {"Cookie": cookies}, method="GET")
        latency = time.perf_counter() - started
    if answer.status != 200:
        raise SystemExit(f"{page}: {answer.status}")
    return latency


def _stale(admin: Admin) -> float:
    """How long ago the newest event that the local store shows was received."""
    live = admin.session.get(f"{admin.url}/api/v1/insights/live", timeout=60).json()
    if not live["events"]:
        return float("inf")
    newest = max(datetime.fromisoformat(event["received_at"]) for event in live["events"])
    return (datetime.now(UTC) - newest).total_seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--browsers", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), seconds=options.seconds, browsers=options.browsers)
    report(found, options.seconds, options.browsers)


def report(found: Soak, seconds: float, browsers: int) -> None:
    print(f"{browsers} browsers, {seconds:g} s, {len(found.browsers.sent):,} events, PostHog hangs\n")
    print(f"{'at s':>6} {'memory MiB':>11} {'shell ms':>9} {'user ms':>8} {'stale s':>8} {'backlog':>9}")
    step = max(1, len(found.samples) // 10)
    for sample in found.samples[step - 1 :: step]:
        shell, user = (1000 * sample.pages[page] for page in PAGES)
        row = f"{sample.at:>6.0f} {sample.memory:>11.0f} {shell:>9.1f} {user:>8.1f}"
        print(f"{row} {sample.stale:>8.2f} {sample.backlog:>9,}")
    for page in PAGES:
        latencies = [1000 * sample.pages[page] for sample in found.samples]
        print(f"{page:14} median {statistics.median(latencies):.1f} ms, longest {max(latencies):.1f} ms")
    stale = [sample.stale for sample in found.samples]
    print(f"{'local store':14} median {statistics.median(stale):.2f} s behind, most {max(stale):.2f} s")
    print(f"{'memory':14} {found.growth:+.0f} MiB from the first fifth to the end")
    print(f"{'answers':14} {dict(found.browsers.answers)}, {found.browsers.broken} connections broken")
    rate = len(found.told) / found.drained_in
    print(f"{'recovery':14} {len(found.told):,} events in {found.drained_in:.1f} s ({rate:,.0f}/s)")
    order = "in order, each once" if found.told == found.expected else "NOT what the log has"
    print(f"{'PostHog':14} {order}; the local store had {found.kept:,} before")


if __name__ == "__main__":
    main()
