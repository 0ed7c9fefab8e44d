"""Every address there is: declared, guarded, documented. A new endpoint is in this test before it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

import flowforge_ui
from flowforge_ui.factory import Runtime
from flowforge_ui.platform import flows, projects
from flowforge_ui.web.api import ENDPOINTS
from flowforge_ui.web.api.table import Endpoint, Guard
from tests.conftest import Cast
from tests.web.conftest import Browser

DOCS = Path(flowforge_ui.__file__).parent.parent / "docs" / "api.md"
TEAM_GUARDS = (Guard.VIEWER, Guard.MEMBER, Guard.OWNER)

BODIES: dict[str, Any] = {
    "account.sign_in": {"username": "alice", "password": "wrong"},
    "account.register": {"username": "eve", "password": "long enough"},
    "account.create_administrator": {"username": "eve", "password": "long enough"},
    "account.choose": {"telemetry": True, "local_analytics": True},
    "user.change": {"name": "Eve"},
    "user.change_password": {"current": "wrong", "new": "long enough"},
    "user.change_privacy": {"opt_out": False},
    "users.create": {"username": "eve", "password": "long enough", "role": "user"},
    "users.change": {"name": "Eve"},
    "teams.create": {"name": "Plant"},
    "teams.rename": {"name": "Plant"},
    "teams.change_role": {"role": "viewer"},
    "teams.invite": {"username": "root", "role": "viewer"},
    "projects.create": {"team": "?", "name": "Line"},
    "projects.rename": {"name": "Line"},
    "projects.put_flows": [],
    "settings.change": {"user:signup": False},
    "ping.accept": {"version": 1},
}


@pytest.fixture
def things(runtime: Runtime, cast: Cast) -> dict[str, str]:
    """Ids of alice's things, by the name of the path's parameter."""
    platform = runtime.house.platform
    from flowforge_ui.database import transaction

    with transaction(platform.engine) as tx:
        project = projects.create(tx, platform.ledger, cast.alice, cast.plant.id, "Line")
        flows.put(tx, platform.ledger, cast.alice, platform.driver, project.id, file=flows.parse(b"[]"))
    nobody = "nobodys0000000id"
    return {
        "team": cast.plant.id,
        "project": project.id,
        "user": cast.bob.user_id,
        "session": nobody,
        "invitation": nobody,
        "seq": "1",
    }


def path_of(endpoint: Endpoint, things: dict[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda match: things[match[1]], endpoint.path)


def call(browser: Browser, endpoint: Endpoint, things: dict[str, str], **headers: str) -> TestResponse:
    body = BODIES.get(endpoint.name)
    if endpoint.name == "projects.create":
        body = {"team": things["team"], "name": "Line"}
    return browser.send(endpoint.method, path_of(endpoint, things), body, **headers)


def test_every_rule_is_an_endpoint_of_the_table_or_one_of_the_few_others(runtime: Runtime) -> None:
    declared = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    others = {("GET", path) for path in ("/", "/<page:path>", "/healthz", "/readyz", "/favicon.svg", "/favicon.ico")}
    found = {
        (method, str(rule))
        for rule in runtime.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert found == declared | others


def test_the_table_has_no_two_endpoints_of_one_name() -> None:
    assert len({endpoint.name for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_anonymous_gets_401_everywhere_but_where_anybody_may(
    runtime: Runtime, cast: Cast, things: dict[str, str]
) -> None:
    public = {endpoint.name for endpoint in ENDPOINTS if endpoint.guard is Guard.PUBLIC}
    assert public == {
        "account.sign_in",
        "account.sign_out",
        "account.register",
        "account.create_administrator",
        "user.csrf",
        "api.openapi",
    }
    for endpoint in ENDPOINTS:
        if endpoint.guard is not Guard.PUBLIC:
            answer = call(Browser(runtime), endpoint, things)
            assert (endpoint.name, answer.status_code, answer.get_json()) == (
                endpoint.name,
                401,
                {"code": "not_signed_in", "error": "Sign in first."},
            )


@pytest.mark.parametrize("name", ["charlie", "root"])
def test_whoever_is_no_member_sees_nothing_of_a_team(
    signed_in: Callable[[str], Browser], things: dict[str, str], name: str
) -> None:
    """The administrator, too: teams belong to their members."""
    stranger = signed_in(name)
    for endpoint in ENDPOINTS:
        if endpoint.guard in TEAM_GUARDS:
            answer = call(stranger, endpoint, things)
            assert (endpoint.name, answer.status_code) == (endpoint.name, 404)
            assert "Plant" not in answer.get_data(as_text=True)
            assert "Line" not in answer.get_data(as_text=True)


def test_users_are_kept_out_of_what_is_for_analysts_and_administrators(
    root: Browser, cast: Cast, things: dict[str, str], signed_in: Callable[[str], Browser]
) -> None:
    assert root.send("PATCH", f"/api/v1/users/{cast.charlie.user_id}", {"role": "analyst"}).status_code == 200
    bob, analyst = signed_in("bob"), signed_in("charlie")
    for endpoint in ENDPOINTS:
        if endpoint.guard in (Guard.ANALYST, Guard.ADMIN):
            assert (endpoint.name, call(bob, endpoint, things).status_code) == (endpoint.name, 403)
        if endpoint.guard is Guard.ADMIN:
            assert (endpoint.name, call(analyst, endpoint, things).status_code) == (endpoint.name, 403)
        if endpoint.guard is Guard.ANALYST:
            assert (endpoint.name, call(analyst, endpoint, things).status_code) == (endpoint.name, 200)


MEMBERS_MAY = {
    "teams.show": 200,
    "teams.rename": 403,
    "teams.remove": 403,
    "teams.list_members": 200,
    "teams.change_role": 403,
    "teams.list_invitations": 403,
    "teams.invite": 403,
    "teams.revoke_invitation": 403,
    "teams.list_projects": 200,
    "teams.list_audit": 403,
    "projects.create": 201,
    "projects.show": 200,
    "projects.rename": 200,
    "projects.remove": 403,
    "projects.show_flows": 200,
    "projects.put_flows": 200,
    "projects.export_flows": 200,
}
VIEWERS_MAY = MEMBERS_MAY | dict.fromkeys(["projects.create", "projects.rename", "projects.put_flows"], 403)


@pytest.mark.parametrize(("role", "expected"), [("member", MEMBERS_MAY), ("viewer", VIEWERS_MAY)])
def test_roles_in_a_team(
    alice: Browser, bob: Browser, cast: Cast, things: dict[str, str], *, role: str, expected: dict[str, int]
) -> None:
    path = f"/api/v1/teams/{cast.plant.id}/members/{cast.bob.user_id}"
    assert alice.send("PATCH", path, {"role": role}).status_code == 200
    found = {
        endpoint.name: call(bob, endpoint, things | {"user": cast.alice.user_id}).status_code
        for endpoint in ENDPOINTS
        if endpoint.guard in TEAM_GUARDS and endpoint.name != "teams.remove_member"
    }
    assert found == expected
    other = f"/api/v1/teams/{cast.plant.id}/members/{cast.alice.user_id}"
    assert bob.send("DELETE", other).status_code == 403
    assert bob.send("DELETE", path).status_code == 204  # anybody may leave


@pytest.mark.parametrize("name", ["root", None])
def test_nothing_changes_without_the_csrf_token(
    runtime: Runtime, cast: Cast, things: dict[str, str], signed_in: Callable[[str], Browser], name: str | None
) -> None:
    browser = signed_in(name) if name else Browser(runtime)
    other = Browser(runtime)
    other.open("/")
    for endpoint in ENDPOINTS:
        if not endpoint.writes:
            continue
        for wrong in ({"X_CSRF_Token": ""}, {"X_CSRF_Token": other.csrf}, {"Sec_Fetch_Site": "cross-site"},
                      {"Origin": "https://evil.example"}):  # fmt: skip
            answer = call(browser, endpoint, things, **wrong)
            code = "csrf" if "X_CSRF_Token" in wrong else "cross_site"
            assert (endpoint.name, answer.status_code, answer.get_json()["code"]) == (endpoint.name, 403, code)


def test_the_readable_page_names_exactly_these_endpoints() -> None:
    assert documented() == {(endpoint.method, _shape(endpoint.path)) for endpoint in ENDPOINTS}


def _shape(path: str) -> str:
    return re.sub(r"<\w+>|:\w+", ":", path)


def documented() -> set[tuple[str, str]]:
    """The routes of docs/api.md: those of the table's first column, and those of the sentence below it."""
    text = DOCS.read_text("utf-8")
    found: set[tuple[str, str]] = set()
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        cell = line.split(" | ")[0]
        path = re.search(r"/api/v1/[\w/.:-]+", cell)
        assert path, cell
        methods = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE)\b", cell)
        paths = [path[0], *(path[0].rpartition("/")[0] + other for other in re.findall(r", `(/\w+)`", cell))]
        found |= {(method, _shape(one)) for method in methods for one in paths}
    outside = text.partition("Outside `/api/v1`")[2].partition("## ")[0]
    found |= set(re.findall(r"`(POST) (/(?:account|setup)/\w+)", outside))
    return found


def test_the_openapi_document_is_valid_and_complete(runtime: Runtime) -> None:
    answer = runtime.app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    spec = answer.get_json()
    validate(spec)
    described = {
        (method.upper(), re.sub(r"\{(\w+)\}", r"<\1>", path))
        for path, methods in spec["paths"].items()
        for method in methods
    }
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    assert spec["info"]["version"] == flowforge_ui.__version__
