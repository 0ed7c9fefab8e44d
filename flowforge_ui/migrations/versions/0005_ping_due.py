"""When the next core ping is due, for all processes on the database, and when the last one was made to the second."""

import sqlalchemy as sa
from alembic import op

revision = "0005_ping_due"
down_revision = "0004_pending"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE ping_state RENAME COLUMN last_hour TO last_at")
    # Some time within that hour it was: as late as it may have been.
    op.execute("UPDATE ping_state SET last_at = last_at * 3600000 + 3599999 WHERE last_at > 0")
    op.add_column("ping_state", sa.Column("due_at", sa.BigInteger()))
    op.add_column("ping_state", sa.Column("not_before", sa.BigInteger()))
