"""The outbox's tables. Times are milliseconds since the epoch, UTC.

An event's row never changes: it is large, and the log is long. What a sink still has to get is a small row of its own,
which goes when the sink has it. An event addressed to a sink, not waiting for it and without trouble there, is
delivered. A sink's bit is fixed for ever, as it stands in the rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

SINKS: dict[str, int] = {"local": 1, "posthog": 2}
"""The bit of each sink."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False),
    Column("event", String(200), nullable=False),
    Column("distinct_id", String(200), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("addressed", SmallInteger, nullable=False),  # the bits of its sinks
    Column("properties", Text, nullable=False),
)
# Only who sends may send twice; the server makes a uuid for each act, and an act should not pay for a search.
_sent = text("origin = 'browser'")
Index("uq_outbox_uuid", outbox.c.uuid, unique=True, sqlite_where=_sent, postgresql_where=_sent)
Index("ix_outbox_distinct_id", outbox.c.distinct_id, outbox.c.id)

pending = Table(
    "outbox_pending",
    metadata,
    Column("sink", SmallInteger, primary_key=True, autoincrement=False),  # its bit
    Column("outbox_id", _Id, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

trouble = Table(
    "outbox_trouble",
    metadata,
    Column("outbox_id", _Id, ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sink", String(20), primary_key=True),
    Column("state", String(10), nullable=False),  # parked (it still waits), failed, abandoned
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger),  # when a parked event is tried again
    Column("error", Text, nullable=False),
)
Index("ix_outbox_trouble_due", trouble.c.sink, trouble.c.due_at)

counters = Table(
    "telemetry_count",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("name", String(60), primary_key=True),
    # 0 holds the sum. Another number is a row of its own, added where an update would make transactions wait for
    # each other; `compact` adds those up.
    Column("part", BigInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)

sink_health = Table(
    "outbox_sink",
    metadata,
    Column("sink", String(20), primary_key=True),
    Column("last_success_at", BigInteger),
    Column("last_error_at", BigInteger),
    Column("last_error", Text),
)
