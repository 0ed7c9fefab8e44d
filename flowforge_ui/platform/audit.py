"""Reading the audit log; `record.py` writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select

from . import tables
from .actor import Actor, require_admin, require_team_role

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

PAGE = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One act; `actor` is the user name at the time."""

    id: int
    at: datetime
    actor: str | None
    event: str
    team_id: str | None
    target: str | None


def of_team(tx: Connection, actor: Actor, team_id: str, *, before: int | None = None, limit: int = PAGE) -> list[Entry]:
    """A team's entries, newest first; `before` is the id of the last entry of the page before. For its owners."""
    require_team_role(tx, actor, team_id, "owner")
    return _entries(tx, _page(before, limit).where(tables.audit.c.team_id == team_id))


def of_platform(tx: Connection, actor: Actor, *, before: int | None = None, limit: int = PAGE) -> list[Entry]:
    """Everything, newest first. For administrators."""
    require_admin(actor)
    return _entries(tx, _page(before, limit))


def prune(tx: Connection, before: datetime) -> int:
    """Forget entries older than `before`; gives how many."""
    return tx.execute(delete(tables.audit).where(tables.audit.c.at < before)).rowcount


def _page(before: int | None, limit: int) -> Select[Any]:
    c = tables.audit.c
    query = select(c.id, c.at, c.actor, c.event, c.team_id, c.target).order_by(c.id.desc()).limit(min(limit, PAGE))
    return query if before is None else query.where(c.id < before)


def _entries(tx: Connection, query: Select[Any]) -> list[Entry]:
    return [Entry(*row) for row in tx.execute(query)]
