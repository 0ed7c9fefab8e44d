"""Events a second from the outbox into DuckDB: claimed, appended in a transaction, settled."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
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
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.redact import Redactor

EVENTS, ROUNDS = 100_000, 3
FILL = 5_000


def report(events: int = EVENTS, rounds: int = ROUNDS) -> list[Table]:
    found = [_once(events) for _ in range(rounds)]
    title = f"Delivery of {events:,} events into DuckDB, the middle of {rounds}"
    table = Table(title, ["", "events/s", "CPU us/event"])
    rates, costs = zip(*found, strict=True)
    table.add("claim, append, settle", f"{median(rates):,.0f}", f"{median(costs):,.1f}")
    return [table]


def _once(events: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/bench.db")
        migrate(engine)
        outbox = Outbox(partial(transaction, engine), partial(reading, engine))
        _fill(outbox, events)
        with closing(DuckDBStore.open(f"duckdb:///{folder}/bench.duckdb")) as store:
            delivery = Delivery(outbox, LocalSink(store))
            wall, cpu = time.perf_counter(), time.process_time()
            while outbox.backlog("local").pending:
                delivery.step()
            took, spent = time.perf_counter() - wall, time.process_time() - cpu
        engine.dispose()
        return events / took, spent / events * 1e6


def _fill(outbox: Outbox, events: int) -> None:
    """Page leaves of 50 people, ten a second."""
    plan = Plan.load(PLAN)
    facts = {"apikey": "", "person": {"distinct_id": "", "ticket": ""}}
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
