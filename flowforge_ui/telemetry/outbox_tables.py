"""The outbox's tables. Times are milliseconds since the epoch, UTC.

What one sink has to do with an event is one bit in four columns: exactly one of them holds the bit of a sink the
event was addressed to. A sink's bit is fixed for ever, as it stands in the rows.
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
    Column("uuid", String(36), nullable=False, unique=True),
    Column("event", String(200), nullable=False),
    Column("distinct_id", String(200), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("properties", Text, nullable=False),
    Column("pending", SmallInteger, nullable=False),
    Column("delivered", SmallInteger, nullable=False),
    Column("failed", SmallInteger, nullable=False),
    Column("abandoned", SmallInteger, nullable=False),
)


def is_pending(bit: int) -> str:
    """SQL: whether a row still waits for a sink. The words have to be those of the index, or it is not used."""
    return f"(pending & {bit}) <> 0"


def pending_index(sink: str) -> str:
    return f"ix_outbox_pending_{sink}"


for _sink, _bit in SINKS.items():
    _where = text(is_pending(_bit))
    Index(pending_index(_sink), outbox.c.id, sqlite_where=_where, postgresql_where=_where)
Index("ix_outbox_distinct_id", outbox.c.distinct_id, outbox.c.id)
Index(
    "ix_outbox_finished",
    outbox.c.recorded_at,
    sqlite_where=text("pending = 0"),
    postgresql_where=text("pending = 0"),
)

trouble = Table(
    "outbox_trouble",
    metadata,
    Column("outbox_id", _Id, ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sink", String(20), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger),  # when a parked event is tried again; null: it has failed for good
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
