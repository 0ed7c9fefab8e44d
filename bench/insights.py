"""Overview and Routes over a million events: milliseconds a question, bytes an event, events a second on the way in.

The same numbers are asked of SQLite in the same run, with the same rows and an index on time; the answers are compared.
Run with `python -m bench.insights [--events 1000000]`; loopback and files only.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from flowforge_ui.analytics import insights
from flowforge_ui.analytics.columns import NAMES, table
from flowforge_ui.analytics.dashboards import patterns, titles
from flowforge_ui.analytics.demo import Month, month
from flowforge_ui.analytics.demo.session import Page
from flowforge_ui.analytics.duckdb_store import DuckDBStore
from flowforge_ui.analytics.store import question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flowforge_ui.telemetry.event import Event

BATCH = 5000
EVENTS = 1_000_000
ROUNDS = 15
PEOPLE, TEAMS, DAYS = 4400, 100, 60
# The question, and how SQLite is asked the same; medians are left to Python there, as it has none.
_SIGNED_IN = "CASE WHEN role <> 'anonymous' THEN distinct_id END"
_SPAN = "timestamp >= :start AND timestamp < :end"
_VIEWS = f"SELECT view_id FROM events WHERE {_SPAN} AND event = '$pageview'"
_LEFT = f"timestamp >= :start AND event = '$pageleave' AND engaged_ms IS NOT NULL AND view_id IN ({_VIEWS})"
_COUNTS = f"count(DISTINCT {_SIGNED_IN}), count(DISTINCT team)"
_SESSIONS = (
    "count(DISTINCT CASE WHEN event = '$pageview' AND role <> 'anonymous' THEN session_id END), "
    "count(*) FILTER (WHERE event = '$pageview')"
)
_ACTS = f"FROM events WHERE {_SPAN} AND event <> '$pageleave'"
SQLITE = {
    "overview_totals": f"SELECT {_COUNTS}, {_SESSIONS} {_ACTS}",
    "overview_days": f"SELECT day, {_COUNTS}, {_SESSIONS} {_ACTS} GROUP BY day",
    "engaged": f"SELECT engaged_ms FROM events WHERE {_LEFT} ORDER BY engaged_ms",
    "routes": f"SELECT route, count(*), {_COUNTS} FROM events WHERE {_SPAN} AND event = '$pageview' GROUP BY route",
    "route_engaged": f"SELECT route, engaged_ms FROM events WHERE {_LEFT} ORDER BY route, engaged_ms",
    "route_views": f"SELECT route, count(*) FROM events WHERE {_SPAN} AND event = '$pageview' GROUP BY route",
    "route_ends": (
        "SELECT entry, exit, count(*) FROM (SELECT "
        "first_value(route) OVER w AS entry, last_value(route) OVER w AS exit, row_number() OVER w AS place, "
        "max(role <> 'anonymous') OVER w AS signed_in "
        f"FROM events WHERE {_SPAN} AND event = '$pageview' "
        "WINDOW w AS (PARTITION BY session_id ORDER BY timestamp "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) WHERE place = 1 AND signed_in GROUP BY entry, exit"
    ),
}


def made_up(count: int, now: datetime) -> Iterator[list[Event]]:
    """Batches of made-up events, so many in all, as the demonstration makes them."""
    pages = {name: Page(title, patterns()[name]) for name, title in titles().items()}
    # Fewer events are those of fewer people: the days stay the same, and so what is asked for lies within them.
    people = max(TEAMS, PEOPLE * count // EVENTS)
    left, seed = count, 1
    while left > 0:
        for day in month(Month(now, seed=seed, people=people, teams=TEAMS, days=DAYS), pages):
            for begin in range(0, len(day), BATCH):
                batch = day[begin : begin + BATCH][:left]
                left -= len(batch)
                if batch:
                    yield batch
        seed += 1


def spent(act: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median milliseconds on the wall and of the processor."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return median(walls) * 1000, median(cpus) * 1000


def fill(store: DuckDBStore, sqlite: sqlite3.Connection, count: int, now: datetime) -> float:
    """Put the same events into both; answer the events a second DuckDB took, generating them left out."""
    sqlite.execute(f"CREATE TABLE events ({', '.join(NAMES)})")
    insert = f"INSERT INTO events VALUES ({', '.join('?' * len(NAMES))})"
    took = 0.0
    for batch in made_up(count, now):
        begin = time.perf_counter()
        store.append(batch)
        took += time.perf_counter() - begin
        days = [datetime.fromtimestamp(event.timestamp / 1000, UTC).date().isoformat() for event in batch]
        sqlite.executemany(insert, zip(days, *table(batch), strict=True))
    sqlite.execute("CREATE UNIQUE INDEX by_uuid ON events (uuid)")
    sqlite.execute("CREATE INDEX by_time ON events (timestamp, event)")
    sqlite.execute("ANALYZE")
    sqlite.commit()
    return count / took


def measure(count: int, directory: Path) -> dict[str, Any]:
    """All numbers of one run."""
    now = datetime.now(UTC)
    first, last = now.date() - timedelta(days=27), now.date()
    bounds = {
        "start": datetime(first.year, first.month, first.day, tzinfo=UTC),
        "end": datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1),
    }
    stamps = {name: round(moment.timestamp() * 1000) for name, moment in bounds.items()}
    file, other = directory / "bench.duckdb", directory / "bench.sqlite"
    with closing(DuckDBStore.open(f"duckdb:///{file}")) as store, closing(sqlite3.connect(other)) as sqlite:
        rate = fill(store, sqlite, count, now)
        store.compact()
        questions = {}
        for name, text in SQLITE.items():
            ours, cpu = spent(lambda name=name: store.ask(name, bounds))  # type: ignore[misc]
            theirs, _ = spent(lambda text=text: sqlite.execute(text, stamps).fetchall(), 3)  # type: ignore[misc]
            agree(name, store, sqlite.execute(text, stamps).fetchall(), bounds)
            questions[name] = {"ms": ours, "cpu_ms": cpu, "sqlite_ms": theirs, "times_faster": theirs / ours}
        pages = {
            "overview": spent(lambda: insights.overview(store, first, last, now)),
            "routes": spent(lambda: insights.routes(store, first, last, now)),
            "live": spent(lambda: insights.live(store, now)),
        }
    return {
        "events": count,
        "append_events_per_second": rate,
        "bytes_per_event": file.stat().st_size / count,
        "sqlite_bytes_per_event": other.stat().st_size / count,
        "questions": questions,
        "dashboards": {name: {"ms": wall, "cpu_ms": cpu} for name, (wall, cpu) in pages.items()},
    }


def agree(name: str, store: DuckDBStore, theirs: list[tuple[Any, ...]], bounds: dict[str, datetime]) -> None:
    """A race is only fair when both arrive at the same place."""
    ours = store.ask(name, bounds)
    if name == "engaged":
        middle = median(row[0] for row in theirs) if theirs else None
        same = (ours[0]["views_left"], ours[0]["median_ms"]) == (len(theirs), middle)
    elif name == "overview_totals":
        same = tuple(ours[0][key] for key in ("users", "teams", "sessions", "views")) == theirs[0]
    elif name == "route_views":
        same = {row["route"]: row["views"] for row in ours} == dict(theirs)
    elif name == "route_ends":
        same = {(row["entry"], row["exit"]): row["sessions"] for row in ours} == {row[:2]: row[2] for row in theirs}
    else:
        same = len(ours) == len({row[0] for row in theirs})
    if not same:
        raise SystemExit(f"{name}: the two do not agree\n{question(name)}\n{ours[:3]}\n{theirs[:3]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = measure(options.events, Path(directory))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['events']} events, {found['append_events_per_second']:.0f} a second into DuckDB")
    print(f"{found['bytes_per_event']:.0f} bytes an event (SQLite {found['sqlite_bytes_per_event']:.0f})")
    for name, one in found["questions"].items():
        print(
            f"{name:18} {one['ms']:7.1f} ms  (processor {one['cpu_ms']:6.1f})  "
            f"SQLite {one['sqlite_ms']:8.1f} ms  {one['times_faster']:5.1f} times"
        )
    for name, one in found["dashboards"].items():
        print(f"{name + ' (whole)':18} {one['ms']:7.1f} ms  (processor {one['cpu_ms']:6.1f})")


if __name__ == "__main__":
    main()
