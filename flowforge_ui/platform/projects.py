"""Projects of teams. Flows are flows.py's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select, update

from flowforge_ui.database import after_commit

from . import tables
from .actor import Actor, TeamRole, may, require_team_role
from .errors import Forbidden, NotFound
from .values import checked_name, new_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from .drivers import Driver
    from .record import Ledger

_p = tables.projects.c
_m = tables.memberships.c
_t = tables.teams.c

# Put together once: that takes longer than the answer.
_VISIBLE = (
    select(_p.id, _p.name, _t.id, _t.name, _m.role, _p.tabs, _p.nodes, _p.created_at, _p.updated_at)
    .join_from(tables.projects, tables.teams, _t.id == _p.team_id)
    .join(tables.memberships, _m.team_id == _t.id)
    .where(_m.user_id == bindparam("actor"))
)
_ALL = _VISIBLE.order_by(_p.updated_at.desc(), _p.id)
_LATEST = _ALL.limit(bindparam("limit", type_=Integer))
_OF_TEAM = _ALL.where(_t.id == bindparam("team"))
_ONE = _VISIBLE.where(_p.id == bindparam("project"))


@dataclass(frozen=True, slots=True)
class ProjectTeam:
    """The team a project belongs to; `role` is the actor's in it."""

    id: str
    name: str
    role: TeamRole


@dataclass(frozen=True, slots=True)
class Project:
    """A project as a member of its team sees it; `tabs` and `nodes` count what its flows hold."""

    id: str
    name: str
    team: ProjectTeam
    tabs: int
    nodes: int
    created_at: datetime
    updated_at: datetime


def create(tx: Connection, ledger: Ledger, actor: Actor, team_id: str, name: str) -> Project:
    """A new project without flows. For members."""
    require_team_role(tx, actor, team_id, "member", hold=True)
    now, project_id, fresh = ledger.now(), new_id(), checked_name(name)
    sizes = {"tabs": 0, "nodes": 0, "subflows": 0, "config_nodes": 0, "node_types": []}
    tx.execute(
        insert(tables.projects).values(
            id=project_id, team_id=team_id, name=fresh, created_at=now, updated_at=now, **sizes
        )
    )
    properties = {"team": ledger.pseudonyms.team(team_id), "project": ledger.pseudonyms.project(project_id)}
    ledger.record(tx, actor, "project created", properties, team=team_id, target=fresh)
    return get(tx, actor, project_id)


def list_for(tx: Connection, actor: Actor) -> list[Project]:
    """The projects of all of the actor's teams, last changed first."""
    return _found(tx, _ALL, actor=actor.user_id)


def latest_for(tx: Connection, actor: Actor, limit: int) -> list[Project]:
    """The first of `list_for`."""
    return _found(tx, _LATEST, actor=actor.user_id, limit=limit)


def list_of_team(tx: Connection, actor: Actor, team_id: str) -> list[Project]:
    """The projects of one team, last changed first."""
    require_team_role(tx, actor, team_id, "viewer")
    return _found(tx, _OF_TEAM, actor=actor.user_id, team=team_id)


def get(tx: Connection, actor: Actor, project_id: str) -> Project:
    found = _found(tx, _ONE, actor=actor.user_id, project=project_id)
    if not found:
        raise NotFound
    return found[0]


def rename(tx: Connection, ledger: Ledger, actor: Actor, project_id: str, name: str) -> Project:
    """For members."""
    project = require_role(tx, actor, project_id, "member")
    fresh = checked_name(name)
    tx.execute(update(tables.projects).where(_p.id == project_id).values(name=fresh, updated_at=ledger.now()))
    ledger.note(tx, actor, "project renamed", team=project.team.id, target=f"{project.name}: {fresh}")
    return get(tx, actor, project_id)


def remove(tx: Connection, ledger: Ledger, actor: Actor, driver: Driver, project_id: str) -> None:
    """Delete the project; its file goes once that is committed. For owners."""
    project = require_role(tx, actor, project_id, "owner")
    if tx.execute(delete(tables.projects).where(_p.id == project_id)).rowcount != 1:
        raise NotFound
    ledger.note(tx, actor, "project removed", team=project.team.id, target=project.name)
    after_commit(tx, lambda: driver.remove(project_id))


def count(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(tables.projects)).scalar_one()


def require_role(tx: Connection, actor: Actor, project_id: str, at_least: TeamRole) -> Project:
    """The project, if the actor's role in its team suffices.

    Raises:
        NotFound: no such project, or the actor is a stranger to its team.
        Forbidden: a member, but with less than `at_least`.
    """
    project = get(tx, actor, project_id)
    if not may(project.team.role, at_least):
        raise Forbidden
    return project


def _found(tx: Connection, query: Select[Any], **values: str | int) -> list[Project]:
    return [Project(row[0], row[1], ProjectTeam(*row[2:5]), *row[5:]) for row in tx.execute(query, values)]
