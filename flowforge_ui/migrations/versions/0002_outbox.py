"""The outbox: the durable log of what was recorded, and what became of it at each sink."""

import sqlalchemy as sa
from alembic import op

revision = "0002_outbox"
down_revision = "0001_platform"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("event", sa.String(200), nullable=False),
        sa.Column("distinct_id", sa.String(200), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("pending", sa.SmallInteger(), nullable=False),
        sa.Column("delivered", sa.SmallInteger(), nullable=False),
        sa.Column("failed", sa.SmallInteger(), nullable=False),
        sa.Column("abandoned", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("uuid", name="uq_outbox_uuid"),
    )
    partial_index("ix_outbox_pending_local", ["id"], "(pending & 1) <> 0")
    partial_index("ix_outbox_pending_posthog", ["id"], "(pending & 2) <> 0")
    partial_index("ix_outbox_finished", ["recorded_at"], "pending = 0")
    op.create_index("ix_outbox_distinct_id", "outbox", ["distinct_id", "id"])
    op.create_table(
        "outbox_trouble",
        sa.Column("outbox_id", _ID, autoincrement=False, nullable=False),
        sa.Column("sink", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", "sink", name="pk_outbox_trouble"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_outbox_trouble", ondelete="CASCADE"),
    )
    op.create_index("ix_outbox_trouble_due", "outbox_trouble", ["sink", "due_at"])
    op.create_table(
        "telemetry_count",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "part", name="pk_telemetry_count"),
    )
    op.create_table(
        "outbox_sink",
        sa.Column("sink", sa.String(20), nullable=False),
        sa.Column("last_success_at", sa.BigInteger()),
        sa.Column("last_error_at", sa.BigInteger()),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("sink", name="pk_outbox_sink"),
    )


def partial_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "outbox", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
