"""The store for more than one server process: ClickHouse, over HTTP (or chDB in process, for tests)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit
from uuid import UUID

import clickhouse_connect
from clickhouse_connect.driver import exceptions

from flowforge_ui.analytics.columns import COLUMNS, Column, Kind, each_once, table
from flowforge_ui.analytics.errors import EventRefused, StoreError, StoreTooNew, StoreUnavailable
from flowforge_ui.analytics.store import question as read_question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clickhouse_connect.driver.client import Client

    from flowforge_ui.analytics.store import Parameter, Row
    from flowforge_ui.telemetry.event import Event

LAYOUT = 1
_PIECE = 4000  # uuids in one query; a query's text may be 256 KiB long

_TYPES: dict[Kind, str] = {
    "uuid": "UUID",
    "name": "Nullable(UUID)",
    "text": "LowCardinality(Nullable(String))",
    "time": "DateTime64(3, 'UTC')",
    "integer": "Nullable(Int64)",
    "number": "Nullable(Float32)",
    "flag": "Bool",
    "json": "Nullable(String)",
}
# The table is sorted by what a repeat shares with its original, so that the engine itself lets only one remain;
# `final` makes the questions see it so before the parts have been merged.
_KEY = "day, event, timestamp, uuid"
_SETTINGS = {"final": 1, "join_use_nulls": 1, "aggregate_functions_null_for_empty": 1}


def _type(column: Column) -> str:
    if column.name in {"event", "origin"}:
        return "LowCardinality(String)"
    if column.name == "distinct_id":
        return "String"
    if column.kind == "uuid" and column.source:
        return "Nullable(UUID)"
    return _TYPES[column.kind]


_CREATE = (
    "CREATE TABLE IF NOT EXISTS about (name String, value String) ENGINE = ReplacingMergeTree ORDER BY name",
    "CREATE TABLE IF NOT EXISTS events (day Date, "
    + ", ".join(f"{column.name} {_type(column)}" for column in COLUMNS)
    + f") ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY ({_KEY})",
)


class ClickHouseStore:
    """A database of a ClickHouse server."""

    def __init__(self, client: Client, url: str) -> None:
        """Take over a connected client; creates what is missing in its database."""
        self.url = url
        self._client = client
        self._where = re.sub(r"//[^@/]*@", "//", url)
        with self._translated():
            for statement in _CREATE:
                client.command(statement)
            found = client.query("SELECT max(toInt32(value)) FROM about WHERE name = 'layout'").result_rows[0][0]
            if not found:
                client.insert("about", [["layout", str(LAYOUT)]], column_names=["name", "value"])
        if found and found > LAYOUT:
            raise StoreTooNew(self._where, int(found), LAYOUT)

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect to `clickhouse://user:password@host:port/database` (`clickhouses` for TLS)."""
        parts = urlsplit(url)
        try:
            client = clickhouse_connect.get_client(
                host=parts.hostname or "localhost",
                port=parts.port or 0,
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password or ""),
                database=unquote(parts.path.strip("/")) or "default",
                secure=parts.scheme == "clickhouses",
                connect_timeout=5,
                send_receive_timeout=30,
                autogenerate_session_id=False,  # a session admits one query at a time
            )
        except (exceptions.Error, OSError) as error:
            where = f"{parts.hostname}:{parts.port or 'default port'}"
            raise StoreUnavailable(f"ClickHouse at {where} cannot be used: {_first_line(error, url)}") from error
        return cls(client, url)

    def append(self, events: Sequence[Event]) -> int:
        fresh = each_once(events)
        if not fresh:
            return 0
        with self._translated():
            known = self._known(fresh)
            new = [event for event in fresh if event.uuid not in known]
            if new:
                self._insert(new)
        return len(new)

    def ask(self, question: str, parameters: Mapping[str, Parameter]) -> list[Row]:
        text, values = _dialect(read_question(question), parameters)
        with self._translated():
            result = self._client.query(text, parameters=values, settings=_SETTINGS)
            return [_row(result.column_names, row) for row in result.result_rows]

    def scan(self, question: str, parameters: Mapping[str, Parameter], rows: int = 10_000) -> Iterator[list[Row]]:
        text, values = _dialect(read_question(question), parameters)
        settings = {**_SETTINGS, "max_block_size": rows}
        with (
            self._translated(),
            self._client.query_row_block_stream(text, parameters=values, settings=settings) as stream,
        ):
            names = stream.source.column_names
            for block in stream:
                yield [_row(names, row) for row in block]

    def latest(self) -> datetime | None:
        held = self.ask("presence", {})[0]
        return held["received_at"] if held["events"] else None

    def prune(self, before: datetime) -> int:
        limit = f"timestamp < fromUnixTimestamp64Milli({int(before.timestamp() * 1000)}, 'UTC')"
        return self._delete(limit)

    def remove_demo(self) -> int:
        return self._delete("demo")

    def close(self) -> None:
        self._client.close()

    def _known(self, fresh: Sequence[Event]) -> set[str]:
        """Which of the events are there already; they can only lie in the batch's own span of time."""
        try:
            uuids = [str(UUID(event.uuid)) for event in fresh]
        except ValueError as error:
            raise EventRefused(str(error)) from error
        first = min(event.timestamp for event in fresh)
        last = max(event.timestamp for event in fresh)
        known: set[str] = set()
        for index in range(0, len(uuids), _PIECE):
            piece = ", ".join(f"'{uuid}'" for uuid in uuids[index : index + _PIECE])
            found = self._client.query(
                f"SELECT uuid FROM events WHERE timestamp BETWEEN fromUnixTimestamp64Milli({first}, 'UTC') "
                f"AND fromUnixTimestamp64Milli({last}, 'UTC') AND uuid IN ({piece})"
            )
            known.update(str(row[0]) for row in found.result_rows)
        return known

    def _insert(self, events: Sequence[Event]) -> None:
        columns = [_written(column, values) for column, values in zip(COLUMNS, table(events), strict=True)]
        days = [datetime.fromtimestamp(event.timestamp / 1000, UTC).date() for event in events]
        self._client.insert(
            "events", [days, *columns], column_names=["day", *(c.name for c in COLUMNS)], column_oriented=True
        )

    def _delete(self, condition: str) -> int:
        with self._translated():
            counted = self._client.query(f"SELECT count(*) FROM events WHERE {condition}", settings={"final": 1})
            count = int(counted.result_rows[0][0])
            if count:
                self._client.command(f"ALTER TABLE events DELETE WHERE {condition} SETTINGS mutations_sync = 1")
        return count

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exceptions.OperationalError, OSError) as error:
            raise StoreUnavailable(f"ClickHouse cannot work now: {_first_line(error, self.url)}") from error
        except exceptions.Error as error:
            raise StoreError(f"ClickHouse failed: {_first_line(error, self.url)}") from error


def _written(column: Column, values: list[Any]) -> list[Any]:
    if column.kind in {"uuid", "name"}:
        return [_uuid(value) for value in values]
    if column.kind == "time":
        return [datetime.fromtimestamp(value / 1000, UTC) for value in values]
    if column.kind in {"text", "json"}:
        return [value.encode("utf-8", "replace").decode() if value else value for value in values]
    return values


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def _dialect(text: str, parameters: Mapping[str, Parameter]) -> tuple[str, dict[str, Any]]:
    """The question in ClickHouse's words: its quantile, and its way to bind a value."""
    text = re.sub(r"quantile_cont\(([\w.]+), ([\d.]+)\)", r"quantileExactInclusive(\2)(\1)", text)
    values: dict[str, Any] = {}
    for name, value in parameters.items():
        placeholder, values[name] = _placeholder(name, value)
        text = re.sub(rf"\${name}\b(?!')", placeholder, text)
    return text, values


def _placeholder(name: str, value: Parameter) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return f"fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')", round(value.timestamp() * 1000)
    if isinstance(value, date):
        return f"{{{name}:Date32}}", value
    return (f"{{{name}:Int64}}", value) if isinstance(value, int) else (f"{{{name}:String}}", value)


def _row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in zip(names, values, strict=True)}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return str(value) if isinstance(value, UUID) else value


def _first_line(error: Exception, url: str) -> str:
    """What went wrong, without the password that stands in the URL."""
    text = str(error).partition("\n")[0]
    password = urlsplit(url).password
    for secret in {password, unquote(password)} if password else set():
        text = text.replace(secret, "***")
    return text
