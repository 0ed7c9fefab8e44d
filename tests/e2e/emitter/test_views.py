"""Each view once, each leave once: a journey in real Chromium with the real posthog-js, in every setting."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.emitter.conftest import SECRET, Open, Seen, Site, answered, go, ours, pairs, seen, until
from tests.support.browser import Trouble
from tests.support.capture_server import Request

pytestmark = pytest.mark.browser

COMMON = {
    *("$browser", "$browser_language", "$browser_language_prefix", "$browser_version", "$current_url", "$device_id"),
    *("$device_type", "$host", "$is_identified", "$lib", "$lib_version", "$os", "$pageview_id", "$pathname"),
    *("$process_person_profile", "$referrer", "$referring_domain", "$screen_height", "$screen_width", "$session_id"),
    *("$timezone_offset", "$viewport_height", "$viewport_width", "$window_id", "title", "token", "distinct_id"),
    *("app_version", "load_ms", "nav_type", "role", "route", "route_pattern", "source", "team", "view_id"),
    *("view_index", "ticket"),
}
LEFT = {
    *("engaged_ms", "total_ms", "scroll_depth", "to_route", "$prev_pageview_duration", "$prev_pageview_id"),
    *("$prev_pageview_max_scroll_percentage", "$prev_pageview_pathname"),
}


def view(route: str, nav: str, came: str | None = None) -> Seen:
    return Seen("$pageview", route, nav, came)


def leave(route: str, nav: str, came: str | None = None, to: str | None = None) -> Seen:
    return Seen("$pageleave", route, nav, came, to)


def journey(page: Page) -> None:
    """From /team/ABC through what is a view and what is none, to leaving the page."""
    go(page, "/project/PRJ9")
    page.evaluate("harness.go('?from=2026-01-01&token=s3cr3t-pl4nted')")
    page.evaluate("harness.go('#s3cr3t-pl4nted')")
    page.evaluate("history.replaceState(history.state, '', '?panel=s3cr3t-pl4nted')")
    go(page, "/team/ABC/settings")  # redirects to the members
    page.evaluate("harness.go('/project/PRJ9/flows'); harness.go('/'); harness.go('/')")  # the first is overtaken
    until(page, "harness.truth.at(-1).route === 'home'")
    go(page, "/no/such/s3cr3t-pl4nted")
    page.evaluate("history.back()")
    until(page, "harness.truth.at(-1).nav === 'pop'")
    page.evaluate("harness.failNext(true); harness.go('/insights')")
    until(page, "harness.truth.at(-1).what === 'leave'")
    page.evaluate("harness.failNext(false); harness.go('/account', {replace: true})")
    until(page, "harness.truth.at(-1).route === 'account'")


def expected(pageleave: str) -> list[Seen]:
    every = [
        view("team", "load"),
        leave("team", "load", None, "project"),
        view("project", "push", "team"),
        leave("project", "push", "team", "team_members"),
        view("team_members", "push", "project"),
        leave("team_members", "push", "project", "home"),
        view("home", "push", "team_members"),
        leave("home", "push", "team_members", "not_found"),
        view("not_found", "push", "home"),
        leave("not_found", "push", "home", "home"),
        view("home", "pop", "not_found"),
        leave("home", "pop", "not_found"),
        view("account", "replace", "home"),
        leave("account", "replace", "home"),
    ]
    return every if pageleave == "route" else [one for one in every[:-1] if one.name == "$pageview"] + every[-1:]


@pytest.mark.parametrize("capture_pageview", [False, True])
@pytest.mark.parametrize("transport", ["relay", "direct"])
@pytest.mark.parametrize("pageleave", ["route", "exit"])
def test_a_journey(
    site: Site, open_page: Open, trouble: Trouble, pageleave: str, transport: str, *, capture_pageview: bool
) -> None:
    endpoint = site.other if transport == "direct" else site.capture
    site.hosts = f" {site.other.url}" if transport == "direct" else ""
    site.posthog = {
        "pageleave": pageleave,
        "transport": transport,
        "capture_pageview": capture_pageview,
        "api_host": endpoint.api_host,
    }
    page = open_page(f"/team/ABC?token={SECRET}#{SECRET}")
    endpoint.take(2 if capture_pageview else 1)
    journey(page)
    page.goto(site.url + "/away")
    # Counted, not waited for by name: the beacon of the end may overtake the request before it.
    received = endpoint.take(len(expected(pageleave)) + capture_pageview)

    assert seen(received) == expected(pageleave)
    pairs(received)
    automatic = [e for e in received if e not in ours(received)]
    assert [e.name for e in automatic] == (["$pageview"] if capture_pageview else [])
    assert all("route" not in e.properties and e["$pathname"] == "/team/:team" for e in automatic)
    assert all((e.get("ticket") is None) is (transport == "direct") for e in received)
    assert {e.get("redirected_from") for e in received if e.get("route") == "team_members"} == {"team_settings"}
    assert_nothing_leaks(endpoint.captures, page.context, site)
    assert trouble.messages == []


def assert_nothing_leaks(requests: list[Request], context: BrowserContext, site: Site) -> None:
    """Neither the planted secret nor an id is in anything that leaves or in anything the browser keeps."""
    page = context.new_page()
    page.goto(site.url + "/away")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    for text in [kept, *map(repr, requests)]:
        assert not re.search(rf"{SECRET}|ABC|PRJ9|id-alice|Secret of", text)
    assert json.loads(kept)[2] == ""
    assert context.cookies() == []


def test_enrichment(site: Site, open_page: Open) -> None:
    page = open_page("/team/ABC?from=2026-01-01&to=2026-02-30&token=x")
    go(page, "/project/PRJ9")
    first, left, second = site.capture.take(3)

    assert set(first.properties) == COMMON
    assert set(left.properties) == COMMON | LEFT
    assert set(second.properties) == COMMON - {"team"} | {"from_route"}
    for event in (first, left):
        assert {name: event[name] for name in VALUES} == VALUES
        assert event["$current_url"] == f"{site.url}/team/:team?from=2026-01-01&to=2026-02-30"
        assert event["$pageview_id"] == event["view_id"] == first.uuid
        assert 0 < event["load_ms"] < 5000
    assert (first["view_index"], second["view_index"]) == (0, 1)
    assert 0 <= left["engaged_ms"] <= left["total_ms"] < 5000
    assert left["$prev_pageview_id"] == left["view_id"]
    assert left["$prev_pageview_duration"] == left["total_ms"] / 1000
    assert left["$prev_pageview_pathname"] == "/team/:team"


VALUES = {
    "distinct_id": "u_alice",
    "ticket": "ticket-of-alice",
    "token": "phc_test",
    "$process_person_profile": True,
    "$is_identified": True,
    "$pathname": "/team/:team",
    "$referrer": "$direct",
    "title": "Team",
    "route": "team",
    "route_pattern": "/team/:team",
    "team": "t_abcaaaaaaaaaaaaaaaaaaaaaaa",
    "nav_type": "load",
    "app_version": "0.1.0",
    "role": "user",
    "source": "router",
    "$lib": "web",
}


def test_this_server_beside_a_direct_posthog(site: Site, open_page: Open, trouble: Trouble) -> None:
    site.hosts = f" {site.other.url}"
    site.posthog = {
        "transport": "direct",
        "api_host": site.other.api_host,
        "local": {"apikey": "local-key", "api_host": site.capture.api_host},
    }
    page = open_page("/team/ABC")
    site.other.take(1)
    go(page, "/account")
    page.goto(site.url + "/away")
    there, here = site.other.take(4), site.capture.take(4)
    assert [(e.uuid, e.timestamp) for e in ours(there)] == [(e.uuid, e.timestamp) for e in ours(here)]
    assert {(e["token"], e.get("ticket")) for e in there} == {("phc_test", None)}
    assert {(e["token"], e.get("ticket")) for e in here} == {("local-key", "ticket-of-alice")}
    assert trouble.messages == []


def test_exit_tells_of_the_view_before_once(site: Site, open_page: Open) -> None:
    site.posthog = {"pageleave": "exit"}
    page = open_page("/team/ABC")
    site.capture.take(1)
    go(page, "/project/PRJ9")
    page.goto(site.url + "/away")
    first, second, left = ours(site.capture.take(3))
    assert "$prev_pageview_id" not in first.properties
    assert (second["$prev_pageview_id"], left["$prev_pageview_id"]) == (first["view_id"], second["view_id"])
    assert second["$prev_pageview_pathname"] == "/team/:team"


def test_scrolling(site: Site, open_page: Open) -> None:
    page = open_page("/project/PRJ9")
    site.capture.take(1)
    page.evaluate("scrollTo(0, (document.documentElement.scrollHeight - innerHeight) / 2)")
    page.wait_for_timeout(100)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(100)
    go(page, "/")
    page.goto(site.url + "/away")
    _, project, _, home = ours(site.capture.take(4))
    assert project["scroll_depth"] == pytest.approx(0.5, abs=0.02)
    assert home["scroll_depth"] == 1


def test_reload_back_forward_and_the_referrer(site: Site, open_page: Open) -> None:
    page = open_page("/team/ABC")
    site.capture.take(1)
    page.reload()
    until(page, "window.harness?.truth.length > 0")
    page.evaluate("location.href = '/away?token=s3cr3t-pl4nted'")
    page.wait_for_url("**/away*")
    page.go_back(wait_until="commit")
    until(page, "window.harness?.truth.length > 0")
    page.goto(site.url + "/away")
    received = site.capture.take(6)
    assert seen(received) == [
        view("team", "load"),
        leave("team", "load"),
        view("team", "reload"),
        leave("team", "reload"),
        view("team", "back_forward"),
        leave("team", "back_forward"),
    ]
    assert [e["view_index"] for e in received] == [0] * 6
    assert len({e["$session_id"] for e in received}) == 1
    assert all(SECRET not in repr(e) for e in received)


def test_leaving_at_once_loses_nothing(site: Site, context: BrowserContext, trouble: Trouble) -> None:
    """Six times: a view and, in the same task, another document."""
    page = context.new_page()
    page.goto(site.url + "/")
    until(page, "window.harness?.truth.length > 0")
    site.capture.take(1)
    for number in range(6):
        page.evaluate(
            """n => {
                 window.old = true;
                 harness.go(`/project/PRJ${n}`);
                 const look = setInterval(() => {
                   if (harness.truth.at(-1).route !== "project") return;
                   clearInterval(look);
                   location.href = "/";
                 }, 1);
               }""",
            number,
        )
        until(page, "!window.old && window.harness?.truth.at(-1)?.nav === 'load' && harness.truth.length === 1")
        page.wait_for_timeout(50)
    page.goto(site.url + "/away")
    received = site.capture.take(26)
    visits = [(e.name, e["route"]) for e in received]
    assert sorted(visits) == sorted(
        [("$pageview", "home"), ("$pageleave", "home")] * 7 + [("$pageview", "project"), ("$pageleave", "project")] * 6
    )
    pairs(received)
    assert trouble.messages == []


def test_two_tabs(site: Site, open_page: Open) -> None:
    one = open_page("/team/ABC")
    site.capture.take(1)
    two = open_page("/project/PRJ9")
    site.capture.take(2)  # the SDK has come: a page closed before is a bounce, told without a window
    go(one, "/account")
    two.close()
    one.close()
    received = site.capture.take(6)
    pairs(received)
    assert len({e["$session_id"] for e in received}) == 1
    assert len({e["$window_id"] for e in received}) == 2
    assert sorted(e["view_index"] for e in received if e.name == "$pageview") == [0, 0, 1]


def test_thirty_one_idle_minutes_begin_another_session(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.clock.install()
    site.posthog = {"pageleave": "exit"}
    with answered(page, site):
        page.goto(site.url + "/team/ABC")
        page.clock.run_for(2000)
    page.clock.fast_forward("31:00")
    page.evaluate("harness.go('/project/PRJ9')")
    page.clock.run_for(2000)
    page.evaluate("harness.go('/')")
    page.clock.run_for(2000)
    before, after, again = site.capture.take(3)
    assert before["$session_id"] != after["$session_id"] == again["$session_id"]
    assert [name for name in after.properties if name.startswith("$prev")] == []
    assert again["$prev_pageview_id"] == after["view_id"]


def test_engagement_is_capped(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.clock.install()
    with answered(page, site):
        page.goto(site.url + "/team/ABC")
        page.clock.run_for(1000)
    page.clock.run_for(40 * 60_000)
    page.evaluate("harness.go('/project/PRJ9')")
    page.clock.run_for(1000)
    _, left, _ = site.capture.take(3)
    assert left["engaged_ms"] == 30 * 60_000
    assert 40 * 60_000 < left["total_ms"] < 41 * 60_000


def test_a_machine_that_slept_was_not_looked_at(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.clock.install()
    with answered(page, site):
        page.goto(site.url + "/team/ABC")
        page.clock.run_for(1000)
    page.clock.fast_forward("08:00:00")
    page.evaluate("harness.go('/project/PRJ9')")
    page.clock.run_for(1000)
    _, left, _ = site.capture.take(3)
    assert 0 < left["engaged_ms"] <= 31_000
