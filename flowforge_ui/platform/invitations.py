"""Invitations: an owner asks an existing user into the team; only that user can accept or decline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from . import tables, teams, users
from .actor import Actor, TeamRole, require_team_role
from .errors import AlreadyInvited, AlreadyMember, InvalidInput, NotFound
from .values import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from .record import Ledger

_i = tables.invitations.c
_u = tables.users.c
_m = tables.memberships.c
_t = tables.teams.c

_RECEIVED = (
    select(_i.id, _t.id, _t.name, _i.role, _i.invited_by, _i.created_at)
    .join_from(tables.invitations, tables.teams, _t.id == _i.team_id)
    .where(_i.user_id == bindparam("actor"))
    .order_by(_i.created_at, _i.id)
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """As the team's owners see it; `username` is who was invited, `invited_by` the user name of who did."""

    id: str
    username: str
    role: TeamRole
    invited_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """As the invited person sees it."""

    id: str
    team_id: str
    team_name: str
    role: TeamRole
    invited_by: str
    created_at: datetime


def send(tx: Connection, ledger: Ledger, actor: Actor, team_id: str, *, username: str, role: TeamRole) -> Invitation:
    """Invite somebody.

    Raises:
        InvalidInput: no such user, or no such role.
        AlreadyMember, AlreadyInvited: nothing to ask.
    """
    require_team_role(tx, actor, team_id, "owner", hold=True)
    teams.checked_role(role)
    invited = tx.execute(
        select(_u.id, _u.username).where(_u.username == users.normalised(username), _u.suspended.is_(False))
    ).one_or_none()
    if invited is None:
        raise InvalidInput(fields={"username": "Nobody here has that user name."})
    if tx.execute(select(_m.role).where(_m.team_id == team_id, _m.user_id == invited.id)).scalar():
        raise AlreadyMember
    invitation = Invitation(new_id(), invited.username, role, actor.username, ledger.now())
    try:
        tx.execute(
            insert(tables.invitations).values(
                id=invitation.id,
                team_id=team_id,
                user_id=invited.id,
                role=role,
                invited_by=actor.username,
                created_at=invitation.created_at,
            )
        )
    except IntegrityError as error:
        raise AlreadyInvited from error
    properties = {"team": ledger.pseudonyms.team(team_id), "member_role": role}
    ledger.record(tx, actor, "invitation sent", properties, team=team_id, target=f"{invited.username}: {role}")
    return invitation


def list_of_team(tx: Connection, actor: Actor, team_id: str) -> list[Invitation]:
    """What waits for an answer, oldest first. For owners."""
    require_team_role(tx, actor, team_id, "owner")
    rows = tx.execute(
        select(_i.id, _u.username, _i.role, _i.invited_by, _i.created_at)
        .join_from(tables.invitations, tables.users, _u.id == _i.user_id)
        .where(_i.team_id == team_id)
        .order_by(_i.created_at, _i.id)
    )
    return [Invitation(*row) for row in rows]


def list_for(tx: Connection, actor: Actor) -> list[Received]:
    """What the actor has been asked, oldest first."""
    return [Received(*row) for row in tx.execute(_RECEIVED, {"actor": actor.user_id})]


def revoke(tx: Connection, ledger: Ledger, actor: Actor, team_id: str, invitation_id: str) -> None:
    """Take an invitation back. For owners."""
    require_team_role(tx, actor, team_id, "owner")
    invited = tx.execute(
        select(_u.username)
        .join_from(tables.invitations, tables.users, _u.id == _i.user_id)
        .where(_i.id == invitation_id, _i.team_id == team_id)
    ).scalar()
    if invited is None or not _delete(tx, invitation_id):
        raise NotFound
    ledger.note(tx, actor, "invitation revoked", team=team_id, target=invited)


def accept(tx: Connection, ledger: Ledger, actor: Actor, invitation_id: str) -> str:
    """Join the team; gives its id. Of two who accept at once (two tabs), one does, the other gets NotFound."""
    team_id, role = _answer(tx, actor, invitation_id)
    teams.join(tx, ledger, team_id, actor.user_id, role)
    properties = {"team": ledger.pseudonyms.team(team_id), "member_role": role}
    ledger.record(tx, actor, "invitation accepted", properties, team=team_id, target=f"{actor.username}: {role}")
    return team_id


def decline(tx: Connection, ledger: Ledger, actor: Actor, invitation_id: str) -> None:
    team_id, _ = _answer(tx, actor, invitation_id)
    ledger.note(tx, actor, "invitation declined", team=team_id, target=actor.username)


def _answer(tx: Connection, actor: Actor, invitation_id: str) -> tuple[str, TeamRole]:
    row = tx.execute(
        select(_i.team_id, _i.role).where(_i.id == invitation_id, _i.user_id == actor.user_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    # The team first, as everybody does who changes its members; it may be gone by now, and the invitation with it.
    tx.execute(select(_t.id).where(_t.id == row.team_id).with_for_update()).all()
    if not _delete(tx, invitation_id):
        raise NotFound
    return row.team_id, row.role


def _delete(tx: Connection, invitation_id: str) -> bool:
    return tx.execute(delete(tables.invitations).where(_i.id == invitation_id)).rowcount == 1
