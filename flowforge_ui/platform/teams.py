"""Teams and who belongs to them. To somebody who does not, a team does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from flowforge_ui.database import after_commit

from . import tables
from .actor import TEAM_ROLES, Actor, TeamRole, require_team_role
from .errors import InvalidInput, LastOwner, NotFound
from .values import checked_name, new_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from .drivers import Driver
    from .record import Ledger

_t = tables.teams.c
_m = tables.memberships.c
_u = tables.users.c


def _visible() -> Select[Any]:
    others, p = tables.memberships.alias(), tables.projects.c
    member_count = select(func.count()).where(others.c.team_id == _t.id).scalar_subquery()
    project_count = select(func.count()).where(p.team_id == _t.id).scalar_subquery()
    return (
        select(_t.id, _t.name, _m.role, member_count, project_count, _t.created_at)
        .join_from(tables.teams, tables.memberships, _m.team_id == _t.id)
        .where(_m.user_id == bindparam("actor"))
    )


# Put together once: that takes longer than the answer.
_ALL = _visible().order_by(func.lower(_t.name), _t.id)
_ONE = _visible().where(_t.id == bindparam("team"))


@dataclass(frozen=True, slots=True)
class Team:
    """A team as one of its members sees it: `role` is the actor's, `members` and `projects` are counts."""

    id: str
    name: str
    role: TeamRole
    members: int
    projects: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """`id` is the user's."""

    id: str
    username: str
    name: str
    role: TeamRole
    joined_at: datetime


def create(tx: Connection, ledger: Ledger, actor: Actor, name: str) -> Team:
    """A new team; whoever makes it owns it."""
    team = Team(new_id(), checked_name(name), "owner", 1, 0, ledger.now())
    tx.execute(insert(tables.teams).values(id=team.id, name=team.name, created_at=team.created_at))
    join(tx, ledger, team.id, actor.user_id, "owner")
    ledger.record(tx, actor, "team created", {"team": ledger.pseudonyms.team(team.id)}, team=team.id, target=team.name)
    return team


def list_for(tx: Connection, actor: Actor) -> list[Team]:
    """The actor's teams, by name."""
    return [Team(*row) for row in tx.execute(_ALL, {"actor": actor.user_id})]


def get(tx: Connection, actor: Actor, team_id: str) -> Team:
    row = tx.execute(_ONE, {"actor": actor.user_id, "team": team_id}).one_or_none()
    if row is None:
        raise NotFound
    return Team(*row)


def rename(tx: Connection, ledger: Ledger, actor: Actor, team_id: str, name: str) -> Team:
    require_team_role(tx, actor, team_id, "owner", hold=True)
    tx.execute(update(tables.teams).where(_t.id == team_id).values(name=(fresh := checked_name(name))))
    ledger.note(tx, actor, "team renamed", team=team_id, target=fresh)
    return get(tx, actor, team_id)


def remove(tx: Connection, ledger: Ledger, actor: Actor, driver: Driver, team_id: str) -> None:
    """Delete the team with its projects; their files go once that is committed."""
    require_team_role(tx, actor, team_id, "owner", hold=True)
    name = tx.execute(select(_t.name).where(_t.id == team_id)).scalar_one()
    p = tables.projects.c
    for project_id in tx.execute(select(p.id).where(p.team_id == team_id)).scalars():
        after_commit(tx, partial(driver.remove, project_id))
    tx.execute(delete(tables.teams).where(_t.id == team_id))
    ledger.note(tx, actor, "team removed", team=team_id, target=name)


def members(tx: Connection, actor: Actor, team_id: str) -> list[Member]:
    """The team's members, by user name."""
    require_team_role(tx, actor, team_id, "viewer")
    return [Member(*row) for row in tx.execute(_members(team_id).order_by(_u.username))]


def change_role(tx: Connection, ledger: Ledger, actor: Actor, team_id: str, user_id: str, *, role: TeamRole) -> Member:
    """Give a member another role.

    Raises:
        LastOwner: the team would be left without one.
    """
    require_team_role(tx, actor, team_id, "owner", hold=True)
    checked_role(role)
    before = _member(tx, team_id, user_id)
    if role != "owner":
        _keep_an_owner(tx, team_id, before)
    if role != before.role:
        tx.execute(update(tables.memberships).where(_m.team_id == team_id, _m.user_id == user_id).values(role=role))
        ledger.note(tx, actor, "member role changed", team=team_id, target=f"{before.username}: {role}")
    return Member(before.id, before.username, before.name, role, before.joined_at)


def remove_member(tx: Connection, ledger: Ledger, actor: Actor, team_id: str, user_id: str) -> None:
    """An owner takes somebody out of the team, or a member leaves it.

    Raises:
        LastOwner: the team would be left without one.
    """
    leaving = user_id == actor.user_id
    require_team_role(tx, actor, team_id, "viewer" if leaving else "owner", hold=True)
    member = _member(tx, team_id, user_id)
    _keep_an_owner(tx, team_id, member)
    tx.execute(delete(tables.memberships).where(_m.team_id == team_id, _m.user_id == user_id))
    ledger.note(tx, actor, "member left" if leaving else "member removed", team=team_id, target=member.username)


def join(tx: Connection, ledger: Ledger, team_id: str, user_id: str, role: TeamRole) -> None:
    """Enter a membership; who may have one is decided by `create` and by the invitations."""
    tx.execute(insert(tables.memberships).values(team_id=team_id, user_id=user_id, role=role, joined_at=ledger.now()))


def count(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(tables.teams)).scalar_one()


def checked_role(role: TeamRole) -> TeamRole:
    if role not in TEAM_ROLES:
        raise InvalidInput(fields={"role": f"One of {', '.join(TEAM_ROLES)}."})
    return role


def _members(team_id: str) -> Select[Any]:
    return (
        select(_u.id, _u.username, _u.name, _m.role, _m.joined_at)
        .join_from(tables.memberships, tables.users, _u.id == _m.user_id)
        .where(_m.team_id == team_id)
    )


def _member(tx: Connection, team_id: str, user_id: str) -> Member:
    row = tx.execute(_members(team_id).where(_u.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return Member(*row)


def _keep_an_owner(tx: Connection, team_id: str, leaving: Member) -> None:
    others = select(_m.user_id).where(_m.team_id == team_id, _m.role == "owner", _m.user_id != leaving.id)
    if leaving.role == "owner" and tx.execute(others.limit(1)).first() is None:
        raise LastOwner
