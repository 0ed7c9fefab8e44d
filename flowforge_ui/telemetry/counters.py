"""Counters of what happened to events, changed in the transaction in which it happened, so that they add up.

accepted (by origin) + dropped (by reason) = events sent to us; for each sink addressed = delivered + failed +
abandoned + what is still pending.
"""

from __future__ import annotations

import secrets
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, select

from .direct import execute
from .outbox_tables import SINKS, counters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

Kind = Literal[
    "accepted", "recorded", "dropped", "refused", "property", "addressed", "delivered", "failed", "abandoned"
]
Tally = Counter[tuple[Kind, str]]

_ROW = {"sqlite": "(?, ?, ?, ?)", "postgresql": "(%s, %s, %s, %s)"}


def add(tx: Connection, tally: Mapping[tuple[Kind, str], int], *, early: bool = False) -> None:
    """Adds to the counters. `early` tells that the transaction goes on for a while after this.

    On PostgreSQL an updated row is locked until its transaction ends; one that goes on adds rows of its own instead.
    """
    part = _part(tx, early=early)
    values: list[str | int] = []
    for (kind, name), n in sorted(tally.items()):
        if n:
            values += kind, name, part, n
    if values:
        execute(tx, _upsert(tx.dialect.name, len(values) // 4), values)


def one(tx: Connection, kind: Kind, name: str, *, early: bool = False) -> None:
    """`add` of one to one counter, without what only several need."""
    execute(tx, _upsert(tx.dialect.name, 1), (kind, name, _part(tx, early=early), 1))


def _part(tx: Connection, *, early: bool) -> int:
    return secrets.randbits(62) + 1 if early and tx.dialect.name != "sqlite" else 0


@cache
def _upsert(dialect: str, rows: int) -> str:
    return (
        f"INSERT INTO telemetry_count (kind, name, part, n) VALUES {', '.join([_ROW[dialect]] * rows)} "
        "ON CONFLICT (kind, name, part) DO UPDATE SET n = telemetry_count.n + excluded.n"
    )


@cache
def recorded(origin: str, addressed: int) -> str:
    """The counter of events of one origin to the same sinks: one row says what is accepted and what is addressed."""
    return f"{origin}/{addressed}"


def read(tx: Connection) -> dict[str, dict[str, int]]:
    """Every counter: kind -> name -> number."""
    rows = tx.execute(select(counters.c.kind, counters.c.name, func.sum(counters.c.n)).group_by("kind", "name"))
    counts: dict[str, Counter[str]] = {}
    for kind, name, n in rows:
        for told, key in _told(kind, name):
            counts.setdefault(told, Counter())[key] += int(n)
    return {kind: dict(found) for kind, found in counts.items()}


def _told(kind: str, name: str) -> list[tuple[str, str]]:
    if kind != "recorded":
        return [(kind, name)]
    origin, _, addressed = name.partition("/")
    return [("accepted", origin), *(("addressed", sink) for sink, bit in SINKS.items() if int(addressed) & bit)]


def compact(tx: Connection) -> None:
    """Adds the rows of their own up into the sums."""
    statement = delete(counters).where(counters.c.part != 0)
    tally: Tally = Counter()
    for kind, name, n in tx.execute(statement.returning(counters.c.kind, counters.c.name, counters.c.n)):
        tally[kind, name] += n
    add(tx, tally)


def total(counts: Mapping[str, Mapping[str, int]], kind: Kind) -> int:
    return sum(counts.get(kind, {}).values())
