"""Signing in and changing a password: acts of two transactions, because argon2 works between them.

A password check takes tens of milliseconds; SQLite's write lock is not held that long.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from flowforge_ui.database import transaction

from . import sessions, tables, users
from .errors import BadCredentials, InvalidInput, Suspended
from .passwords import password_problem

if TYPE_CHECKING:
    from .actor import Actor
    from .house import Platform

_c = tables.users.c


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` goes into the session cookie, `device_cookie` into the device cookie."""

    user: users.User
    actor: Actor
    session: sessions.Session
    token: str = field(repr=False)
    device_cookie: str = field(repr=False)


def sign_in(
    house: Platform,
    *,
    username: str,
    password: str,
    address: str | None,
    user_agent: str = "",
    device_cookie: str = "",
) -> SignedIn:
    """Check a password and begin a session.

    Raises:
        BadCredentials: whatever was wrong; an unknown user takes the same work as a wrong password.
        Suspended: the password was right.
        TooManyAttempts: the password was not looked at.
    """
    known_as = users.normalised(username)
    with transaction(house.engine) as tx:
        now, account = house.ledger.now(), known_as or username[:256]
        attempt = house.throttle.admit(tx, now, account=account, address=address, cookie=device_cookie)
        row = tx.execute(select(_c.id, _c.password_hash).where(_c.username == known_as)).one_or_none()
    stored: str | None = row.password_hash if row else None
    if not house.passwords.verify(stored, password) or row is None or stored is None:
        raise BadCredentials
    better = house.passwords.hash(password) if house.passwords.outdated(stored) else stored
    with transaction(house.engine) as tx:
        house.throttle.succeeded(tx, attempt)
        user = _still_good(tx, row.id, stored, better)
        signed_in = begin_session(tx, house, user, user_agent=user_agent, device_cookie=device_cookie)
        house.ledger.record(tx, signed_in.actor, "logged in", {})
        return signed_in


def begin_session(
    tx: Connection, house: Platform, user: users.User, *, user_agent: str = "", device_cookie: str = ""
) -> SignedIn:
    """A session for somebody who has just proved who they are, or has just been created."""
    now = house.ledger.now()
    token, session = sessions.create(tx, now, user.id, user_agent)
    tx.execute(update(tables.users).where(_c.id == user.id).values(last_login_at=now))
    user = replace(user, last_login_at=now)
    remembered = house.throttle.remember(now, user.username, device_cookie)
    return SignedIn(user, user.actor(house.pseudonyms), session, token, remembered)


def change_password(
    house: Platform, actor: Actor, session_id: str, *, current: str, new: str, address: str | None
) -> None:
    """Change one's own password; every other session of the account ends.

    Raises:
        BadCredentials: `current` is wrong, or the password has been changed meanwhile.
        InvalidInput: `new` is not accepted.
        TooManyAttempts: whoever holds a session has guessed too often.
    """
    if problem := password_problem(new, actor.username):
        raise InvalidInput(fields={"new": problem})
    with transaction(house.engine) as tx:
        attempt = house.throttle.admit(
            tx, house.ledger.now(), account=f"password of {actor.user_id}", address=address, device=actor.user_id
        )
        stored = tx.execute(select(_c.password_hash).where(_c.id == actor.user_id)).scalar()
    if not house.passwords.verify(stored, current):
        raise BadCredentials("The current password is wrong.", fields={"current": "This is not your password."})
    fresh = house.passwords.hash(new)
    with transaction(house.engine) as tx:
        changed = tx.execute(
            update(tables.users).where(_c.id == actor.user_id, _c.password_hash == stored).values(password_hash=fresh)
        )
        if changed.rowcount != 1:
            raise BadCredentials
        house.throttle.succeeded(tx, attempt)
        house.ledger.note(tx, actor, "password changed")
        sessions.revoke_others(tx, house.ledger, actor, session_id)


def _still_good(tx: Connection, user_id: str, stored: str, better: str) -> users.User:
    """The account as it is now: its password may have been changed, or it suspended, while argon2 worked."""
    changed = tx.execute(
        update(tables.users)
        .where(_c.id == user_id, _c.password_hash == stored, _c.suspended.is_(False))
        .values(password_hash=better)
    )
    if changed.rowcount == 1:
        return users.get(tx, user_id)
    found = tx.execute(select(_c.suspended).where(_c.id == user_id, _c.password_hash == stored)).scalar()
    if found:
        raise Suspended
    raise BadCredentials
