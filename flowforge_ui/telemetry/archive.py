"""What the platform remembers of its core pings: who may send the next one, and the exact bytes of the last ones."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from .wire import Value

KEPT = 30
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"})

state = sa.Table(
    "ping_state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("secret", sa.String(64), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("last_receipt", sa.String(32)),
    sa.Column("accepted_plan", sa.Integer, nullable=False),
    # One for all processes on the database, and across their restarts.
    sa.Column("due_at", sa.BigInteger),
    sa.Column("not_before", sa.BigInteger),  # what a collector has asked for
)

archive = sa.Table(
    "ping_archive",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("period", sa.String(32), nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),  # waiting | sent | failed
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("receipt", sa.String(32)),
    sa.Column("error", sa.String(200)),
)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a loop wants to send: its platform has started, or the time of day has come. ``next_ms``: and then when."""

    next_ms: int
    starting: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one ping: its number, its period's name and what travels in its envelope."""

    seq: int
    period: str
    secret_hash: str
    last_receipt: str | None
    accepted_plan: int

    def envelope(self, plan_version: int) -> dict[str, Value]:
        """The envelope of this ping."""
        found: dict[str, Value] = {
            "plan": plan_version,
            "period": self.period,
            "seq": self.seq,
            "secretHash": self.secret_hash,
        }
        if self.last_receipt:
            found["lastReceipt"] = self.last_receipt
        return found


@dataclass(frozen=True, slots=True)
class Archived:
    """One ping as it was sent; times in ms since the epoch."""

    seq: int
    period: str
    made_at: int
    url: str
    body: bytes
    sha256: str
    outcome: str
    attempts: int
    finished_at: int | None
    status: int | None
    answer: bytes | None
    receipt: str | None
    error: str | None


def ensure(tx: Connection, plan_version: int) -> None:
    """Make the one row there is, if it is missing; set-up has shown the fields of ``plan_version``."""
    if tx.execute(sa.select(state.c.id)).first() is not None:
        return
    try:
        with tx.begin_nested():
            row = {"id": 1, "secret": secrets.token_hex(32), "seq": 0, "last_at": 0, "accepted_plan": plan_version}
            tx.execute(state.insert().values(row))
    except IntegrityError:  # on PostgreSQL another process may have made it a moment earlier
        return


def claim(
    tx: Connection,
    now_ms: int,
    plan_version: int,
    *,
    occasion: Occasion | None = None,
    even_if_recent: bool = False,
) -> Claim | None:
    """Take the right to send; None when it is not the time: ``due_at`` tells when it is, if there is an ``occasion``.

    Not within an hour of the last one, by this process or another; not before a collector that asked for patience
    wants it; and each day's once. ``even_if_recent`` is for an administrator who asks for a ping.
    """
    ensure(tx, plan_version)
    row = tx.execute(sa.select(state).with_for_update()).one()
    later = None if even_if_recent else _later(row, now_ms, occasion)
    if later is not None:
        if occasion is not None:
            tx.execute(state.update().values(due_at=later))
        return None
    due = row.due_at if occasion is None else occasion.next_ms
    tx.execute(state.update().values(last_at=now_ms, seq=row.seq + 1, due_at=due))
    return Claim(row.seq + 1, _period(now_ms), _hash(row.secret), row.last_receipt, row.accepted_plan)


def _later(row: sa.Row[Any], now_ms: int, occasion: Occasion | None) -> int | None:
    """When a ping is due if none is now.

    A time more than a day ahead is none: the clock was wrong when it was written down.
    """
    due, not_before = (
        each if each is not None and 0 < each - now_ms <= DAY_MS else 0 for each in (row.due_at, row.not_before)
    )
    if not_before:
        return max(due, not_before)
    if abs(now_ms - row.last_at) < HOUR_MS:
        return due or (occasion.next_ms if occasion is not None else now_ms)
    return due if due and occasion is not None and not occasion.starting else None


def due_at(tx: Connection) -> int | None:
    """When the next ping is due, whichever process will send it."""
    found: int | None = tx.execute(sa.select(state.c.due_at)).scalar()
    return found


def is_overtaken(tx: Connection, seq: int) -> bool:
    """Whether a later ping has been made meanwhile: this one would look like a copy's."""
    return tx.execute(sa.select(state.c.seq)).scalar() != seq


def preview_claim(tx: Connection, now_ms: int, plan_version: int) -> Claim:
    """What the next claim would be, taking nothing."""
    ensure(tx, plan_version)
    row = tx.execute(sa.select(state)).one()
    return Claim(row.seq + 1, _period(now_ms), _hash(row.secret), row.last_receipt, row.accepted_plan)


def keep(tx: Connection, claimed: Claim, body: bytes, *, url: str, now_ms: int) -> None:
    """Archive the bytes before they are sent; the oldest beyond KEPT go."""
    tx.execute(
        archive.insert().values(
            seq=claimed.seq,
            period=claimed.period,
            made_at=now_ms,
            url=url,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            outcome="waiting",
            attempts=0,
        )
    )
    tx.execute(archive.delete().where(archive.c.seq <= claimed.seq - KEPT))


def finish(
    tx: Connection,
    seq: int,
    *,
    now_ms: int,
    attempts: int,
    status: int | None = None,
    answer: bytes | None = None,
    receipt: str | None = None,
    error: str | None = None,
    not_before: int | None = None,
) -> None:
    """Write down what became of a ping; a receipt goes into the next one's envelope.

    ``not_before``: when the collector wants the next one at the earliest.
    """
    tx.execute(
        archive.update()
        .where(archive.c.seq == seq)
        .values(
            outcome="sent" if error is None else "failed",
            attempts=attempts,
            finished_at=now_ms,
            status=status,
            answer=answer,
            receipt=receipt,
            error=error,
        )
    )
    later = sa.exists().where(archive.c.seq > seq, archive.c.receipt.is_not(None))
    if receipt:  # of two that were under way together the later one's stands
        tx.execute(state.update().where(~later).values(last_receipt=receipt))
    due = (
        state.c.due_at
        if not_before is None
        else sa.case((state.c.due_at < not_before, not_before), else_=state.c.due_at)
    )
    tx.execute(state.update().values(not_before=not_before, due_at=due))


def history(tx: Connection) -> list[Archived]:
    """The archived pings, newest first."""
    return [Archived(*row) for row in tx.execute(sa.select(archive).order_by(archive.c.seq.desc()))]


def unsent(tx: Connection) -> list[Archived]:
    """The archived pings no collector has acknowledged, oldest first."""
    asked = sa.select(archive).where(archive.c.outcome != "sent").order_by(archive.c.seq)
    return [Archived(*row) for row in tx.execute(asked)]


def accepted_plan(tx: Connection, plan_version: int) -> int:
    """The plan version an administrator has accepted."""
    ensure(tx, plan_version)
    return int(tx.execute(sa.select(state.c.accepted_plan)).scalar_one())


def accept_plan(tx: Connection, version: int) -> None:
    """An administrator has seen the fields of this version."""
    ensure(tx, version)
    tx.execute(state.update().values(accepted_plan=version))


def secret(tx: Connection, plan_version: int) -> str:
    """The secret with which the collector shows and erases what it holds."""
    ensure(tx, plan_version)
    return str(tx.execute(sa.select(state.c.secret)).scalar_one())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _period(now_ms: int) -> str:
    """Names the ping for ever: the hour, and a word so that two copies of a database never name the same one."""
    hour = datetime.fromtimestamp(now_ms / 1000, UTC)
    return f"{hour:%Y-%m-%dT%H}-{secrets.token_hex(4)}"
