"""Statements that are written at every act and every request, handed to the driver itself.

SQLAlchemy's part of such a statement costs several times the database's. Its errors are kept: whoever catches them
need not know which way a statement went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def execute(tx: Connection, statement: str, values: Sequence[object]) -> int:
    """How many rows a statement, in the driver's own words, has changed.

    Raises what SQLAlchemy raises for the driver's error. Never tried again: some errors end SQLite's transaction, and
    what came after would stand without the act it belongs to.
    """
    # Both drivers' connections make the cursor themselves.
    driver: Any = tx.connection.driver_connection
    try:
        changed: int = driver.execute(statement, values).rowcount
    except tx.dialect.loaded_dbapi.Error as error:
        raise _translated(tx, statement, values, error) from error
    return changed


def _translated(tx: Connection, statement: str, values: Sequence[object], error: Exception) -> Exception:
    lost = tx.dialect.is_disconnect(error, tx.connection.driver_connection, None)  # type: ignore[arg-type]
    if lost:
        tx.invalidate(error)
    base = tx.dialect.loaded_dbapi.Error
    return DBAPIError.instance(statement, tuple(values), error, base, tx.engine.hide_parameters, lost, tx.dialect)
