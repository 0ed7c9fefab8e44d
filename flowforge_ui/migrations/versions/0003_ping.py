"""What the platform remembers of its core pings."""

import sqlalchemy as sa
from alembic import op

revision = "0003_ping"
down_revision = "0002_outbox"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ping_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_hour", sa.BigInteger(), nullable=False),
        sa.Column("last_receipt", sa.String(32)),
        sa.Column("accepted_plan", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ping_state"),
    )
    op.create_table(
        "ping_archive",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period", sa.String(32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("status", sa.Integer()),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("receipt", sa.String(32)),
        sa.Column("error", sa.String(200)),
        sa.PrimaryKeyConstraint("seq", name="pk_ping_archive"),
    )
