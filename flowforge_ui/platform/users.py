"""Accounts: who there is, what they may do, and what they decided about themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from flowforge_ui.database import serialise

from . import tables
from .actor import ROLES, Actor, Role, actor_for, require_admin
from .errors import InvalidInput, LastAdministrator, LastOwner, NotFound, UsernameTaken
from .passwords import Passwords, password_problem
from .values import checked_name, email_problem, name_problem, new_id

if TYPE_CHECKING:
    from datetime import datetime

    from flowforge_ui.telemetry.identity import Pseudonyms

    from .record import Ledger

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_ADMINISTRATORS = 0x61646D696E  # whoever takes an administrator away waits for whoever does it already

_c = tables.users.c
COLUMNS = (
    *(_c.id, _c.username, _c.name, _c.email, _c.role),
    *(_c.suspended, _c.telemetry_opt_out, _c.created_at, _c.last_login_at),
)
"""What makes a `User`, in its order."""


@dataclass(frozen=True, slots=True)
class User:
    """An account as everybody's code sees it; the password's hash is not part of it."""

    id: str
    username: str
    name: str
    email: str | None
    role: Role
    suspended: bool
    telemetry_opt_out: bool
    created_at: datetime
    last_login_at: datetime | None

    def actor(self, pseudonyms: Pseudonyms) -> Actor:
        return actor_for(pseudonyms, self.id, self.username, self.role, opted_out=self.telemetry_opt_out)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose values were found good and whose password is hashed: ready to become an account."""

    username: str
    name: str
    email: str | None
    password_hash: str = field(repr=False)


def normalised(username: str) -> str | None:
    """The user name as it is kept; None when nobody can be called that."""
    lowered = username.strip().lower()
    return lowered if _USERNAME.fullmatch(lowered) else None


def candidate(
    passwords: Passwords, *, username: str, password: str, name: str | None = None, email: str | None = None
) -> Candidate:
    """Check everything, then hash the password. Takes a moment of CPU: call it outside a transaction.

    Raises:
        InvalidInput: with every field that is wrong.
    """
    fields: dict[str, str] = {}
    known_as = normalised(username)
    if known_as is None:
        fields["username"] = "2 to 32 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit."
    shown = (name or "").strip() or (known_as or "x")
    if problem := name_problem(shown):
        fields["name"] = problem
    mail = (email or "").strip() or None
    if mail and (problem := email_problem(mail)):
        fields["email"] = problem
    if problem := password_problem(password, username):
        fields["password"] = problem
    if fields or known_as is None:
        raise InvalidInput(fields=fields)
    return Candidate(known_as, shown, mail, passwords.hash(password))


def create(tx: Connection, ledger: Ledger, who: Candidate, role: Role) -> User:
    """The bare account; setup, register and add decide who may have one and write it down.

    Raises:
        UsernameTaken: whatever its case.
    """
    now = ledger.now()
    user = User(new_id(), who.username, who.name, who.email, role, False, False, now, None)
    try:
        tx.execute(
            insert(tables.users).values(
                id=user.id,
                username=user.username,
                name=user.name,
                email=user.email,
                password_hash=who.password_hash,
                role=role,
                suspended=False,
                telemetry_opt_out=False,
                created_at=now,
            )
        )
    except IntegrityError as error:
        raise UsernameTaken from error
    return user


def add(tx: Connection, ledger: Ledger, actor: Actor, who: Candidate, role: Role) -> User:
    """An administrator makes an account for somebody."""
    require_admin(actor)
    user = create(tx, ledger, who, _checked_role(role))
    ledger.record(tx, actor, "user registered", {"how": "admin"}, target=user.username)
    return user


def get(tx: Connection, user_id: str) -> User:
    row = tx.execute(select(*COLUMNS).where(_c.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return User(*row)


def list_all(tx: Connection, actor: Actor) -> list[User]:
    """Every account, by user name. For administrators."""
    require_admin(actor)
    return [User(*row) for row in tx.execute(select(*COLUMNS).order_by(_c.username))]


def count(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(tables.users)).scalar_one()


def update_profile(
    tx: Connection, ledger: Ledger, actor: Actor, *, name: str | None = None, email: str | None = None
) -> User:
    """Change one's own name and e-mail; None leaves a value, an empty e-mail removes it."""
    changes = _profile(name, email)
    if changes:
        tx.execute(update(tables.users).where(_c.id == actor.user_id).values(**changes))
        ledger.note(tx, actor, "profile changed", target=", ".join(sorted(changes)))
    return get(tx, actor.user_id)


def administer(
    tx: Connection,
    ledger: Ledger,
    actor: Actor,
    user_id: str,
    *,
    role: Role | None = None,
    suspended: bool | None = None,
    name: str | None = None,
    email: str | None = None,
) -> User:
    """Change somebody's account; None leaves a value. A suspended user's sessions end at once. For administrators.

    Raises:
        LastAdministrator: nobody would be left who may do this.
    """
    require_admin(actor)
    changes = _profile(name, email)
    if role is not None:
        changes["role"] = _checked_role(role)
    if suspended is not None:
        changes["suspended"] = suspended
    serialise(tx, _ADMINISTRATORS)
    before = get(tx, user_id)
    if changes.get("role", "admin") != "admin" or suspended:
        _keep_an_administrator(tx, before)
    changes = {key: value for key, value in changes.items() if getattr(before, key) != value}
    if changes:
        tx.execute(update(tables.users).where(_c.id == user_id).values(**changes))
        what = ", ".join(f"{key} {value}" if key in ("role", "suspended") else key for key, value in changes.items())
        ledger.note(tx, actor, "user changed", target=f"{before.username}: {what}".lower())
    if suspended:
        tx.execute(delete(tables.sessions).where(tables.sessions.c.user_id == user_id))
    return get(tx, user_id)


def remove(tx: Connection, ledger: Ledger, actor: Actor, user_id: str) -> None:
    """Delete an account with its sessions, memberships and invitations. For administrators.

    Raises:
        LastAdministrator: nobody would be left to administer.
        LastOwner: some team would be left without an owner.
    """
    require_admin(actor)
    serialise(tx, _ADMINISTRATORS)
    user = get(tx, user_id)
    _keep_an_administrator(tx, user)
    _keep_the_owners(tx, user_id)
    tx.execute(delete(tables.users).where(_c.id == user_id))
    ledger.forget(tx, ledger.pseudonyms.person(user_id, user.username))
    ledger.note(tx, actor, "user removed", target=user.username)


def set_opt_out(tx: Connection, ledger: Ledger, actor: Actor, *, opt_out: bool) -> User:
    """Keep the actor's choice about telemetry. What waits to be delivered about somebody who opts out is dropped."""
    changed = tx.execute(
        update(tables.users)
        .where(_c.id == actor.user_id, _c.telemetry_opt_out != opt_out)
        .values(telemetry_opt_out=opt_out)
    ).rowcount
    if changed:
        ledger.note(tx, actor, "privacy changed", target="opted out" if opt_out else "opted in")
    if opt_out:
        ledger.forget(tx, actor.subject.distinct_id)
    return get(tx, actor.user_id)


def _profile(name: str | None, email: str | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = checked_name(name)
    if email is not None:
        changes["email"] = email.strip() or None
        if changes["email"] and (problem := email_problem(changes["email"])):
            raise InvalidInput(fields={"email": problem})
    return changes


def _checked_role(role: Role) -> Role:
    if role not in ROLES:
        raise InvalidInput(fields={"role": f"One of {', '.join(ROLES)}."})
    return role


def _keep_an_administrator(tx: Connection, user: User) -> None:
    if user.role != "admin" or user.suspended:
        return
    others = select(_c.id).where(_c.role == "admin", _c.suspended.is_(False), _c.id != user.id).limit(1)
    if tx.execute(others).first() is None:
        raise LastAdministrator


def _keep_the_owners(tx: Connection, user_id: str) -> None:
    mine, other = tables.memberships.alias(), tables.memberships.alias()
    owned = select(mine.c.team_id).where(mine.c.user_id == user_id, mine.c.role == "owner")
    # Hold the teams, in one order for everybody, so that no other owner leaves one of them meanwhile.
    teams = tables.teams
    tx.execute(select(teams.c.id).where(teams.c.id.in_(owned)).order_by(teams.c.id).with_for_update()).all()
    another = exists().where(other.c.team_id == mine.c.team_id, other.c.role == "owner", other.c.user_id != user_id)
    if tx.execute(owned.where(~another).limit(1)).first():
        raise LastOwner("This person is the last owner of a team; make somebody else its owner first.")
