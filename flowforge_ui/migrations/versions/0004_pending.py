"""What waits for a sink in a table of its own, so that the log's rows never change; a key for sent uuids alone."""

import sqlalchemy as sa
from alembic import op

revision = "0004_pending"
down_revision = "0003_ping"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SINKS = {"local": 1, "posthog": 2}
_INDEXES = ("ix_outbox_pending_local", "ix_outbox_pending_posthog", "ix_outbox_finished", "ix_outbox_distinct_id")
_STATES = ("pending", "delivered", "failed", "abandoned")


def upgrade() -> None:
    op.create_table(
        "outbox_pending",
        sa.Column("sink", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("outbox_id", _ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("sink", "outbox_id", name="pk_outbox_pending"),
        sqlite_with_rowid=False,
    )
    for name in _INDEXES:
        op.drop_index(name, "outbox")
    op.drop_index("ix_outbox_trouble_due", "outbox_trouble")
    # Neither database lets both be done the other's way: SQLite adds no column that must have a value, and
    # PostgreSQL's numbers go on only where the table stays.
    op.rename_table("outbox_trouble", "outbox_trouble_old")
    if op.get_context().dialect.name == "sqlite":
        op.rename_table("outbox", "outbox_old")
        _create_log()
        kept = "id, uuid, event, distinct_id, timestamp, recorded_at, origin, properties"
        op.execute(f"INSERT INTO outbox ({kept}, addressed) SELECT {kept}, {' | '.join(_STATES)} FROM outbox_old")
        _sort("outbox_old")
        op.drop_table("outbox_old")
    else:
        op.add_column("outbox", sa.Column("addressed", sa.SmallInteger(), server_default="0", nullable=False))
        op.execute(f"UPDATE outbox SET addressed = {' | '.join(_STATES)}")
        op.alter_column("outbox", "addressed", server_default=None)
        op.drop_constraint("uq_outbox_uuid", "outbox")
        op.execute("ALTER INDEX pk_outbox_trouble RENAME TO pk_outbox_trouble_old")
        _sort("outbox")
        for name in _STATES:
            op.drop_column("outbox", name)
    sent = sa.text("origin = 'browser'")
    op.create_index("uq_outbox_uuid", "outbox", ["uuid"], unique=True, sqlite_where=sent, postgresql_where=sent)
    op.create_index("ix_outbox_distinct_id", "outbox", ["distinct_id", "id"])
    op.create_index("ix_outbox_trouble_due", "outbox_trouble", ["sink", "due_at"])


def _create_log() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("event", sa.String(200), nullable=False),
        sa.Column("distinct_id", sa.String(200), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("addressed", sa.SmallInteger(), nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )


def _sort(old: str) -> None:
    """From the states in `old`'s rows, what waits and what there was trouble with."""
    op.create_table(
        "outbox_trouble",
        sa.Column("outbox_id", _ID, autoincrement=False, nullable=False),
        sa.Column("sink", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", "sink", name="pk_outbox_trouble"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_outbox_trouble", ondelete="CASCADE"),
    )
    into = "INSERT INTO outbox_trouble (outbox_id, sink, state, attempts, due_at, error)"
    for sink, bit in _SINKS.items():
        op.execute(
            f"INSERT INTO outbox_pending (sink, outbox_id) SELECT {bit}, id FROM {old} WHERE pending & {bit} <> 0"
        )
        for state, column in (("parked", "pending"), ("failed", "failed")):
            op.execute(
                f"{into} SELECT id, sink, '{state}', attempts, due_at, error FROM outbox_trouble_old "
                f"JOIN {old} ON id = outbox_id WHERE sink = '{sink}' AND {column} & {bit} <> 0"
            )
        op.execute(f"{into} SELECT id, '{sink}', 'abandoned', 0, NULL, '' FROM {old} WHERE abandoned & {bit} <> 0")
    op.drop_table("outbox_trouble_old")
