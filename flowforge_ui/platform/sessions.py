"""Sessions: 32 random bytes that only the browser keeps; here is their SHA-256.

A session ends 14 days after it was last used and 60 days after it began, whichever comes first.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from flowforge_ui.database import Lookup

from . import tables
from .errors import NotFound
from .users import COLUMNS, User
from .values import new_id, printable

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from .actor import Actor
    from .record import Ledger

SLIDING = timedelta(days=14)
ABSOLUTE = timedelta(days=60)
SEEN_EVERY = timedelta(minutes=1)
USER_AGENT_LENGTH = 200

_c = tables.sessions.c
_FIND = (
    select(_c.id, _c.created_at, _c.last_seen_at, _c.expires_at, _c.user_agent, *COLUMNS)
    .join_from(tables.sessions, tables.users, tables.users.c.id == _c.user_id)
    .where(
        _c.token_hash == bindparam("token_hash"),
        _c.expires_at > bindparam("now"),
        tables.users.c.suspended.is_(False),
    )
)
_LOOK_UP = Lookup(_FIND)  # every request asks this


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str


@dataclass(frozen=True, slots=True)
class Active:
    """What a request's cookie stands for."""

    session: Session
    user: User

    def seen_long_ago(self, now: datetime) -> bool:
        """Whether `touch` has something to write: at most once a minute, so that reading stays reading."""
        return now - self.session.last_seen_at >= SEEN_EVERY


def create(tx: Connection, now: datetime, user_id: str, user_agent: str) -> tuple[str, Session]:
    """A new session: the token for the browser, which nobody can be told again, and the session."""
    token = secrets.token_urlsafe(32)
    agent = "".join(character for character in user_agent if printable(character))[:USER_AGENT_LENGTH]
    session = Session(new_id(), now, now, _expiry(now, now), agent)
    tx.execute(
        insert(tables.sessions).values(
            id=session.id,
            token_hash=_digest(token),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=session.expires_at,
            user_agent=agent,
        )
    )
    return token, session


def find(tx: Connection, now: datetime, token: str) -> Active | None:
    """The session a token belongs to; None when it is unknown, over, or its user is suspended."""
    return _active(tx.execute(_FIND, {"token_hash": _digest(token), "now": now}).one_or_none())


def look_up(engine: Engine, now: datetime, token: str) -> Active | None:
    """`find`, for whoever needs no transaction."""
    return _active(_LOOK_UP.one(engine, token_hash=_digest(token), now=now))


def _active(row: Any | None) -> Active | None:
    return None if row is None else Active(Session(*row[:5]), User(*row[5:]))


def touch(tx: Connection, now: datetime, session: Session) -> None:
    """Note that the session is in use, which moves its end; nothing when another request has just done it."""
    tx.execute(
        update(tables.sessions)
        .where(_c.id == session.id, _c.last_seen_at <= now - SEEN_EVERY)
        .values(last_seen_at=now, expires_at=_expiry(session.created_at, now))
    )


def list_for(tx: Connection, now: datetime, actor: Actor) -> list[Session]:
    """The actor's own sessions, last used first."""
    rows = tx.execute(
        select(_c.id, _c.created_at, _c.last_seen_at, _c.expires_at, _c.user_agent)
        .where(_c.user_id == actor.user_id, _c.expires_at > now)
        .order_by(_c.last_seen_at.desc(), _c.id)
    )
    return [Session(*row) for row in rows]


def end(tx: Connection, ledger: Ledger, actor: Actor, session_id: str) -> None:
    """Sign out. A session that has been revoked meanwhile is no event."""
    if _delete_own(tx, actor, session_id):
        ledger.record(tx, actor, "logged out", {})


def revoke(tx: Connection, ledger: Ledger, actor: Actor, session_id: str) -> None:
    """End one of the actor's own sessions, in whatever browser it is."""
    if not _delete_own(tx, actor, session_id):
        raise NotFound
    ledger.note(tx, actor, "session revoked")


def revoke_others(tx: Connection, ledger: Ledger, actor: Actor, keep: str) -> int:
    """End all of the actor's sessions but `keep`; gives how many."""
    ended = tx.execute(delete(tables.sessions).where(_c.user_id == actor.user_id, _c.id != keep)).rowcount
    if ended:
        ledger.note(tx, actor, "sessions revoked", target=str(ended))
    return ended


def revoke_all(tx: Connection, ledger: Ledger, actor: Actor) -> int:
    """End all of the actor's sessions, this one too."""
    ended = tx.execute(delete(tables.sessions).where(_c.user_id == actor.user_id)).rowcount
    ledger.note(tx, actor, "sessions revoked", target=str(ended))
    return ended


def prune(tx: Connection, now: datetime) -> int:
    """Delete sessions that are over; gives how many."""
    return tx.execute(delete(tables.sessions).where(_c.expires_at <= now)).rowcount


def _delete_own(tx: Connection, actor: Actor, session_id: str) -> bool:
    gone = tx.execute(delete(tables.sessions).where(_c.id == session_id, _c.user_id == actor.user_id))
    return gone.rowcount == 1


def _expiry(created_at: datetime, seen_at: datetime) -> datetime:
    return min(seen_at + SLIDING, created_at + ABSOLUTE)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
