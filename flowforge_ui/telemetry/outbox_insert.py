"""Rows into the outbox, many with one statement.

SQLite's driver lets other threads run at each statement and then waits for its turn; what is written with one
statement waits once, however many rows it has.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from .direct import execute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

COLUMNS = ("uuid", "event", "distinct_id", "timestamp", "recorded_at", "origin", "properties", "pending")
SIZES = (120, 40, 10, 3, 1)
"""Rows of one statement: few sizes, so that each stays prepared; older SQLites take 999 values."""

InsertRow = tuple[str, str, str, int, int, str, str, int]
"""The values of COLUMNS; `properties` as JSON."""

_MARK = {"sqlite": "?", "postgresql": "%s"}


def insert(tx: Connection, rows: Sequence[InsertRow]) -> int:
    """Writes the rows whose uuid is not there yet; answers how many those were."""
    written = start = 0
    for size in SIZES:
        statement = _statement(tx.dialect.name, size)
        while len(rows) - start >= size:
            values = tuple(chain.from_iterable(rows[start : start + size]))
            written += execute(tx, statement, values)
            start += size
    return written


def insert_one(tx: Connection, row: InsertRow) -> int:
    """`insert` of one row, without what only many need."""
    return execute(tx, _statement(tx.dialect.name, 1), row)


@cache
def _statement(dialect: str, size: int) -> str:
    row = f"({', '.join([_MARK[dialect]] * len(COLUMNS))}, 0, 0, 0)"
    return (
        f"INSERT INTO outbox ({', '.join(COLUMNS)}, delivered, failed, abandoned) "
        f"VALUES {', '.join([row] * size)} ON CONFLICT (uuid) DO NOTHING"
    )
