"""Rows into the outbox, many with one statement, and beside each what its sinks still have to get.

SQLite's driver lets other threads run at each statement and then waits for its turn; what is written with one
statement waits once, however many rows it has.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from .direct import execute
from .outbox_tables import SINKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

COLUMNS = ("uuid", "event", "distinct_id", "timestamp", "recorded_at", "origin", "properties", "addressed")
SIZES = (120, 40, 10, 3, 1)
"""Rows of one statement: few sizes, so that each stays prepared; older SQLites take 999 values."""

InsertRow = tuple[str, str, str, int, int, str, str, int]
"""The values of COLUMNS; `properties` as JSON."""


def insert(tx: Connection, rows: Sequence[InsertRow]) -> int:
    """Writes the rows, all to the same sinks; of browsers' only those whose uuid is not there yet. Answers how many."""
    sinks = _sinks(rows[0][-1])
    if tx.dialect.name == "postgresql":
        # Two that write the same uuids in another order would each wait for the other, and one would fail.
        execute(tx, "SELECT pg_advisory_xact_lock(%s)", (_WRITING,))
        return _insert(tx, rows, sinks) // len(sinks)
    # Nobody else writes meanwhile: what is above the highest number of before is what was written here.
    highest = tx.exec_driver_sql("SELECT coalesce(max(id), 0) FROM outbox").scalar_one()
    written = _insert(tx, rows, sinks)
    for sink in sinks:
        execute(tx, _ABOVE, (sink, highest))
    return written


def insert_one(tx: Connection, row: InsertRow) -> int:
    """`insert` of one row, without what only many need."""
    sinks = _sinks(row[-1])
    written = execute(tx, _statement(tx.dialect.name, 1, sinks), row)
    if tx.dialect.name == "postgresql":
        return written // len(sinks)
    if written:
        execute(tx, _just_now(len(sinks)), sinks)
    return written


_WRITING = 0x6F7574626F78
"""PostgreSQL's number for "many rows are being written", this program's own choice."""
_ABOVE = "INSERT INTO outbox_pending (sink, outbox_id) SELECT ?, id FROM outbox WHERE id > ?"


def _insert(tx: Connection, rows: Sequence[InsertRow], sinks: tuple[int, ...]) -> int:
    changed = start = 0
    for size in SIZES:
        statement = _statement(tx.dialect.name, size, sinks)
        while len(rows) - start >= size:
            values = tuple(chain.from_iterable(rows[start : start + size]))
            changed += execute(tx, statement, values)
            start += size
    return changed


@cache
def _sinks(mask: int) -> tuple[int, ...]:
    return tuple(bit for bit in SINKS.values() if mask & bit)


@cache
def _just_now(sinks: int) -> str:
    """SQLite: for the row this connection has written last."""
    return f"INSERT INTO outbox_pending (sink, outbox_id) VALUES {', '.join(['(?, last_insert_rowid())'] * sinks)}"


@cache
def _statement(dialect: str, size: int, sinks: tuple[int, ...]) -> str:
    """On PostgreSQL it writes the sinks' rows as well, and those are what it counts."""
    mark = {"sqlite": "?", "postgresql": "%s"}[dialect]
    row = f"({', '.join([mark] * len(COLUMNS))})"
    events = (
        f"INSERT INTO outbox ({', '.join(COLUMNS)}) VALUES {', '.join([row] * size)} "
        "ON CONFLICT (uuid) WHERE origin = 'browser' DO NOTHING"
    )
    if dialect == "sqlite":
        return events
    bits = ", ".join(f"({sink})" for sink in sinks)
    return (
        f"WITH new AS ({events} RETURNING id) INSERT INTO outbox_pending (sink, outbox_id) "
        f"SELECT bit, id FROM new CROSS JOIN (VALUES {bits}) AS sinks (bit)"
    )
