"""Projects and their flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from flowforge_ui.platform import flows, projects

from . import shapes
from .table import Guard, Table

if TYPE_CHECKING:
    from flowforge_ui.telemetry.identity import Pseudonyms

    from .call import Call

ENDPOINTS = Table("/api/v1/projects")
on = ENDPOINTS.on


@on("GET", "", Guard.USER, "The projects of one's teams", answer=shapes.Projects)
def index(call: Call[None]) -> shapes.Projects:
    with call.reading() as tx:
        found = projects.list_for(tx, call.actor)
    return shapes.Projects(projects=[shaped(one, call.platform.pseudonyms) for one in found])


@on("POST", "", Guard.MEMBER, "A new project", body=shapes.ProjectCreate, answer=shapes.Project, status=201)
def create(call: Call[shapes.ProjectCreate]) -> shapes.Project:
    with call.writing() as tx:
        project = projects.create(tx, call.ledger, call.actor, call.body.team, call.body.name)
    return shaped(project, call.platform.pseudonyms)


@on("GET", "/<project>", Guard.VIEWER, "A project", answer=shapes.Project)
def show(call: Call[None], project: str) -> shapes.Project:
    with call.reading() as tx:
        return shaped(projects.get(tx, call.actor, project), call.platform.pseudonyms)


@on("PATCH", "/<project>", Guard.MEMBER, "Rename a project", body=shapes.ProjectName, answer=shapes.Project)
def rename(call: Call[shapes.ProjectName], project: str) -> shapes.Project:
    with call.writing() as tx:
        renamed = projects.rename(tx, call.ledger, call.actor, project, call.body.name)
    return shaped(renamed, call.platform.pseudonyms)


@on("DELETE", "/<project>", Guard.OWNER, "Delete a project")
def remove(call: Call[None], project: str) -> None:
    with call.writing() as tx:
        projects.remove(tx, call.ledger, call.actor, call.platform.driver, project)


@on("GET", "/<project>/flows", Guard.VIEWER, "What a project's flows hold", answer=shapes.Flows)
def show_flows(call: Call[None], project: str) -> shapes.Flows:
    with call.reading() as tx:
        return _flows(flows.view(tx, call.actor, project))


@on("PUT", "/<project>/flows", Guard.MEMBER, "Replace a project's flows by a Node-RED flows file",
    answer=shapes.Flows, raw=True, limit=flows.MAX_BYTES, errors=("flows_invalid",))  # fmt: skip
def put_flows(call: Call[bytes], project: str) -> shapes.Flows:
    with call.reading() as tx:
        projects.require_role(tx, call.actor, project, "member")  # before a stranger's five megabytes are parsed
    file = flows.parse(call.body)
    with call.writing() as tx:
        return _flows(flows.put(tx, call.ledger, call.actor, call.platform.driver, project, file=file))


@on("GET", "/<project>/flows/export", Guard.VIEWER, "The flows file as it was imported", status=200)
def export_flows(call: Call[None], project: str) -> Response:
    with call.reading() as tx:
        data = flows.export(tx, call.actor, call.platform.driver, project)
    headers = {"Content-Disposition": f'attachment; filename="flows-{project}.json"'}
    return Response(data, mimetype="application/json", headers=headers)


def shaped(project: projects.Project, pseudonyms: Pseudonyms) -> shapes.Project:
    team = project.team
    return shapes.Project(
        id=project.id,
        name=project.name,
        pseudonym=pseudonyms.project(project.id),
        team=shapes.TeamOfProject(id=team.id, name=team.name, pseudonym=pseudonyms.team(team.id), role=team.role),
        flows=shapes.FlowSize(tabs=project.tabs, nodes=project.nodes),
        created_at=project.created_at,
        updated_at=project.updated_at,
    )


def _flows(held: flows.Flows) -> shapes.Flows:
    return shapes.Flows(
        tabs=held.tabs,
        nodes=held.nodes,
        subflows=held.subflows,
        config_nodes=held.config_nodes,
        types=[shapes.NodeType(type=kind, count=count) for kind, count in held.types],
        updated_at=held.updated_at,
    )
