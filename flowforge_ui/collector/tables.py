"""What the collector keeps. Columns of the payload come from ``plan/ping.yml``; times are ms since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa

from flowforge_ui.telemetry.wire import MAX_TEXT, Field, PingPlan

_HEX_DIGITS = "0123456789abcdef"


def only_hex(column: str) -> str:
    """SQL that is true when ``column`` is NULL or exactly 32 lower-case hex digits, on SQLite and PostgreSQL alike.

    An address does not fit into such a column, whoever writes to it.
    """
    stripped = column
    for digit in _HEX_DIGITS:
        stripped = f"replace({stripped}, '{digit}', '')"
    return f"{column} IS NULL OR (length({column}) = 32 AND {stripped} = '')"


def _column(each: Field) -> sa.Column[object]:
    if each.type == "int":
        return sa.Column(each.column, sa.BigInteger)
    if each.type == "bool":
        return sa.Column(each.column, sa.Boolean)
    return sa.Column(each.column, sa.String(MAX_TEXT))


class Tables:
    """The tables for one plan; ``metadata.create_all`` makes them."""

    def __init__(self, plan: PingPlan) -> None:
        self.metadata = metadata = sa.MetaData()
        kept = [each for each in plan.fields if each.keep and each.path != "instanceId"]
        self.raw = sa.Table(
            "ping_raw",
            metadata,
            sa.Column("receipt", sa.String(32), primary_key=True),
            sa.Column("instance_id", sa.String(36), nullable=False),
            sa.Column("period", sa.String(MAX_TEXT), nullable=False),
            sa.Column("sha256", sa.String(64), nullable=False),
            sa.Column("received_at", sa.BigInteger, nullable=False),
            sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
            sa.Column("sender_token", sa.String(32), sa.CheckConstraint(only_hex("sender_token"), name="sender_token")),
            sa.Column("token_epoch", sa.Integer),
            sa.Column("chain", sa.Integer, nullable=False),
            sa.Column("payload", sa.Text, nullable=False),
            sa.UniqueConstraint("instance_id", "period"),
        )
        self.installation = sa.Table(
            "installation",
            metadata,
            sa.Column("instance_id", sa.String(36), primary_key=True),
            sa.Column("first_seen", sa.BigInteger, nullable=False),
            sa.Column("last_seen", sa.BigInteger, nullable=False),
            sa.Column("secret_hash", sa.String(64)),
            sa.Column("copied_day", sa.Date),  # the last day on which two live copies of it were heard
            sa.Column("highest", sa.String(MAX_TEXT)),  # version ever heard of it: going back to it is no upgrade
            *[_column(each) for each in kept],
        )
        # One row a copy of an installation: a fork shows a database that was copied.
        self.chain = sa.Table(
            "chain",
            metadata,
            sa.Column("instance_id", sa.String(36), primary_key=True),
            sa.Column("chain", sa.Integer, primary_key=True),
            sa.Column("head", sa.String(32), nullable=False),
            sa.Column("seq", sa.BigInteger, nullable=False),
            sa.Column("last_seen", sa.BigInteger, nullable=False),
            sa.Column("period", sa.String(MAX_TEXT)),
        )
        # Counts without ids: kept for good, grown on arrival.
        self.roll_up = sa.Table(
            "roll_up",
            metadata,
            sa.Column("grain", sa.String(4), primary_key=True),  # day | week
            sa.Column("start", sa.Date, primary_key=True),
            sa.Column("dimension", sa.String(32), primary_key=True),
            sa.Column("value", sa.String(MAX_TEXT), primary_key=True),
            sa.Column("n", sa.BigInteger, nullable=False),
        )
        # How many installations were last heard of in each hour: silent and lost are sums, not scans.
        self.last_heard = sa.Table(
            "last_heard",
            metadata,
            sa.Column("hour", sa.BigInteger, primary_key=True),
            sa.Column("n", sa.BigInteger, nullable=False),
        )
        self.release = sa.Table(
            "release",
            metadata,
            sa.Column("version", sa.String(MAX_TEXT), primary_key=True),
            sa.Column("first_seen", sa.BigInteger, nullable=False),
            sa.Column("last_day", sa.Date),
        )
        self.upgrade_lag = sa.Table(
            "upgrade_lag",
            metadata,
            sa.Column("version", sa.String(MAX_TEXT), primary_key=True),
            sa.Column("days", sa.Integer, primary_key=True),
            sa.Column("n", sa.BigInteger, nullable=False),
        )
        self.counter = sa.Table(
            "counter",
            metadata,
            sa.Column("kind", sa.String(16), primary_key=True),  # taken | repeated | refused | unknown_field
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("n", sa.BigInteger, nullable=False),
        )
        # What a demonstration has added, so that exactly that can be taken away again: ids of its installations, and
        # its share in each count (key: the other columns as JSON).
        self.made_up = sa.Table(
            "made_up",
            metadata,
            sa.Column("what", sa.String(32), primary_key=True),
            sa.Column("key", sa.String(300), primary_key=True),
            sa.Column("n", sa.BigInteger, nullable=False),
        )
        self.about = sa.Table(
            "collector_about",
            metadata,
            sa.Column("key", sa.String(32), primary_key=True),
            sa.Column("value", sa.String(64), nullable=False),
        )
