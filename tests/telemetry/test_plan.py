"""The plan: what is in it, what it refuses, and which page an address is."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import flowforge_ui
from flowforge_ui.telemetry.event import Event, Refusal, new_uuid
from flowforge_ui.telemetry.plan import Plan, PlanError, PropertyDef
from flowforge_ui.telemetry.routes import RouteMatch
from flowforge_ui.telemetry.values import rule

PLAN = Path(flowforge_ui.__file__).parent / "plan"


def an_event(event: str, **properties: object) -> Event:
    return Event(new_uuid(), event, "u_alice", 1, properties, "server")  # type: ignore[arg-type]


# Events


def test_an_event_of_the_plan_keeps_what_the_plan_allows(plan: Plan) -> None:
    team, project = "t_" + "a" * 26, "p_" + "7" * 26
    given = an_event("project created", team=team, project=project, name="Pump 7", role="user", source="server")
    checked = plan.check(given)
    assert isinstance(checked, Event)
    assert checked.properties == {"team": team, "project": project, "role": "user", "source": "server"}
    assert (checked.uuid, checked.timestamp, checked.distinct_id) == (given.uuid, given.timestamp, given.distinct_id)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("project deleted", "unknown_event"), ("", "unknown_event"), ("$pageview", "wrong_side")],
)
def test_an_event_that_is_not_in_the_plan(plan: Plan, name: str, reason: str) -> None:
    assert plan.check(an_event(name)) == Refusal(reason)


def test_every_event_has_a_question(plan: Plan) -> None:
    assert all(event.why and event.since for event in plan.events.values())
    assert [name for name, event in plan.events.items() if event.side == "browser"] == ["$pageview", "$pageleave"]
    assert [event.name for event in plan.events.values() if event.sdk] == ["$pageview", "$pageleave"]


# Types: each with values that are of it, and values that are not


UUID = "01a20757-10ab-7eec-ad5c-9c58e2135fef"
TEAM = "t_" + "a" * 26
NOTHING: list[object] = [None, [], {}, object, b"x", "", "\ud83d", "\x00", math.nan, math.inf, -math.inf, "x" * 10_000]


TYPES: list[tuple[dict[str, object], list[tuple[object, object]], list[object]]] = [
    ({"type": "boolean"}, [(True, True), (False, False)], [0, 1, "true"]),
    ({"type": "enum", "values": ("a", "b")}, [("a", "a")], ["c", "A", ["a"], 1]),
    ({"type": "route"}, [("team", "team"), ("login", "login")], ["Team", "/team"]),
    ({"type": "route_pattern"}, [("/team/:team", "/team/:team"), ("/login", "/login")], ["/team/3f", "/team/:team/"]),
    ({"type": "pseudonym", "prefix": "t_"}, [(TEAM, TEAM)], [TEAM[:-1], TEAM + "a", "p" + TEAM[1:], TEAM.upper()]),
    ({"type": "uuid"}, [(UUID, UUID), (UUID.upper(), UUID)], [UUID[:-1], UUID + "\n", "{" + UUID + "}", 1]),
    ({"type": "version"}, [("0.9.0",) * 2, ("1.2.3rc1",) * 2], ["1", "v1.2", "1.2.3-secret", "1.2.3\n", 1.2]),
    ({"type": "dotted", "values": ("XP",)}, [("10.15.7",) * 2, ("10",) * 2, ("XP",) * 2], ["10.", "10.x", "ME", 10]),
    ({"type": "language"}, [("en",) * 2, ("zh-Hans-CN",) * 2, ("es-419",) * 2], ["EN", "en-us", "secret"]),
    ({"type": "integer"}, [(0, 0), (7, 7), (2.6, 3), (2.4, 2)], [-1, True, "7", 2**53, 10**400]),
    ({"type": "integer", "min": -900, "max": 900}, [(-900, -900)], [-901, 901]),
    ({"type": "duration_ms", "max": 100}, [(33.4, 33), (100, 100)], [101, -0.1, False]),
    ({"type": "number"}, [(1.5, 1.5), (0, 0)], [-1, True, "1.5"]),
    ({"type": "ratio"}, [(0, 0), (0.25, 0.25), (1, 1)], [1.01, -0.01, True]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("definition", "good", "bad"),
    TYPES,
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_types(plan: Plan, definition: dict[str, object], good: list[tuple[object, object]], bad: list[object]) -> None:
    check = rule(PropertyDef(name="x", **definition), plan.table).check  # type: ignore[arg-type]
    assert [check(raw) for raw, _ in good] == [clean for _, clean in good]
    assert [value for value in (*bad, *NOTHING) if check(value) is not None] == []


# Routes


@pytest.mark.parametrize(
    ("path", "name", "params"),
    [
        ("/", "home", {}),
        ("/account", "account", {}),
        ("/account/", "account", {}),
        ("/team/create", "team_create", {}),
        ("/team/3f9a", "team", {"team": "3f9a"}),
        ("/team/a%20b", "team", {"team": "a b"}),
        ("/team/3f9a/projects/create", "project_create", {"team": "3f9a"}),
        ("/project/7/flows", "project_flows", {"project": "7"}),
    ],
)
def test_an_address_is_a_page(plan: Plan, path: str, name: str, params: dict[str, str]) -> None:
    assert plan.match(path) == RouteMatch(plan.table.by_name[name], params)


@pytest.mark.parametrize(
    "path",
    ["", "account", "//", "/Account", "/team", "/team/", "/team//projects", "/team/1/2/3", "/login", "/not_found"],
)
def test_an_address_is_no_page(plan: Plan, path: str) -> None:
    assert plan.match(path) is None


def test_every_pattern_is_its_own_page(plan: Plan) -> None:
    assert [match.route for route in plan.routes if (match := plan.match(route.pattern))] == list(plan.routes)


# A plan that contradicts itself


EVENT = "{name: a, side: server, since: '0.1', why: x, properties: {%s}}"
ROUTES = "routes: [{name: home, pattern: /, title: Home, who: user}]\nvirtual: [{name: not_found, title: N}]\n"


@pytest.mark.parametrize(
    ("events", "routes", "says"),
    [
        (EVENT % "p: {type: text}", ROUTES, "events.yml: a: p: unknown type text"),
        (EVENT % "p: {type: enum}", ROUTES, "events.yml: a: p: an enum names its values"),
        (EVENT % "p: {type: pseudonym}", ROUTES, "events.yml: a: p: a pseudonym names its prefix"),
        (EVENT % "p: {type: url}", ROUTES, "events.yml: a: p: unknown type url"),
        (EVENT % "p: {type: uuid, maximum: 3}", ROUTES, "events.yml: a: p: unknown maximum"),
        ("{name: a, side: both, since: '0.1', why: x}", ROUTES, "events.yml: a: side, since (text) and why are needed"),
        ("{name: a, side: server, since: 0.1, why: x}", ROUTES, "events.yml: a: side, since (text) and why are needed"),
        ("{name: a, side: server, since: '0.1'}", ROUTES, "events.yml: a: side, since (text) and why are needed"),
        (f"{EVENT % ''}, {EVENT % ''}", ROUTES, "events.yml: an event is named twice"),
        ("{", ROUTES, "events.yml: "),
        (EVENT % "", "[]", "routes.yml: not a table"),
        (EVENT % "", ROUTES.replace("who: user", "who: me"), "routes.yml: home: who is anyone, user, analyst or admin"),
        (EVENT % "", ROUTES.replace("pattern: /", "pattern: x"), "routes.yml: home: a pattern starts with /"),
        (EVENT % "", ROUTES.replace("not_found", "home"), "routes.yml: a name or a pattern stands twice"),
        (EVENT % "", ROUTES + "query: {q: text}", "routes.yml: query: unknown type text"),
    ],
)
def test_it_says_what_is_wrong(tmp_path: Path, events: str, routes: str, says: str) -> None:
    (tmp_path / "events.yml").write_text(f"version: 1\ncommon: {{}}\nsdk: {{}}\nevents: [{events}]\n")
    (tmp_path / "routes.yml").write_text(routes)
    with pytest.raises(PlanError) as raised:
        Plan.load(tmp_path)
    assert str(raised.value).startswith(says)


def test_a_plan_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^events\.yml: "):
        Plan.load(tmp_path)


def test_what_the_browser_is_built_from_is_what_the_server_reads(plan: Plan) -> None:
    """The generator runs on the plan as it is, and names every route and event."""
    from scripts.generate import events_ts, routes_ts

    routes, events = routes_ts(plan), events_ts(plan)
    assert all(f"name: '{route.name}', pattern: '{route.pattern}'" in routes for route in plan.routes)
    assert all(f"'{name}': '{definition.type}'" in events for name, definition in plan.sdk.items())
