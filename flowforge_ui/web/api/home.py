"""What one sees first, in one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_ui.platform import invitations, projects, teams

from . import shapes
from .projects import shaped as shaped_project
from .table import Guard, Table
from .teams import shaped as shaped_team
from .user import shaped_invitation

if TYPE_CHECKING:
    from .call import Call

ENDPOINTS = Table("/api/v1")
on = ENDPOINTS.on

RECENT = 8


@on("GET", "/home", Guard.USER, "One's teams, their projects changed last, and invitations", answer=shapes.Home)
def show(call: Call[None]) -> shapes.Home:
    with call.reading() as tx:
        mine = teams.list_for(tx, call.actor)
        recent = projects.latest_for(tx, call.actor, RECENT)
        received = invitations.list_for(tx, call.actor)
    pseudonyms = call.platform.pseudonyms
    return shapes.Home(
        teams=[shaped_team(one, pseudonyms) for one in mine],
        projects=[shaped_project(one, pseudonyms) for one in recent],
        invitations=[shaped_invitation(one) for one in received],
    )
