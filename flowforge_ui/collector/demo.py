"""Fills a collector with a made-up fleet, and takes exactly that away again.

The fleet is kept by the code that keeps pings, in a database of its own beside; what comes of it is added to the
collector's in one transaction. Counts hold no ids, so what was added to each is written down (table ``made_up``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from flowforge_ui.collector.demo_fleet import DAYS, Fleet
from flowforge_ui.collector.ping import Ping
from flowforge_ui.collector.store import PingStore

_AT_ONCE = 1_000
_DAYS_AT_ONCE = 8
# Refusals and unknown names as any collector on the internet sees them.
_REFUSED = {"invalid": 214, "too_large": 3, "rate": 12}
_UNKNOWN = {"platform.counts.blueprints": 310, "platform.config.sso.enabled": 310, "uptime": 41}


@dataclass(frozen=True, slots=True)
class Held:
    """Installations the collector knows: real ones and made-up ones."""

    real: int
    made_up: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What a demonstration consists of."""

    pings: int
    installations: int


def held(store: PingStore) -> Held:
    """How many installations of each kind there are."""
    tables = store.tables
    with store.reading() as tx:
        known = tx.execute(sa.select(sa.func.count()).select_from(tables.installation)).scalar_one()
        ours = tx.execute(sa.select(sa.func.count()).where(tables.made_up.c.what == "installation")).scalar_one()
    return Held(known - ours, ours)


def fill(store: PingStore, fleet: Fleet, progress: Callable[[], None] = lambda: None) -> Filled:
    """Add the fleet, in place of an earlier one. ``progress`` is called after each day."""
    pings = 0
    with tempfile.TemporaryDirectory(prefix="flowforge-demo-") as folder:
        beside = PingStore(f"sqlite:///{Path(folder) / 'fleet.db'}", store.plan)
        try:
            beside.prepare()
            now_ms = int(fleet.end.timestamp() * 1000)
            waiting: list[Ping] = []
            for number, day in enumerate(fleet.days(), 1):
                waiting += day
                if number % _DAYS_AT_ONCE == 0 or number == DAYS:
                    with beside.writing() as tx:
                        beside.keep(tx, waiting, now_ms)
                    pings += len(waiting)
                    waiting = []
                progress()
            with beside.writing() as tx:
                beside.tally(tx, "refused", _REFUSED)
                beside.tally(tx, "unknown_field", _UNKNOWN)
            with beside.reading() as source, store.writing() as tx:
                _take_away(store, tx)
                return Filled(pings, _add(store, tx, source))
        finally:
            beside.close()


def remove(store: PingStore) -> int:
    """Take the demonstration away; how many installations it had."""
    with store.writing() as tx:
        return _take_away(store, tx)


def _counts(store: PingStore) -> tuple[sa.Table, ...]:
    tables = store.tables
    return tables.roll_up, tables.last_heard, tables.upgrade_lag, tables.counter


def _add(store: PingStore, tx: sa.Connection, source: sa.Connection) -> int:
    tables = store.tables
    made_up: list[dict[str, object]] = []
    installations = 0
    for rows in _pieces(source, tables.installation):
        store.upsert(tx, tables.installation, rows)
        made_up += [{"what": "installation", "key": row["instance_id"], "n": 1} for row in rows]
        installations += len(rows)
    for table in (tables.chain, tables.raw):
        for rows in _pieces(source, table):
            store.upsert(tx, table, rows)
    for table in _counts(store):
        keys = [each.name for each in table.primary_key]
        for rows in _pieces(source, table):
            store.add(tx, table, {tuple(row[key] for key in keys): int(str(row["n"])) for row in rows})
            made_up += [{"what": table.name, "key": _as_text(row, keys), "n": row["n"]} for row in rows]
    for rows in _pieces(source, tables.release):
        store.add_missing(tx, tables.release, rows)
        made_up += [{"what": "release", "key": row["version"], "n": row["first_seen"]} for row in rows]
    for start in range(0, len(made_up), _AT_ONCE):
        tx.execute(tables.made_up.insert(), made_up[start : start + _AT_ONCE])
    return installations


def _take_away(store: PingStore, tx: sa.Connection) -> int:
    tables = store.tables
    made_up = tables.made_up
    ours = sa.select(made_up.c.key).where(made_up.c.what == "installation")
    for table in (tables.raw, tables.chain):
        tx.execute(table.delete().where(table.c.instance_id.in_(ours)))
    gone = tx.execute(tables.installation.delete().where(tables.installation.c.instance_id.in_(ours))).rowcount
    for table in _counts(store):
        shares = tx.execute(sa.select(made_up.c.key, made_up.c.n).where(made_up.c.what == table.name)).all()
        store.add(tx, table, {_as_key(table, key): -n for key, n in shares})
        tx.execute(table.delete().where(table.c.n == 0))
    # A version that a real installation carried first keeps its date; one that only the demonstration knew goes.
    for version, first_seen in tx.execute(
        sa.select(made_up.c.key, made_up.c.n).where(made_up.c.what == "release")
    ).all():
        release = tables.release
        tx.execute(release.delete().where(release.c.version == version, release.c.first_seen == first_seen))
    tx.execute(made_up.delete())
    return gone


def _pieces(tx: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, object]]]:
    found = tx.execute(sa.select(table).order_by(*table.primary_key)).mappings()
    while rows := found.fetchmany(_AT_ONCE):
        yield [{str(key): value for key, value in row.items()} for row in rows]


def _as_text(row: dict[str, object], keys: Sequence[str]) -> str:
    return json.dumps([row[key] for key in keys], default=str)


def _as_key(table: sa.Table, text: str) -> tuple[object, ...]:
    return tuple(
        date.fromisoformat(part) if isinstance(column.type, sa.Date) else part
        for column, part in zip(table.primary_key, json.loads(text), strict=True)
    )
