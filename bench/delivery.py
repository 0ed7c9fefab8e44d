"""Events a second from the outbox into DuckDB: claimed, appended in a transaction, settled.

The baseline is what the same machine does with the same rows in the same run when nothing is promised: copied from the
outbox into a bare SQLite table with a key, as many in a transaction.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from bench.report import Table
from bench.traffic import event
from flowforge_ui.analytics.duckdb_store import DuckDBStore
from flowforge_ui.analytics.sink import LocalSink
from flowforge_ui.database import migrate, open_engine, reading, transaction
from flowforge_ui.factory import PLAN
from flowforge_ui.telemetry import counters
from flowforge_ui.telemetry.delivery import Delivery
from flowforge_ui.telemetry.event import Event, milliseconds, new_uuid
from flowforge_ui.telemetry.outbox import SINKS, Outbox
from flowforge_ui.telemetry.outbox_insert import COLUMNS
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.redact import Redactor

EVENTS, ROUNDS = 100_000, 3
FILL = 5_000


def report(events: int = EVENTS, rounds: int = ROUNDS) -> list[Table]:
    found, sizes = zip(*(_once(events) for _ in range(rounds)), strict=True)
    title = f"Delivery of {events:,} events into DuckDB, the middle of {rounds}"
    table = Table(title, ["", "events/s", "ratio", "CPU us/event", "ratio"])
    bare, ours = ([median(each) for each in zip(*kind, strict=True)] for kind in zip(*found, strict=True))
    for name, (rate, cost) in (("copied into a bare SQLite table", bare), ("claimed, appended, settled", ours)):
        table.add(name, f"{rate:,.0f}", f"{rate / bare[0]:.2f}", f"{cost:,.1f}", f"{cost / bare[1]:.2f}")
    log, store = (median(each) for each in zip(*sizes, strict=True))
    table.note(f"An event takes {log:,.0f} bytes in the outbox, for a week at most, and {store:,.0f} in the store.")
    return [table]


def _once(events: int) -> tuple[tuple[tuple[float, float], tuple[float, float]], tuple[float, float]]:
    """Events a second and microseconds of the processor an event, copied and delivered; bytes of an event."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/bench.db")
        migrate(engine)
        outbox = Outbox(partial(transaction, engine), partial(reading, engine))
        _fill(outbox, events)
        copied = _spent(events, lambda: _copy(f"{folder}/bench.db", f"{folder}/bare.db", LocalSink.batch))
        with closing(DuckDBStore.open(f"duckdb:///{folder}/bench.duckdb")) as store:
            delivered = _spent(events, lambda: _deliver(Delivery(outbox, LocalSink(store)), outbox))
            kept = store.ask("presence", {})[0]["events"]
            store.compact()
        engine.dispose()
        sizes = (Path(folder, "bench.db").stat().st_size, Path(folder, "bench.duckdb").stat().st_size)
    if kept != events:
        raise SystemExit(f"{kept} of {events} events arrived")
    return (copied, delivered), (sizes[0] / events, sizes[1] / events)


def _spent(events: int, act: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return events / (time.perf_counter() - wall), (time.process_time() - cpu) / events * 1e6


def _deliver(delivery: Delivery, outbox: Outbox) -> None:
    while outbox.backlog("local").pending:
        delivery.step()


def _copy(source: str, target: str, batch: int) -> None:
    names = ", ".join(COLUMNS)
    with closing(sqlite3.connect(source)) as log, closing(sqlite3.connect(target)) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute(f"CREATE TABLE bare ({names}, PRIMARY KEY (uuid))")
        rows = log.execute(f"SELECT {names} FROM outbox ORDER BY id")
        while piece := rows.fetchmany(batch):
            bare.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * len(COLUMNS))})", piece)
            bare.commit()


def _fill(outbox: Outbox, events: int) -> None:
    """Page leaves of 50 people, ten a second."""
    plan = Plan.load(PLAN)
    facts = {"apikey": "", "api_host": "http://127.0.0.1/t", "person": {"distinct_id": "", "ticket": ""}}
    clean = dict(Redactor(plan, "http://127.0.0.1").clean("$pageleave", event(facts)["properties"]).properties)
    start = datetime.now(UTC) - timedelta(hours=5)
    for begin in range(0, events, FILL):
        at = milliseconds(start + timedelta(seconds=begin / 10))
        rows = []
        for number in range(begin, min(events, begin + FILL)):
            properties = {**clean, "view_id": new_uuid(), "role": "user", "app_version": "0.9.0", "source": "router"}
            made = Event(new_uuid(), "$pageleave", f"u_{number % 50:026d}", at, properties, "browser", at)
            rows.append(outbox.row(made, SINKS["local"]))
        with outbox.transaction() as tx:
            counters.add(tx, outbox.write(tx, rows))


if __name__ == "__main__":
    for table in report():
        print(table)
