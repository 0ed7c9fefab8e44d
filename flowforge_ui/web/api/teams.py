"""Teams, their members, invitations and audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_ui.platform import audit, invitations, projects, teams

from . import shapes
from .projects import shaped as shaped_project
from .table import Guard, Table

if TYPE_CHECKING:
    from flowforge_ui.telemetry.identity import Pseudonyms

    from .call import Call

ENDPOINTS = Table("/api/v1/teams")
on = ENDPOINTS.on


@on("GET", "", Guard.USER, "One's teams", answer=shapes.Teams)
def index(call: Call[None]) -> shapes.Teams:
    with call.reading() as tx:
        found = teams.list_for(tx, call.actor)
    return shapes.Teams(teams=[shaped(team, call.platform.pseudonyms) for team in found])


@on("POST", "", Guard.USER, "A new team", body=shapes.TeamName, answer=shapes.Team, status=201)
def create(call: Call[shapes.TeamName]) -> shapes.Team:
    with call.writing() as tx:
        team = teams.create(tx, call.ledger, call.actor, call.body.name)
    return shaped(team, call.platform.pseudonyms)


@on("GET", "/<team>", Guard.VIEWER, "A team", answer=shapes.Team)
def show(call: Call[None], team: str) -> shapes.Team:
    with call.reading() as tx:
        return shaped(teams.get(tx, call.actor, team), call.platform.pseudonyms)


@on("PATCH", "/<team>", Guard.OWNER, "Rename a team", body=shapes.TeamName, answer=shapes.Team)
def rename(call: Call[shapes.TeamName], team: str) -> shapes.Team:
    with call.writing() as tx:
        return shaped(teams.rename(tx, call.ledger, call.actor, team, call.body.name), call.platform.pseudonyms)


@on("DELETE", "/<team>", Guard.OWNER, "Delete a team with its projects")
def remove(call: Call[None], team: str) -> None:
    with call.writing() as tx:
        teams.remove(tx, call.ledger, call.actor, call.platform.driver, team)


@on("GET", "/<team>/members", Guard.VIEWER, "A team's members", answer=shapes.Members)
def list_members(call: Call[None], team: str) -> shapes.Members:
    with call.reading() as tx:
        return shapes.Members(members=[_member(one) for one in teams.members(tx, call.actor, team)])


@on("PATCH", "/<team>/members/<user>", Guard.OWNER, "Give a member another role", body=shapes.RoleChange,
    answer=shapes.Member, errors=("last_owner",))  # fmt: skip
def change_role(call: Call[shapes.RoleChange], team: str, user: str) -> shapes.Member:
    with call.writing() as tx:
        return _member(teams.change_role(tx, call.ledger, call.actor, team, user, role=call.body.role))


@on("DELETE", "/<team>/members/<user>", Guard.OWNER, "Take a member out of a team, or leave it oneself",
    errors=("last_owner",))  # fmt: skip
def remove_member(call: Call[None], team: str, user: str) -> None:
    with call.writing() as tx:
        teams.remove_member(tx, call.ledger, call.actor, team, user)


@on("GET", "/<team>/invitations", Guard.OWNER, "Invitations that wait for an answer", answer=shapes.Invitations)
def list_invitations(call: Call[None], team: str) -> shapes.Invitations:
    with call.reading() as tx:
        found = invitations.list_of_team(tx, call.actor, team)
    return shapes.Invitations(invitations=[_invitation(one) for one in found])


@on("POST", "/<team>/invitations", Guard.OWNER, "Invite somebody", body=shapes.InvitationCreate,
    answer=shapes.Invitation, status=201, errors=("already_member", "already_invited"))  # fmt: skip
def invite(call: Call[shapes.InvitationCreate], team: str) -> shapes.Invitation:
    with call.writing() as tx:
        return _invitation(
            invitations.send(tx, call.ledger, call.actor, team, username=call.body.username, role=call.body.role)
        )


@on("DELETE", "/<team>/invitations/<invitation>", Guard.OWNER, "Take an invitation back")
def revoke_invitation(call: Call[None], team: str, invitation: str) -> None:
    with call.writing() as tx:
        invitations.revoke(tx, call.ledger, call.actor, team, invitation)


@on("GET", "/<team>/projects", Guard.VIEWER, "A team's projects", answer=shapes.Projects)
def list_projects(call: Call[None], team: str) -> shapes.Projects:
    with call.reading() as tx:
        found = projects.list_of_team(tx, call.actor, team)
    return shapes.Projects(projects=[shaped_project(one, call.platform.pseudonyms) for one in found])


@on("GET", "/<team>/audit", Guard.OWNER, "Who did what in a team, newest first", answer=shapes.Audit)
def list_audit(call: Call[None], team: str) -> shapes.Audit:
    with call.reading() as tx:
        found = audit.of_team(tx, call.actor, team)
    return shapes.Audit(
        entries=[
            shapes.AuditRow(id=str(one.id), at=one.at, actor=one.actor, event=one.event, target=one.target)
            for one in found
        ]
    )


def shaped(team: teams.Team, pseudonyms: Pseudonyms) -> shapes.Team:
    return shapes.Team(
        id=team.id,
        name=team.name,
        pseudonym=pseudonyms.team(team.id),
        role=team.role,
        members=team.members,
        projects=team.projects,
        created_at=team.created_at,
    )


def _member(one: teams.Member) -> shapes.Member:
    return shapes.Member(id=one.id, username=one.username, name=one.name, role=one.role, joined_at=one.joined_at)


def _invitation(one: invitations.Invitation) -> shapes.Invitation:
    return shapes.Invitation(
        id=one.id, username=one.username, role=one.role, invited_by=one.invited_by, created_at=one.created_at
    )
