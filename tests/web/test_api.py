"""The endpoints at work: each answer has exactly the shape of docs/api.md, and what was done is there afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import flowforge_ui
from flowforge_ui.factory import Runtime
from flowforge_ui.telemetry.event import Event
from flowforge_ui.web.api import numbers
from tests.conftest import Cast, FakeClock
from tests.web.conftest import Browser

NOW = "2026-03-02T08:00:00.000Z"
FLOWS = json.dumps(
    [
        {"id": "t1", "type": "tab", "label": "Line 1"},
        {"id": "n1", "type": "inject", "z": "t1", "x": 1, "y": 1},
        {"id": "n2", "type": "debug", "z": "t1", "x": 2, "y": 1},
        {"id": "n3", "type": "debug", "z": "t1", "x": 3, "y": 1},
        {"id": "c1", "type": "mqtt-broker"},
    ]
).encode()


def test_the_user(alice: Browser, cast: Cast) -> None:
    me = {
        "id": cast.alice.user_id,
        "username": "alice",
        "name": "Alice",
        "email": "alice@plant.example",
        "role": "user",
        "telemetry_opt_out": False,
        "created_at": NOW,
    }
    assert alice.get("/api/v1/user").get_json() == me
    changed = alice.send("PATCH", "/api/v1/user", {"name": " Alice B. "})
    assert changed.get_json() == me | {"name": "Alice B."}
    assert alice.send("PATCH", "/api/v1/user", {"email": None}).get_json()["email"] is None
    assert alice.send("PATCH", "/api/v1/user", {"email": "a@b.example"}).get_json()["email"] == "a@b.example"
    assert alice.send("PATCH", "/api/v1/user", {"email": ""}).get_json()["email"] is None
    assert alice.send("PATCH", "/api/v1/user", {}).get_json() == me | {"name": "Alice B.", "email": None}


def test_home_is_what_the_single_questions_answer(alice: Browser, cast: Cast) -> None:
    assert alice.post("/api/v1/teams", {"name": "Lab"}).status_code == 201
    for number in range(10):
        made = alice.post("/api/v1/projects", {"team": cast.plant.id, "name": f"Line {number}"})
        assert made.status_code == 201
    home = alice.get("/api/v1/home").get_json()
    assert home == {
        "teams": alice.get("/api/v1/teams").get_json()["teams"],
        "projects": alice.get("/api/v1/projects").get_json()["projects"][:8],
        "invitations": [],
    }
    assert (len(home["teams"]), len(home["projects"])) == (2, 8)


def test_home_names_who_invites(alice: Browser, charlie: Browser, cast: Cast) -> None:
    invited = {"username": "charlie", "role": "viewer"}
    assert alice.post(f"/api/v1/teams/{cast.plant.id}/invitations", invited).status_code == 201
    received = charlie.get("/api/v1/user/invitations").get_json()["invitations"]
    assert [one["invited_by"] for one in received] == ["alice"]
    assert charlie.get("/api/v1/home").get_json() == {"teams": [], "projects": [], "invitations": received}


def test_teams(alice: Browser, cast: Cast, runtime: Runtime) -> None:
    pseudonym = runtime.house.platform.pseudonyms.team
    plant = {
        "id": cast.plant.id,
        "name": "Plant",
        "pseudonym": pseudonym(cast.plant.id),
        "role": "owner",
        "members": 2,
        "projects": 0,
        "created_at": NOW,
    }
    assert alice.get("/api/v1/teams").get_json() == {"teams": [plant]}
    made = alice.post("/api/v1/teams", {"name": "Office"})
    office = made.get_json()
    assert made.status_code == 201
    assert office == plant | {
        "id": office["id"],
        "name": "Office",
        "pseudonym": pseudonym(office["id"]),
        "members": 1,
    }
    renamed = alice.send("PATCH", f"/api/v1/teams/{office['id']}", {"name": "Back office"})
    assert renamed.get_json() == office | {"name": "Back office"}
    assert alice.get(f"/api/v1/teams/{office['id']}").get_json() == renamed.get_json()
    gone = alice.send("DELETE", f"/api/v1/teams/{office['id']}")
    assert (gone.status_code, gone.get_data(), gone.headers.get("Content-Type")) == (204, b"", None)
    assert alice.get("/api/v1/teams").get_json() == {"teams": [plant]}


def test_members_and_invitations(alice: Browser, bob: Browser, charlie: Browser, root: Browser, cast: Cast) -> None:
    base = f"/api/v1/teams/{cast.plant.id}"
    member = {"id": cast.bob.user_id, "username": "bob", "name": "Bob", "role": "member", "joined_at": NOW}
    owner = {"id": cast.alice.user_id, "username": "alice", "name": "Alice", "role": "owner", "joined_at": NOW}
    assert bob.get(f"{base}/members").get_json() == {"members": [owner, member]}
    path = f"{base}/members/{cast.bob.user_id}"
    assert alice.send("PATCH", path, {"role": "viewer"}).get_json() == member | {"role": "viewer"}
    last = alice.send("DELETE", f"{base}/members/{cast.alice.user_id}")
    assert (last.status_code, last.get_json()["code"]) == (409, "last_owner")

    sent = alice.post(f"{base}/invitations", {"username": "charlie", "role": "member"})
    invitation = sent.get_json()
    assert sent.status_code == 201
    assert invitation == {
        "id": invitation["id"],
        "username": "charlie",
        "role": "member",
        "invited_by": "alice",
        "created_at": NOW,
    }
    assert alice.get(f"{base}/invitations").get_json() == {"invitations": [invitation]}
    again = alice.post(f"{base}/invitations", {"username": "charlie", "role": "member"})
    assert (again.status_code, again.get_json()["code"]) == (409, "already_invited")
    there = alice.post(f"{base}/invitations", {"username": "bob", "role": "member"})
    assert (there.status_code, there.get_json()["code"]) == (409, "already_member")
    assert charlie.get("/api/v1/user/invitations").get_json() == {
        "invitations": [
            {
                "id": invitation["id"],
                "team": {"id": cast.plant.id, "name": "Plant"},
                "role": "member",
                "invited_by": "alice",
                "created_at": NOW,
            }
        ]
    }
    assert root.post(f"/api/v1/user/invitations/{invitation['id']}/accept").status_code == 404
    assert charlie.post(f"/api/v1/user/invitations/{invitation['id']}/accept").status_code == 204
    assert charlie.get(base).get_json()["members"] == 3
    other = alice.post(f"{base}/invitations", {"username": "root", "role": "viewer"}).get_json()
    assert root.post(f"/api/v1/user/invitations/{other['id']}/decline").status_code == 204
    third = alice.post(f"{base}/invitations", {"username": "root", "role": "viewer"}).get_json()
    assert alice.send("DELETE", f"{base}/invitations/{third['id']}").status_code == 204
    assert alice.get(f"{base}/invitations").get_json() == {"invitations": []}

    entries = alice.get(f"{base}/audit").get_json()["entries"]
    assert [(entry["actor"], entry["event"], entry["target"]) for entry in entries[:3]] == [
        ("alice", "invitation revoked", "root"),
        ("alice", "invitation sent", "root: viewer"),
        ("root", "invitation declined", "root"),
    ]
    assert all(list(entry) == ["id", "at", "actor", "event", "target"] for entry in entries)


def test_projects_and_flows(alice: Browser, bob: Browser, cast: Cast, runtime: Runtime) -> None:
    pseudonyms = runtime.house.platform.pseudonyms
    made = bob.post("/api/v1/projects", {"team": cast.plant.id, "name": "Line"})
    project = made.get_json()
    assert made.status_code == 201
    assert project == {
        "id": project["id"],
        "name": "Line",
        "pseudonym": pseudonyms.project(project["id"]),
        "team": {
            "id": cast.plant.id,
            "name": "Plant",
            "pseudonym": pseudonyms.team(cast.plant.id),
            "role": "member",
        },
        "flows": {"tabs": 0, "nodes": 0},
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert bob.get("/api/v1/projects").get_json() == {"projects": [project]}
    assert bob.get(f"/api/v1/teams/{cast.plant.id}/projects").get_json() == {"projects": [project]}
    base = f"/api/v1/projects/{project['id']}"
    empty = {"tabs": 0, "nodes": 0, "subflows": 0, "config_nodes": 0, "types": [], "updated_at": None}
    assert bob.get(f"{base}/flows").get_json() == empty
    headers = {"X-CSRF-Token": bob.csrf}
    put = bob.client.put(f"{base}/flows", data=FLOWS, content_type="application/json", headers=headers)
    assert put.status_code == 200
    assert put.get_json() == {
        "tabs": 1,
        "nodes": 3,
        "subflows": 0,
        "config_nodes": 1,
        "types": [
            {"type": "debug", "count": 2},
            {"type": "inject", "count": 1},
            {"type": "mqtt-broker", "count": 1},
        ],
        "updated_at": NOW,
    }
    export = alice.get(f"{base}/flows/export")
    assert (export.status_code, export.get_data(), export.mimetype) == (200, FLOWS, "application/json")
    assert export.headers["Content-Disposition"] == f'attachment; filename="flows-{project["id"]}.json"'
    assert bob.get(base).get_json()["flows"] == {"tabs": 1, "nodes": 3}
    bad = bob.client.put(f"{base}/flows", data=b"{}", content_type="application/json", headers=headers)
    assert (bad.status_code, bad.get_json()["code"]) == (400, "flows_invalid")
    large = b"[" + b" " * 5_000_000 + b"]"
    huge = bob.client.put(f"{base}/flows", data=large, content_type="application/json", headers=headers)
    assert (huge.status_code, huge.get_json()["code"]) == (413, "too_large")
    assert bob.send("PATCH", base, {"name": "Line 2"}).get_json()["name"] == "Line 2"
    assert bob.send("DELETE", base).status_code == 403
    assert alice.send("DELETE", base).status_code == 204
    assert alice.get(base).status_code == 404


def test_users(root: Browser, cast: Cast, runtime: Runtime) -> None:
    found = root.get("/api/v1/users").get_json()["users"]
    assert [one["username"] for one in found] == ["alice", "bob", "charlie", "root"]
    assert set(found[0]) == {
        *("id", "username", "name", "email", "role", "telemetry_opt_out", "created_at"),
        *("suspended", "last_login_at"),
    }
    made = root.post("/api/v1/users", {"username": "Dora", "password": "long enough", "role": "analyst"})
    assert (made.status_code, made.get_json()["username"], made.get_json()["role"]) == (201, "dora", "analyst")
    taken = root.post("/api/v1/users", {"username": "dora", "password": "long enough", "role": "user"})
    assert (taken.status_code, taken.get_json()["code"]) == (409, "username_taken")
    path = f"/api/v1/users/{made.get_json()['id']}"
    changed = root.send("PATCH", path, {"role": "user", "name": "Dora D.", "suspended": True}).get_json()
    assert (changed["role"], changed["name"], changed["suspended"]) == ("user", "Dora D.", True)
    last = root.send("PATCH", f"/api/v1/users/{cast.root.user_id}", {"role": "user"})
    assert (last.status_code, last.get_json()["code"]) == (409, "last_administrator")
    wrong = root.send("PATCH", path, {"role": "king"})
    assert (wrong.status_code, list(wrong.get_json()["fields"])) == (400, ["role"])


def test_administrators_overview(root: Browser, runtime: Runtime) -> None:
    assert root.get("/api/v1/admin/overview").get_json() == {
        "version": flowforge_ui.__version__,
        "instance_id": runtime.house.platform.installation.instance_id,
        "counts": {"users": 4, "teams": 1, "projects": 0},
        "database": "SQLite",
        "started_at": NOW,
    }


def view(number: int, clock: FakeClock) -> Event:
    moment = int(clock().timestamp() * 1000)
    properties = {"route": "home", "route_pattern": "/", "nav_type": "push", "role": "user", "source": "router"}
    return Event(
        f"00000000-0000-7000-8000-{number:012d}", "$pageview", "u_" + "a" * 26, moment, properties, "browser", moment
    )


@pytest.mark.parametrize("filled", [False, True])
def test_insights_have_the_documented_shape(root: Browser, runtime: Runtime, clock: FakeClock, *, filled: bool) -> None:
    if filled:
        runtime.house.analytics().append([view(number, clock) for number in range(3)])
    usage = root.get("/api/v1/insights/overview?from=2026-03-01&to=2026-03-02")
    routes = root.get("/api/v1/insights/routes")
    live = root.get("/api/v1/insights/live")
    for answer, shape in ((usage, numbers.Usage), (routes, numbers.Routes), (live, numbers.Live)):
        assert answer.status_code == 200
        facts = answer.get_json()
        same_keys(shape.model_validate(facts).model_dump(mode="json", by_alias=True), facts)
        assert facts["empty"] is not filled
    assert usage.get_json()["range"] == {"from": "2026-03-01", "to": "2026-03-02", "days": 2}
    assert len(live.get_json()["minutes"]) == 30
    views = {tile["key"]: tile["value"] for tile in usage.get_json()["tiles"]}["views"]
    assert views == (3 if filled else 0)


def same_keys(shaped: Any, given: Any) -> None:
    """What is given has neither more nor other keys than the shape."""
    if isinstance(given, dict):
        assert shaped.keys() == given.keys()
        for key in given:
            same_keys(shaped[key], given[key])
    elif isinstance(given, list):
        for one, other in zip(shaped, given, strict=True):
            same_keys(one, other)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("to=20260301", "to"),
        ("to=2026-W09-1", "to"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2020-01-01&to=2026-03-01", "from"),
        ("from=%00", "from"),
    ],
)
def test_a_range_that_is_none_is_named(root: Browser, query: str, field: str) -> None:
    for name in ("overview", "routes"):
        answer = root.get(f"/api/v1/insights/{name}?{query}")
        assert (answer.status_code, list(answer.get_json()["fields"])) == (400, [field])


def test_times_are_utc_with_milliseconds(alice: Browser, signed_in: Callable[[str], Browser]) -> None:
    session = alice.get("/api/v1/user/sessions").get_json()["sessions"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", session["created_at"])
    assert datetime.fromisoformat(session["created_at"]) == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_api_answers_are_not_kept(alice: Browser) -> None:
    for path in ("/api/v1/user", "/api/v1/csrf", "/api/v1/teams"):
        assert alice.get(path).headers["Cache-Control"] == "no-store"
