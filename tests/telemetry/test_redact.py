"""What leaves: addresses, titles, properties. And that nothing hostile does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowforge_ui
from flowforge_ui.telemetry.event import new_uuid
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.redact import Redactor, host
from flowforge_ui.telemetry.values import CLOSED_TYPES, rule, uuid_text

HOME = "https://flows.example"


@cache
def redactor(base_url: str = HOME) -> Redactor:
    return Redactor(Plan.load(Path(flowforge_ui.__file__).parent / "plan"), base_url)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (f"{HOME}/", f"{HOME}/"),
        (HOME, f"{HOME}/"),
        (f"{HOME}/team/3f9a", f"{HOME}/team/:team"),
        (f"{HOME}/team/create", f"{HOME}/team/create"),
        (f"{HOME}/team/3f9a/projects/", f"{HOME}/team/:team/projects"),
        (f"{HOME}/team/:team/projects", f"{HOME}/team/:team/projects"),
        (f"{HOME}/te%61m/3f9a", f"{HOME}/team/:team"),
        (f"{HOME}/team/a%2Fb", f"{HOME}/team/:team"),
        (f"{HOME}/login", f"{HOME}/login"),
        (f"{HOME}/reset/s3cr3t", f"{HOME}/not_found"),
        (f"{HOME}//", f"{HOME}/not_found"),
        (f"{HOME}/team//", f"{HOME}/not_found"),
        (f"{HOME}/insights?from=2026-01-01&to=2026-01-31", f"{HOME}/insights?from=2026-01-01&to=2026-01-31"),
        (f"{HOME}/insights?to=2026-01-31&token=s3cr3t#s3cr3t", f"{HOME}/insights?to=2026-01-31"),
        (f"{HOME}/insights?to=2026-01-31&from=2026-01-01", f"{HOME}/insights?from=2026-01-01&to=2026-01-31"),
        (f"{HOME}/insights?from=s3cr3t&from=2026-01-01", f"{HOME}/insights"),
        (f"{HOME}/insights?from=2026-02-30", f"{HOME}/insights"),
        (f"{HOME}/insights?from=\uff12\uff10\uff12\uff16-01-01", f"{HOME}/insights"),
        (f"{HOME}/?{'a=b&' * 200}from=2026-01-01", f"{HOME}/?from=2026-01-01"),
        ("http://alias:3000/team/x?from=2026-01-01", f"{HOME}/team/:team?from=2026-01-01"),
        ("https://user:s3cr3t@flows.example/account", f"{HOME}/account"),
        ("javascript:s3cr3t", None),
        ("data:text/html,s3cr3t", None),
        ("https://[s3cr3t", None),
        ("//flows.example/account", None),
        ("s3cr3t", None),
        ("x" * 9000, None),
        ("", None),
        (7, None),
        (["https://flows.example/"], None),
    ],
)  # fmt: skip
def test_an_address(raw: object, clean: str | None) -> None:
    assert redactor().url(raw) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("/team/3f9a", "/team/:team"),
        ("/team/3f9a?x=s3cr3t", "/team/:team"),
        ("/account#s3cr3t", "/account"),
        ("/s3cr3t", "/not_found"),
        ("team", None),
        ("", None),
        (None, None),
    ],
)
def test_a_path(raw: object, clean: str | None) -> None:
    assert redactor().path(raw) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("$direct", "$direct"),
        (f"{HOME}/team/3f9a?x=s3cr3t", f"{HOME}/team/:team"),
        ("https://search.example/find?q=s3cr3t#s3cr3t", "https://search.example"),
        ("HTTPS://User:s3cr3t@Search.Example:8443/x", "https://search.example:8443"),
        ("https://search.example:443/", "https://search.example"),
        ("http://flows.example/team/s3cr3t", "http://flows.example"),
        ("http://[::1]:3000/x", "http://[::1]:3000"),
        ("android-app://com.example/s3cr3t", None),
        ("https://s3cr3t s3cr3t/", None),
        ("https://example:99999/", None),
        ("s3cr3t", None),
        ("", None),
        (3, None),
    ],
)
def test_a_referrer(raw: object, clean: str | None) -> None:
    assert redactor().referrer(raw) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("$direct", "$direct"),
        ("Search.Example", "search.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("search.example:443", None),
        ("a b", None),
        ("a/b", None),
        ("<script>", None),
        ("x" * 400, None),
        (1, None),
    ],
)
def test_a_host(raw: object, clean: str | None) -> None:
    assert host(raw) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("0193B2F0-7c55-7A6E-8d3c-4b1c2d3e4f4f", "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4f"),
        ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
        ("0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4", None),
        ("0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4f0", None),
        ("0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4f\n", None),
        ("0193b2f07c55-7a6e-8d3c-4b1c2d3e4f4f00", None),
        ("0193b2f0-7c55-7a6e-8d3c04b1c2d3e4f4f", None),
        ("0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4g", None),
        ("0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4\uff11", None),
        ("0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4\ud83d", None),
        ("{193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4}", None),
        ("", None),
        (7, None),
    ],
)
def test_a_uuid(text: object, clean: str | None) -> None:
    assert uuid_text(text) == clean


def test_below_a_path_of_its_own() -> None:
    below = redactor("https://plant.example/flows/")
    assert below.url("https://plant.example/flows/team/x?token=1") == "https://plant.example/flows/team/:team"
    assert below.path("/flows/team/x") == "/flows/team/:team"
    assert below.path("/flows") == "/flows/"


def test_the_title_is_the_plans() -> None:
    def title(**properties: object) -> object:
        return redactor().clean("$pageview", {"title": "Team of Mrs. S3cr3t", **properties}).properties["title"]

    assert title(route="team") == "Team"
    assert title(**{"$current_url": f"{HOME}/account/security"}) == "Security"
    assert title(route="team", **{"$current_url": f"{HOME}/account"}) == "Team"
    assert title(route="nonsense") == title() == "Not found"
    assert "title" not in redactor().clean("$pageview", {"route": "team"}).properties


def test_what_goes_is_counted() -> None:
    raw: dict[str, object] = {"route": "team", "nav_type": "walk", "load_ms": None, "shoe_size": 43, "$browser": {}}
    raw["source"] = "server"
    assert redactor().clean("$pageview", raw) == ({"route": "team"}, 2, 2)


# Whatever is sent, and wherever a secret stands in it

MARKER = "s3cr3tm4rk3r"
"""Letters no closed type can be made of: no hexadecimal, no word of the plan."""


def names() -> list[str]:
    plan = redactor()._plan
    return [*plan.sdk, *plan.common, *plan.events["$pageleave"].properties, "ticket", "$set", "$ip", "$elements", "x"]


marked = st.sampled_from(
    [
        MARKER,
        f"{HOME}/{MARKER}?{MARKER}={MARKER}#{MARKER}",
        f"{HOME}/team/{MARKER}",
        f"https://user:{MARKER}@search.example/{MARKER}",
        f"/{MARKER}",
        f"/team/{MARKER}/projects?from={MARKER}",
        f"t_{MARKER}",
        f"1.2.{MARKER}",
        f"en-{MARKER}",
        f"Chrome {MARKER}",
        f"$direct {MARKER}",
        f"http://{MARKER}",
        f"{MARKER}.search.example",
        f"\ud83d{MARKER}",
        f"</script>{MARKER}",
    ]
)
# A foreign origin may be kept, so a marker that is itself a host's name is left to the two properties of hosts.
hosts = {"$referrer", "$referring_domain"}
values = st.recursive(
    marked | st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | marked, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(names()) | marked, values, max_size=25))
def test_a_secret_planted_anywhere_is_nowhere_in_what_is_kept(raw: dict[str, Any]) -> None:
    for event in ("$pageview", "$pageleave"):
        kept = redactor().clean(event, raw).properties
        assert all(type(value) in {str, int, float, bool} for value in kept.values())
        text = json.dumps({name: value for name, value in kept.items() if name not in hosts})
        assert MARKER not in text
        for name in hosts & kept.keys():
            assert not set("/?#@:") & set(str(kept[name]).removeprefix("https://").removeprefix("http://"))


@settings(max_examples=100)
@given(st.text() | st.from_regex(r"https?://[^/]*/.*"))
def test_an_address_is_always_one_of_the_plan(text: str) -> None:
    clean = redactor().url(text)
    if clean is not None:
        path, _, query = clean.removeprefix(HOME).partition("?")
        assert path in redactor()._table.patterns
        assert {pair.partition("=")[0] for pair in query.split("&") if pair} <= {"from", "to"}


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(names()) | st.text(max_size=5), values, max_size=25))
def test_the_loops_do_what_the_rules_say(raw: dict[str, Any]) -> None:
    plan, kept = redactor()._plan, redactor().clean("$pageleave", raw)
    closed = {name: rule(found, plan.table) for name, found in plan.sdk.items() if found.type in CLOSED_TYPES}
    closed |= plan.rules["$pageleave"]
    for name in ("app_version", "role", "source", "$is_identified", "$process_person_profile"):
        closed.pop(name, None)
    expected = {name: clean for name, found in closed.items() if (clean := found.check(raw.get(name))) is not None}
    assert {name: value for name, value in kept.properties.items() if name in closed} == expected
    given_values = sum(value is not None for value in raw.values())
    assert len(kept.properties) + kept.unknown + kept.invalid == given_values


USUAL: dict[str, Any] = {
    "$browser": "Chrome",
    "$browser_version": 1,
    "$screen_width": 1,
    "$lib": "web",
    "$session_id": new_uuid(),
    "$referrer": "https://search.example/",
    "$current_url": f"{HOME}/team/:team",
    "$host": "flows.example",
    "route": "team",
    "route_pattern": "/team/:team",
    "nav_type": "push",
    "view_id": new_uuid(),
    "engaged_ms": 1,
}
changes = st.dictionaries(
    st.sampled_from(sorted(USUAL)), st.sampled_from([True, False, 1, 1.0, 0, None, [1], "1", "home", "/", f"{HOME}/"])
)


@settings(max_examples=80)
@given(st.lists(changes, min_size=2, max_size=6))
def test_what_came_before_changes_nothing(run: list[dict[str, Any]]) -> None:
    remembering = Redactor(redactor()._plan, HOME)
    for changed in [{}, *run, {}]:
        found = remembering.clean("$pageleave", {**USUAL, **changed})
        alone = Redactor(redactor()._plan, HOME).clean("$pageleave", {**USUAL, **changed})
        assert found == alone
        assert {name: type(value) for name, value in found.properties.items()} == {
            name: type(value) for name, value in alone.properties.items()
        }


def test_no_secret_is_remembered_and_not_more_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowforge_ui.telemetry.redact.MAX_REMEMBERED", 3)
    remembering = Redactor(redactor()._plan, HOME)
    for name, raw in planted():
        if name not in hosts:
            remembering.clean("$pageleave", {**USUAL, **raw, "$session_id": new_uuid()})
            assert MARKER not in held(remembering), name
    assert len(remembering._known["$pageleave"]._browser._clean) <= 3


def held(remembering: Redactor) -> str:
    known = remembering._known["$pageleave"]
    return repr([known._browser._clean, known._page._clean])


def planted() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in names():
        yield name, {name: f"{MARKER}"}
        yield name, {name: {MARKER: [MARKER]}}
        yield name, {name: f"{HOME}/x/{MARKER}?a={MARKER}"}


def test_a_secret_in_each_property_in_turn() -> None:
    for name, raw in planted():
        kept = redactor().clean("$pageleave", raw).properties
        if name not in hosts:
            assert MARKER not in json.dumps(kept), name


def test_the_example_of_posthog_js_keeps_what_is_wanted() -> None:
    """What the real SDK sends for a view, less what it must not: compare with the plan's list when the SDK changes."""
    uuid = new_uuid()
    raw = {
        "token": "phc_x",
        "distinct_id": uuid,
        "$os": "Mac OS X",
        "$os_version": "10.15.7",
        "$browser": "Chrome",
        "$device_type": "Desktop",
        "$timezone": "Europe/Berlin",
        "$timezone_offset": -60,
        "$current_url": f"{HOME}/project/1f/flows",
        "$host": "localhost:3000",
        "$pathname": "/project/1f/flows",
        "$raw_user_agent": "Mozilla/5.0 (secret)",
        "$browser_version": 156,
        "$browser_language": "en-US",
        "$screen_height": 1080,
        "$lib": "web",
        "$lib_version": "1.449.2",
        "$insert_id": "k3l2j5h6",
        "$time": 1740902400.123,
        "$device_id": uuid,
        "$session_id": uuid,
        "$referrer": "$direct",
        "$config_defaults": "2026-05-30",
        "title": "Pump 7",
        "route": "project_flows",
    }
    assert redactor().clean("$pageview", raw).properties == {
        "$os": "Mac OS X",
        "$os_version": "10.15.7",
        "$browser": "Chrome",
        "$device_type": "Desktop",
        "$timezone_offset": -60,
        "$current_url": f"{HOME}/project/:project/flows",
        "$host": "flows.example",
        "$pathname": "/project/:project/flows",
        "$browser_version": 156,
        "$browser_language": "en-US",
        "$screen_height": 1080,
        "$lib": "web",
        "$lib_version": "1.449.2",
        "$device_id": uuid,
        "$session_id": uuid,
        "$referrer": "$direct",
        "title": "Flows",
        "route": "project_flows",
    }
