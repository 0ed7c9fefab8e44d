"""The durable log between what happens and where it is told: record, claim, done.

An event is recorded in the transaction of the act it tells of, addressed to the sinks that are on at that moment.
The log is read by what is still pending, never by a cursor over ids: on PostgreSQL a lower id may commit later.
One consumer a sink reads it (a lease of the caller's decides which); every change begins by taking away what is
pending, so doing it twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, delete, exists, func, select, update

from . import counters
from .event import Clock, Event, milliseconds, utc_now
from .outbox_insert import InsertRow, insert, insert_one
from .outbox_tables import SINKS, metadata, outbox, pending, sink_health, trouble
from .stored import StoredProperties

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Column, ColumnElement, Row, Select

    from .counters import Tally

    Transaction = Callable[[], AbstractContextManager[Connection]]

__all__ = [
    "SINKS",
    "Backlog",
    "Batch",
    "Claimed",
    "InsertRow",
    "Outbox",
    "Recorded",
    "SinkRecord",
    "Standing",
    "metadata",
]

KEEP_DAYS = 7
"""How long an event stays after it was recorded, if it is delivered everywhere by then."""

SinkState = Literal["pending", "delivered", "failed", "abandoned"]

_EVENT = ("uuid", "event", "distinct_id", "timestamp", "properties", "origin", "recorded_at")


class Claimed(NamedTuple):
    """An event a sink has to take; `attempts` counts how often it was parked."""

    id: int
    event: Event
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What a sink may be given now: fresh events in order, and parked ones whose time has come."""

    fresh: list[Claimed]
    due: list[Claimed]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait for a sink, and since when the oldest does (milliseconds)."""

    pending: int
    oldest: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Every counter (kind -> name -> number) and how many events each sink has still to get."""

    counts: Mapping[str, Mapping[str, int]]
    pending: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of the log and what became of it at each sink it was addressed to."""

    event: Event
    sinks: Mapping[str, SinkState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SinkRecord:
    """The last success and the last error of a sink, from whichever process; times in milliseconds."""

    last_success_at: int | None = None
    last_error_at: int | None = None
    last_error: str | None = None


class Outbox:
    """`transaction` and `reading` yield a connection of the database that holds the tables."""

    def __init__(self, transaction: Transaction, reading: Transaction, clock: Clock = utc_now) -> None:
        self.transaction, self.reading, self._clock = transaction, reading, clock

    # Recording

    def record(self, tx: Connection, event: Event, sinks: Collection[str]) -> None:
        """Writes one event in the caller's transaction; a repeat of a browser's is counted as a duplicate."""
        if sinks:
            addressed = mask(sinks)
            if insert_one(tx, self.row(event, addressed)):
                counters.one(tx, "recorded", counters.recorded(event.origin, addressed), early=True)
            else:
                counters.one(tx, "dropped", "duplicate", early=True)

    def row(self, event: Event, addressed: int) -> InsertRow:
        """What `write` takes: the event as it will stand in the log."""
        properties = orjson.dumps(event.properties).decode()
        at = event.recorded_at or milliseconds(self._clock())
        return (event.uuid, event.name, event.distinct_id, event.timestamp, at, event.origin, properties, addressed)

    def write(self, tx: Connection, rows: Sequence[InsertRow]) -> Tally:
        """Writes rows, each uuid of a browser's once, and answers what has to be added to the counters."""
        tally: Tally = Counter()
        groups: dict[tuple[str, int], list[InsertRow]] = {}
        for row in rows:
            groups.setdefault((row[5], row[7]), []).append(row)
        for (origin, addressed), group in groups.items():
            written = insert(tx, group)
            tally.update(_counted(origin, addressed, written, len(group) - written))
        return tally

    # Delivering

    def claim(self, sink: str, limit: int, fresh: Sequence[Claimed] = ()) -> Batch:
        """What waits for a sink, oldest first, at most `limit` fresh events and 20 parked ones. Changes nothing.

        `fresh` are the fresh ones, where they have been read before; they are read again if one of them waits no more,
        or if another one waits before the last of them: on PostgreSQL a lower number may have come since.
        """
        known = list(fresh) if fresh and self._are_first(sink, fresh) else self.fresh(sink, limit)
        return Batch(known, self.due(sink))

    def _are_first(self, sink: str, claimed: Sequence[Claimed]) -> bool:
        number = pending.c.outbox_id
        so_far = select(number).where(_waits(sink), number <= claimed[-1].id, _not_aside(sink)).order_by(number)
        with self.reading() as tx:
            return list(tx.scalars(so_far)) == [item.id for item in claimed]

    def waiting(self, sink: str, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Those of `claimed` that still wait for a sink: others were dropped, or delivered by another process."""
        with self.reading() as tx:
            those = _among(tx, pending.c.outbox_id, [item.id for item in claimed])
            left = set(tx.scalars(select(pending.c.outbox_id).where(_waits(sink), those)))
        return [item for item in claimed if item.id in left]

    def fresh(self, sink: str, limit: int, after: int = 0) -> list[Claimed]:
        """The fresh part of `claim`, of events with a number above `after`."""
        with self.reading() as tx:
            return [Claimed(row[0], _told(row)) for row in tx.execute(fresh(sink, limit, after))]

    def due(self, sink: str) -> list[Claimed]:
        """The parked part of `claim`."""
        now = milliseconds(self._clock())
        due = (
            _waiting(sink)
            .add_columns(trouble.c.attempts)
            .join(trouble, trouble.c.outbox_id == outbox.c.id)
            .where(trouble.c.sink == sink, trouble.c.due_at <= now)
            .order_by(trouble.c.due_at, outbox.c.id)
            .limit(20)
        )
        with self.reading() as tx:
            return [Claimed(row[0], _told(row), row[-1]) for row in tx.execute(due)]

    def done(self, sink: str, claimed: Iterable[Claimed]) -> None:
        """The sink has these for good."""
        ids = [item.id for item in claimed]
        with self.transaction() as tx:
            taken = tx.execute(delete(pending).where(_waits(sink), _among(tx, pending.c.outbox_id, ids))).rowcount
            counters.add(tx, {("delivered", sink): taken})
            self._forget_trouble(tx, sink, ids)
            self._note(tx, sink, last_success_at=milliseconds(self._clock()))

    def failed(self, sink: str, claimed: Claimed, reason: str) -> None:
        """The sink will never take this one."""
        with self.transaction() as tx:
            if tx.execute(delete(pending).where(_waits(sink), pending.c.outbox_id == claimed.id)).rowcount:
                counters.add(tx, {("failed", sink): 1})
                self._trouble(tx, sink, [claimed.id], state="failed", attempts=claimed.attempts + 1, error=reason)

    def park(self, sink: str, claimed: Claimed, due_at: datetime, error: str) -> None:
        """Lay one event aside until `due_at`, so that it does not stop the others; nothing if it waits no more."""
        due, attempts = milliseconds(due_at), claimed.attempts + 1
        waits = select(pending.c.outbox_id).where(_waits(sink), pending.c.outbox_id == claimed.id).with_for_update()
        with self.transaction() as tx:
            if tx.execute(waits).one_or_none():
                self._trouble(tx, sink, [claimed.id], state="parked", attempts=attempts, due_at=due, error=error)

    def trouble(self, sink: str, error: str) -> None:
        """Notes a sink's error; about events it changes nothing."""
        with self.transaction() as tx:
            self._note(tx, sink, last_error_at=milliseconds(self._clock()), last_error=error)

    # Dropping and forgetting

    def abandon(self, sink: str, chunk: int = 10_000) -> int:
        """Drops what still waits for a sink that was switched off, `chunk` at a time; answers how many they were."""
        waiting = select(pending.c.outbox_id).where(_waits(sink)).limit(chunk)
        abandoned = 0
        while True:
            with self.transaction() as tx:
                gone = self._abandon(tx, sink, waiting)
            abandoned += gone
            if gone < chunk:
                return abandoned

    def forget(self, tx: Connection, distinct_id: str) -> int:
        """Drops what still waits of somebody who opted out, in the caller's transaction."""
        theirs = select(outbox.c.id).where(outbox.c.distinct_id == distinct_id)
        return sum(self._abandon(tx, sink, theirs) for sink in SINKS)

    def prune(self, before: datetime, chunk: int = 1000) -> int:
        """Deletes events recorded before that moment that wait for nobody; answers how many.

        The log is gone through in its order, `chunk` at a time, as far as events of the present: what follows those
        was recorded later still.
        """
        limit, now = milliseconds(before), milliseconds(self._clock())
        after = pruned = 0
        while True:
            piece = select(outbox.c.id, outbox.c.recorded_at).where(outbox.c.id > after).order_by(outbox.c.id)
            with self.transaction() as tx:
                rows = tx.execute(piece.limit(chunk)).all()
                old = [row.id for row in rows if row.recorded_at < limit]
                told = ~exists().where(pending.c.sink.in_(SINKS.values()), pending.c.outbox_id == outbox.c.id)
                pruned += tx.execute(delete(outbox).where(_among(tx, outbox.c.id, old), told)).rowcount
                counters.compact(tx)
            if len(rows) < chunk or any(limit <= row.recorded_at <= now for row in rows):
                return pruned
            after = rows[-1].id

    # Looking

    def backlog(self, sink: str) -> Backlog:
        with self.reading() as tx:
            number, first = tx.execute(_backlog(sink)).one()
            oldest = tx.scalar(select(outbox.c.recorded_at).where(outbox.c.id == first)) if number else None
        return Backlog(number, oldest)

    def standing(self) -> Standing:
        """Counters and what is pending at one moment, so that they add up while deliveries go on."""
        with self.reading() as tx:
            return Standing(counters.read(tx), {sink: tx.execute(_backlog(sink)).one()[0] for sink in SINKS})

    def counts(self) -> dict[str, dict[str, int]]:
        """Every counter: kind (accepted, dropped, addressed, delivered, ...) -> name -> number."""
        with self.reading() as tx:
            return counters.read(tx)

    def sink_record(self, sink: str) -> SinkRecord:
        with self.reading() as tx:
            row = tx.execute(select(sink_health).where(sink_health.c.sink == sink)).one_or_none()
        return SinkRecord(row.last_success_at, row.last_error_at, row.last_error) if row else SinkRecord()

    def recent(self, distinct_id: str | None = None, limit: int = 50) -> list[Recorded]:
        """The newest events of one subject, or of all, with their fate at each sink."""
        statement = select(*_TOLD, outbox.c.addressed, *_fate()).order_by(outbox.c.id.desc()).limit(limit)
        if distinct_id is not None:
            statement = statement.where(outbox.c.distinct_id == distinct_id)
        with self.reading() as tx:
            return [Recorded(_told(row), _sinks(row)) for row in tx.execute(statement)]

    # Inside

    def _abandon(self, tx: Connection, sink: str, among: Select[int]) -> int:
        """Takes away what waits for a sink among some events, and notes it of each."""
        gone = delete(pending).where(_waits(sink), pending.c.outbox_id.in_(among)).returning(pending.c.outbox_id)
        ids = list(tx.scalars(gone))
        if ids:
            counters.add(tx, {("abandoned", sink): len(ids)})
            self._trouble(tx, sink, ids, state="abandoned", attempts=0, error="")
        return len(ids)

    def _trouble(self, tx: Connection, sink: str, ids: list[int], *, error: str, **known: str | int) -> None:
        self._forget_trouble(tx, sink, ids)
        facts = {"sink": sink, "error": error[:1000], **known}
        tx.execute(trouble.insert(), [{"outbox_id": number, **facts} for number in ids])

    @staticmethod
    def _forget_trouble(tx: Connection, sink: str, ids: list[int]) -> None:
        """Of events that wait: what has failed or was dropped stays so, whatever is heard of it later."""
        parked = (trouble.c.sink == sink, trouble.c.state == "parked")
        tx.execute(delete(trouble).where(*parked, _among(tx, trouble.c.outbox_id, ids)))

    @staticmethod
    def _note(tx: Connection, sink: str, **values: int | str) -> None:
        if not tx.execute(update(sink_health).where(sink_health.c.sink == sink).values(values)).rowcount:
            tx.execute(sink_health.insert().values(sink=sink, **values))


def _among(tx: Connection, column: Column[int], ids: list[int]) -> ColumnElement[bool]:
    """That a column is one of `ids`, which travel as one parameter however many they are."""
    if tx.dialect.name == "sqlite":
        return column.in_(select(func.json_each(orjson.dumps(ids).decode()).table_valued("value").c.value))
    return column == func.any(bindparam("ids", ids, ARRAY(BigInteger)))


def fresh(sink: str, limit: int, after: int = 0) -> Select[Any]:
    """What waits for a sink and is not laid aside, in order."""
    number = pending.c.outbox_id
    return _waiting(sink).where(number > after, _not_aside(sink)).order_by(number).limit(limit)


def _not_aside(sink: str) -> ColumnElement[bool]:
    return pending.c.outbox_id.not_in(select(trouble.c.outbox_id).where(trouble.c.sink == sink))


def _waiting(sink: str) -> Select[Any]:
    return select(*_TOLD).join_from(pending, outbox, pending.c.outbox_id == outbox.c.id).where(_waits(sink))


def _waits(sink: str) -> ColumnElement[bool]:
    return pending.c.sink == SINKS[sink]


def _backlog(sink: str) -> Select[int, int]:
    """How many wait, and the first of them."""
    return select(func.count(), func.min(pending.c.outbox_id)).where(_waits(sink))


def _counted(origin: str, addressed: int, written: int, repeated: int) -> dict[tuple[counters.Kind, str], int]:
    """What has to be added to the counters for rows of one origin and to the same sinks."""
    return {("recorded", counters.recorded(origin, addressed)): written, ("dropped", "duplicate"): repeated}


def mask(sinks: Iterable[str]) -> int:
    """The bits of these sinks."""
    bits = 0
    for sink in sinks:
        bits |= SINKS[sink]
    return bits


_TOLD = (outbox.c.id, *(outbox.c[name] for name in _EVENT))


def _told(row: Sequence[Any]) -> Event:
    """The event of a row of `_TOLD`."""
    _, uuid, name, distinct_id, timestamp, properties, origin, recorded_at, *_ = row
    return Event(uuid, name, distinct_id, timestamp, StoredProperties(properties), origin, recorded_at)


def _fate() -> list[ColumnElement[Any]]:
    """For each sink whether an event waits for it, and its trouble there."""
    found: list[ColumnElement[Any]] = []
    for sink, bit in SINKS.items():
        waits = exists().where(pending.c.sink == bit, pending.c.outbox_id == outbox.c.id)
        state = select(trouble.c.state).where(trouble.c.sink == sink, trouble.c.outbox_id == outbox.c.id)
        found += waits.label(f"waits_{sink}"), state.scalar_subquery().label(f"state_{sink}")
    return found


def _sinks(row: Row[*tuple[Any, ...]]) -> dict[str, SinkState]:
    return {
        sink: "pending" if getattr(row, f"waits_{sink}") else getattr(row, f"state_{sink}") or "delivered"
        for sink, bit in SINKS.items()
        if row.addressed & bit
    }
