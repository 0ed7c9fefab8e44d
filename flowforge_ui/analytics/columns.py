"""The table of events: which property becomes a column, and how an event becomes a row. Pure.

A property of the plan that a question reads has a column of its own; all others are kept together as JSON in
`properties`. Nothing here knows an engine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from flowforge_ui.analytics.errors import EventRefused
from flowforge_ui.telemetry.stored import StoredProperties

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowforge_ui.telemetry.event import Event

# "name" is a uuid that stands on many rows: engines keep it as text in a dictionary, which is a fifth of the size.
Kind = Literal["uuid", "name", "text", "time", "integer", "number", "flag", "json"]

_LARGEST = 2**63 - 1
_END_OF_TIME = 4_102_444_800_000  # the year 2100, in milliseconds; both engines' dates reach that far


@dataclass(frozen=True)
class Column:
    """A column of the table; `source` is the event's property it is taken from, if it is taken from one."""

    name: str
    kind: Kind
    source: str | None = None


COLUMNS: tuple[Column, ...] = (
    Column("uuid", "uuid"),
    Column("event", "text"),
    Column("origin", "text"),
    Column("distinct_id", "text"),
    Column("session_id", "name", "$session_id"),
    Column("timestamp", "time"),
    Column("received_at", "time"),
    Column("route", "text", "route"),
    Column("route_pattern", "text", "route_pattern"),
    Column("from_route", "text", "from_route"),
    Column("to_route", "text", "to_route"),
    Column("nav_type", "text", "nav_type"),
    Column("view_id", "uuid", "view_id"),
    Column("view_index", "integer", "view_index"),
    Column("load_ms", "integer", "load_ms"),
    Column("engaged_ms", "integer", "engaged_ms"),
    Column("total_ms", "integer", "total_ms"),
    Column("scroll_depth", "number", "scroll_depth"),
    Column("team", "text", "team"),
    Column("project", "text", "project"),
    Column("app_version", "text", "app_version"),
    Column("role", "text", "role"),
    Column("source", "text", "source"),
    Column("browser", "text", "$browser"),
    Column("os", "text", "$os"),
    Column("device_type", "text", "$device_type"),
    Column("demo", "flag", "demo"),
    Column("properties", "json"),
)

NAMES = ("day", *(column.name for column in COLUMNS))  # of the whole table, as every engine has it

# What repeats a column in other words: the SDK's own key against repeats (ours is the uuid) and its own clock.
_REPEATS = frozenset({"$insert_id", "$time"})
TAKEN = frozenset(column.source for column in COLUMNS if column.source) | _REPEATS


def each_once(events: Sequence[Event]) -> list[Event]:
    """The first event of each uuid, in order. Raises EventRefused for a time that no calendar of ours has."""
    fresh = {event.uuid: event for event in reversed(events)}
    for event in fresh.values():
        if not 0 <= event.timestamp < _END_OF_TIME or not 0 <= event.recorded_at < _END_OF_TIME:
            raise EventRefused(f"{event.name} happened at {event.timestamp} ms, beyond every calendar")
    return [*reversed(fresh.values())]


def table(events: Sequence[Event]) -> list[list[Any]]:
    """Turn events into columns, in the order of COLUMNS.

    Times are milliseconds since the epoch; uuids are text, checked by the engine; `properties` is JSON text. A value
    of another type than its column's is left out (the plan has checked it long before; the store does not fail for
    it).
    """
    facts = [event.properties for event in events]
    own: dict[str, list[Any]] = {
        "uuid": [event.uuid for event in events],
        "event": [event.name for event in events],
        "origin": [event.origin for event in events],
        "distinct_id": [event.distinct_id for event in events],
        "timestamp": [event.timestamp for event in events],
        "received_at": [event.recorded_at or event.timestamp for event in events],
        "properties": [_rest(properties) for properties in facts],
    }
    return [
        own[column.name] if column.source is None else _READ[column.kind](facts, column.source) for column in COLUMNS
    ]


# One comprehension a column instead of a call a value: this is most of what an event costs.
def _texts(facts: list[Mapping[str, Any]], name: str) -> list[Any]:
    return [value if type(value := properties.get(name)) is str else None for properties in facts]


def _integers(facts: list[Mapping[str, Any]], name: str) -> list[Any]:
    return [
        value if type(value := properties.get(name)) is int and -_LARGEST <= value <= _LARGEST else _rounded(value)
        for properties in facts
    ]


def _rounded(value: Any) -> int | None:
    return round(value) if type(value) is float and abs(value) <= 1e15 else None


def _numbers(facts: list[Mapping[str, Any]], name: str) -> list[Any]:
    # NaN and infinity become null on their way through JSON.
    return [
        value if type(value := properties.get(name)) is float or type(value) is int else None for properties in facts
    ]


def _flags(facts: list[Mapping[str, Any]], name: str) -> list[Any]:
    return [properties.get(name) is True for properties in facts]


_READ: dict[Kind, Callable[[list[Mapping[str, Any]], str], list[Any]]] = {
    "uuid": _texts,
    "name": _texts,
    "text": _texts,
    "integer": _integers,
    "number": _numbers,
    "flag": _flags,
}


_SOURCES = [(column.source, _READ[column.kind]) for column in COLUMNS if column.source]


def _rest(properties: Mapping[str, Any]) -> str | None:
    rest = {name: value for name, value in properties.items() if name not in TAKEN}
    if not rest:
        return None
    try:
        return orjson.dumps(rest).decode()
    except TypeError:
        # Lone surrogates and integers beyond 64 bits: kept, in the escapes of plain JSON.
        return json.dumps(rest, default=str)


def as_text(properties: Mapping[str, Any]) -> str:
    """All properties as one JSON object, every one that has a column in the type of its column, or left out."""
    if isinstance(properties, StoredProperties):
        return properties.text
    known = {source: value for source, read in _SOURCES if (value := read([properties], source)[0]) is not None}
    others = {name: value for name, value in properties.items() if name not in TAKEN}
    try:
        return orjson.dumps(known | others).decode()
    except TypeError:
        return json.dumps({_clean(name): _clean(value) for name, value in (known | others).items()}, default=str)


def document(values: Sequence[Any]) -> str:
    """One column as a JSON array, the shape both engines read fastest. Text that is no Unicode loses only that part."""
    try:
        return orjson.dumps(values).decode()
    except TypeError:
        return orjson.dumps([_clean(value) for value in values]).decode()


def _clean(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
