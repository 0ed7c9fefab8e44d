"""The embedded store: one DuckDB file, one writer, many readers, in this process only."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import duckdb

from flowforge_ui.analytics.columns import COLUMNS, NAMES, TAKEN, Column, Kind, as_text, document, each_once
from flowforge_ui.analytics.errors import (
    EventRefused,
    StoreDamaged,
    StoreError,
    StoreInUse,
    StoreTooNew,
    StoreUnavailable,
)
from flowforge_ui.analytics.store import question as read_question
from flowforge_ui.processors import anywhere

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flowforge_ui.analytics.store import Parameter, Row
    from flowforge_ui.telemetry.event import Event

LAYOUT = 1
MEMORY = "512MB"  # of the engine's own; a question over a million events needs a tenth
SPILL = "2GB"  # on disk, beside the file, when a question needs more than MEMORY
THREADS = 4  # at most; a small server keeps its other cores for pages

_LAST_QUESTIONS = 30.0  # seconds they may take while the store is being closed

_TYPES: dict[Kind, str] = {
    "uuid": "UUID",
    "name": "VARCHAR",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "integer": "BIGINT",
    "number": "FLOAT",
    "flag": "BOOLEAN",
    "json": "VARCHAR",
}
_CREATE = (
    "CREATE TABLE about (name VARCHAR, value VARCHAR)",
    "CREATE TABLE events (day DATE, " + ", ".join(f'"{column.name}" {_TYPES[column.kind]}' for column in COLUMNS) + ")",
)


# How a batch arrives: what every event has as a JSON array each, because that is the fastest way in which needs neither
# pandas nor Arrow; the properties as they are, JSON objects one after the other. JSON holds no such separator.
_SEPARATOR = "\x1e"
_ARRIVES = {
    "uuid": "VARCHAR",
    "event": "VARCHAR",
    "distinct_id": "VARCHAR",
    "timestamp": "BIGINT",
    "received_at": "BIGINT",
    "origin": "VARCHAR",
}


def _insert() -> str:
    arrays = ", ".join(f"""unnest(from_json(?, '["{kind}"]')) AS {name}""" for name, kind in _ARRIVES.items())
    read = {column.source: _READ.get(column.kind, "VARCHAR") for column in COLUMNS if column.source}
    names = ", ".join(f'"{name}"' for name in NAMES)
    return (
        f"INSERT INTO events ({names}) SELECT CAST(make_timestamp_ms(timestamp) AS DATE), "
        f"{', '.join(map(_stored, COLUMNS))} FROM (SELECT *, from_json(told, '{json.dumps(read)}') AS known "
        f"FROM (SELECT {arrays}, unnest(string_split(?, '{_SEPARATOR}')) AS told))"
    )


def _stored(column: Column) -> str:
    """A column's value, of an event that has arrived as `_insert` says."""
    if column.kind == "json":
        # A patch (RFC 7396) takes away what it names with null.
        without = json.dumps(dict.fromkeys(sorted(TAKEN)))
        return f"nullif(CAST(json_merge_patch(told, '{without}') AS VARCHAR), '{{}}')"
    value = column.name if column.source is None else f'known."{column.source}"'
    if column.kind == "time":
        return f"make_timestamp_ms({value})"
    if column.kind == "uuid":
        # The event's own uuid must be one; of the others, what is none is left out.
        return f"CAST({value} AS UUID)" if column.source is None else f"TRY_CAST({value} AS UUID)"
    if column.kind == "name":
        return f"CAST(TRY_CAST({value} AS UUID) AS VARCHAR)"
    return f"coalesce({value}, false)" if column.kind == "flag" else value


_READ: dict[Kind, str] = {"integer": "BIGINT", "number": "FLOAT", "flag": "BOOLEAN"}
_INSERT = _insert()
# A uuid and its timestamp are fixed together when the fact is recorded, so a repeat can only lie in the batch's own
# span of time: no key over the whole table is needed, and none has to fit into memory.
_KNOWN = (
    """SELECT batch.uuid FROM (SELECT unnest(from_json(?, '["VARCHAR"]')) AS uuid) AS batch SEMI JOIN (SELECT uuid """
    "FROM events WHERE timestamp BETWEEN make_timestamp_ms(?) AND make_timestamp_ms(?)) AS known "
    "ON known.uuid = CAST(batch.uuid AS UUID)"
)
_PASSING = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,  # a commit that found the disk full
    duckdb.FatalException,
    duckdb.ConnectionException,
    duckdb.ResourceInUseException,
)


class DuckDBStore:
    """A DuckDB file (or memory, for `duckdb:///:memory:`)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, url: str, path: str) -> None:
        self.url = url
        self.path = path
        self._root = connection
        self._writer = connection.cursor()
        self._writing = threading.Lock()
        self._opening = threading.Lock()
        self._closed = False
        self._fatal = False

    @classmethod
    def open(cls, url: str) -> Self:
        """Open `duckdb:///relative` or `duckdb:////absolute`, creating the file when there is none."""
        path = url.removeprefix("duckdb:///")
        connection = _connect(path)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(connection, url, path)

    def append(self, events: Sequence[Event]) -> int:
        fresh = each_once(events)
        if not fresh:
            return 0
        with self._transaction() as writer:
            try:
                fresh = _without_known(writer, fresh)
                if fresh:
                    _insert_all(writer, fresh)
            except (duckdb.DataError, duckdb.InvalidInputException) as error:
                raise EventRefused(_first_line(error)) from error
        return len(fresh)

    def ask(self, question: str, parameters: Mapping[str, Parameter]) -> list[Row]:
        with self._reading() as cursor:
            result = cursor.execute(read_question(question), _bind(parameters))
            names = [column[0] for column in result.description or ()]
            return [_row(names, row) for row in result.fetchall()]

    def scan(self, question: str, parameters: Mapping[str, Parameter], rows: int = 10_000) -> Iterator[list[Row]]:
        with self._reading() as cursor:
            result = cursor.execute(read_question(question), _bind(parameters))
            names = [column[0] for column in result.description or ()]
            while piece := result.fetchmany(rows):
                yield [_row(names, row) for row in piece]

    def latest(self) -> datetime | None:
        moment: datetime | None = self.ask("presence", {})[0]["received_at"]
        return moment

    def prune(self, before: datetime) -> int:
        with self._transaction() as writer:
            counted = writer.execute("DELETE FROM events WHERE timestamp < ?", [_naive(before)]).fetchone()
        return self._forgotten(counted)

    def remove_demo(self) -> int:
        with self._transaction() as writer:
            counted = writer.execute("DELETE FROM events WHERE demo").fetchone()
        return self._forgotten(counted)

    def close(self) -> None:
        with self._writing, self._opening, self._translated():
            if not self._closed:
                self._closed = True
                self._let_go()

    def _forgotten(self, counted: tuple[Any, ...] | None) -> int:
        count = int(counted[0]) if counted else 0
        if count:
            # What was forgotten must not linger in the write-ahead log.
            self.compact()
        return count

    def compact(self) -> None:
        """Write the log into the file."""
        with self._writing, self._translated():
            self._ensure_open()
            self._writer.execute("CHECKPOINT")

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._writing, self._translated():
            self._ensure_open()
            self._writer.execute("BEGIN")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        try:
            self._writer.execute("ROLLBACK")
        except duckdb.Error:
            # The engine has given the transaction up already; a fresh connection starts clean.
            self._writer = self._root.cursor()

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._translated():
            if self._fatal:
                with self._writing:
                    self._ensure_open()
            with self._opening:
                self._check_open()
                cursor = self._root.cursor()
            try:
                yield cursor
            finally:
                cursor.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"The analytics store {self.path} has been closed.")

    def _ensure_open(self) -> None:
        """For whoever holds `_writing`, which is always taken before `_opening`."""
        with self._opening:
            self._check_open()
            if self._fatal:
                # The engine refuses all work after a fatal error (a full disk, for instance) until it is opened anew.
                self._let_go()
                self._root = _connect(self.path)
                self._writer = self._root.cursor()
                self._fatal = False

    def _let_go(self) -> None:
        """Close the file. The engine refuses while a question is being answered, so let those finish."""
        self._writer.close()
        end = time.monotonic() + _LAST_QUESTIONS
        while True:
            try:
                self._root.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > end:
                    raise
                time.sleep(0.005)
            else:
                return

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with anywhere():
                yield
        except duckdb.Error as error:
            if self._closed:
                raise StoreUnavailable(f"The analytics store {self.path} has been closed.") from error
            self._fatal = self._fatal or isinstance(error, duckdb.FatalException | duckdb.ConnectionException)
            kind = StoreUnavailable if isinstance(error, _PASSING) else StoreError
            raise kind(f"The analytics store {self.path} failed: {_first_line(error)}") from error


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": str(min(THREADS, os.cpu_count() or 1)),
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if path != ":memory:":
        settings |= {"temp_directory": f"{path}.tmp", "max_temp_directory_size": SPILL}
        if not Path(path).parent.is_dir():
            raise StoreUnavailable(f"The directory of the analytics store {path} does not exist.")
    try:
        with anywhere():
            connection = duckdb.connect(path, config={**settings, "lock_configuration": "true"})
    except duckdb.Error as error:
        raise _opening_error(path, str(error)) from error
    if path != ":memory:":
        Path(path).chmod(0o600)
    return connection


def _opening_error(path: str, text: str) -> StoreError:
    if "Conflicting lock" in text or "set lock" in text:
        holder = re.search(r"PID (\d+)", text)
        return StoreInUse(path, int(holder[1]) if holder else None)
    first = text.splitlines()[0].rstrip(".! ")
    if "Cannot open file" in text or "Permission denied" in text:
        return StoreUnavailable(f"The analytics store {path} cannot be opened: {first}.")
    return StoreDamaged(path, first)


def _prepare(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    try:
        known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'about'").fetchone()
        if known:
            row = connection.execute("SELECT value FROM about WHERE name = 'layout'").fetchone()
            found = int(row[0]) if row else LAYOUT
            if found > LAYOUT:
                raise StoreTooNew(path, found, LAYOUT)
            return
        connection.execute("BEGIN")
        for statement in _CREATE:
            connection.execute(statement)
        connection.execute("INSERT INTO about VALUES ('layout', ?)", [str(LAYOUT)])
        connection.execute("COMMIT")
    except duckdb.Error as error:
        raise StoreDamaged(path, _first_line(error)) from error


def _without_known(writer: duckdb.DuckDBPyConnection, events: list[Event]) -> list[Event]:
    """The events that are not in the store yet."""
    stamps = [event.timestamp for event in events]
    uuids = document([event.uuid for event in events])
    known = {uuid for (uuid,) in writer.execute(_KNOWN, [uuids, min(stamps), max(stamps)]).fetchall()}
    return [event for event in events if event.uuid not in known] if known else events


def _insert_all(writer: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    values: list[list[Any]] = [
        [event.uuid for event in events],
        [event.name for event in events],
        [event.distinct_id for event in events],
        [event.timestamp for event in events],
        [event.recorded_at or event.timestamp for event in events],
        [event.origin for event in events],
    ]
    properties = _SEPARATOR.join([as_text(event.properties) for event in events])
    if writer.execute(_INSERT, [*map(document, values), properties]).fetchone() != (len(events),):
        raise EventRefused("An event's properties are no JSON")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _bind(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    return {name: _naive(value) if isinstance(value, datetime) else value for name, value in parameters.items()}


def _naive(moment: datetime) -> datetime:
    """Drop the zone: the engine's timestamps are UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in zip(names, values, strict=True)}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return str(value) if isinstance(value, UUID) else value
