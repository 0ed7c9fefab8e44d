"""Who acts, and what an actor may do at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, select

from flowforge_ui.telemetry.event import Subject

from . import tables
from .errors import Forbidden, NotFound

if TYPE_CHECKING:
    from flowforge_ui.telemetry.identity import Pseudonyms

Role = Literal["user", "analyst", "admin"]
ROLES: tuple[Role, ...] = ("user", "analyst", "admin")
TeamRole = Literal["viewer", "member", "owner"]
TEAM_ROLES: tuple[TeamRole, ...] = ("viewer", "member", "owner")  # each may do what those before it may


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user, and the subject telemetry knows them as."""

    user_id: str
    username: str
    role: Role
    subject: Subject


def actor_for(pseudonyms: Pseudonyms, user_id: str, username: str, role: Role, *, opted_out: bool) -> Actor:
    return Actor(user_id, username, role, Subject(pseudonyms.person(user_id, username), opted_out, role))


def require_admin(actor: Actor) -> None:
    if actor.role != "admin":
        raise Forbidden


def may(role: TeamRole, at_least: TeamRole) -> bool:
    return TEAM_ROLES.index(role) >= TEAM_ROLES.index(at_least)


def require_team_role(
    tx: Connection, actor: Actor, team_id: str, at_least: TeamRole, *, hold: bool = False
) -> TeamRole:
    """The actor's role in the team. `hold` is for acts that change it: until the transaction ends nobody else does.

    Raises:
        NotFound: no such team, or the actor is no member of it (which of the two is nobody's business).
        Forbidden: a member, but with less than `at_least`.
    """
    if hold:
        t, m = tables.teams, tables.memberships.c
        mine = select(t.c.id).join(tables.memberships, m.team_id == t.c.id)
        mine = mine.where(t.c.id == team_id, m.user_id == actor.user_id)
        tx.execute(mine.with_for_update(of=t)).all()
    role: TeamRole | None = tx.execute(
        select(tables.memberships.c.role).where(
            tables.memberships.c.team_id == team_id, tables.memberships.c.user_id == actor.user_id
        )
    ).scalar()
    if role is None:
        raise NotFound
    if not may(role, at_least):
        raise Forbidden
    return role
