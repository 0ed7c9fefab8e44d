"""Who did it: signing out and in, as another, in one tab and in several."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from tests.e2e.emitter.conftest import Open, Seen, Site, go, ours, pairs, seen, until, wait_for
from tests.support.browser import Trouble
from tests.support.capture_server import Received

pytestmark = pytest.mark.browser

LOGIN = "harness.session.login({user!r}, 'pw')"


def login(page: Page, user: str) -> None:
    page.evaluate(f"harness.session.login('{user}', 'pw')")
    until(page, "harness.truth.at(-1).nav === 'login' && harness.truth.at(-1).what === 'enter'")


def logout(page: Page) -> None:
    page.evaluate("harness.session.logout()")
    until(page, "harness.truth.at(-1).nav === 'logout' && harness.truth.at(-1).what === 'enter'")


def identifiers(event: Received) -> dict[str, Any]:
    return {name: event.get(name) for name in ("distinct_id", "$device_id", "$session_id")}


@pytest.mark.parametrize("pageleave", ["route", "exit"])
def test_one_signs_out_and_another_in(site: Site, open_page: Open, trouble: Trouble, pageleave: str) -> None:
    site.posthog = {"pageleave": pageleave}
    page = open_page("/team/ABC")
    go(page, "/account")
    logout(page)
    login(page, "bob")
    go(page, "/project/PRJ9")
    page.goto(site.url + "/away")
    count = 10 if pageleave == "route" else 7
    received = ours(site.capture.take(count))
    pairs(received)
    views = [e for e in received if e.name == "$pageview"]
    assert [(e["route"], e["nav_type"], e.get("from_route"), e["view_index"]) for e in views] == [
        ("team", "load", None, 0),
        ("account", "push", "team", 1),
        ("login", "logout", None, 0),
        ("home", "login", None, 0),
        ("project", "push", "home", 1),
    ]
    leaves = [e for e in received if e.name == "$pageleave"]
    left = ["team", "account", "login", "home", "project"] if pageleave == "route" else ["account", "project"]
    assert [e["route"] for e in leaves] == left

    alice, anonymous, bob = views[1], views[2], views[3]
    assert (alice["distinct_id"], alice["ticket"], alice["role"]) == ("u_alice", "ticket-of-alice", "user")
    assert (bob["distinct_id"], bob["ticket"], bob["role"]) == ("u_bob", "ticket-of-bob", "user")
    assert (anonymous.get("ticket"), anonymous["role"]) == (None, "anonymous")
    assert anonymous["$process_person_profile"] is False
    assert bob["$process_person_profile"] is True
    # No identifier is common to two of the three.
    for name in ("distinct_id", "$device_id", "$session_id"):
        assert len({alice[name], anonymous[name], bob[name]}) == 3
    for event in (anonymous, bob):
        assert [name for name in event.properties if name.startswith("$prev")] == []
    assert {repr(identifiers(e)) for e in received if e["distinct_id"] == "u_bob"} == {repr(identifiers(bob))}
    assert {e.name for e in received} == {"$pageview", "$pageleave"}
    assert trouble.messages == []


def test_whoever_used_the_browser_before_leaves_nothing(site: Site, context: BrowserContext) -> None:
    """Alice's session ends without a word; then bob opens a page that is his from the start."""
    for user in ("alice", None, "bob", "bob"):
        site.user = user
        count = len(site.capture.received)
        page = context.new_page()
        page.goto(site.url + "/account")
        site.capture.take(count + 1)
        page.goto(site.url + "/away")
        site.capture.take(count + 2)
    views = [e for e in ours(site.capture.received) if e.name == "$pageview"]
    alice, anonymous, bob, again = views
    for name in ("distinct_id", "$device_id", "$session_id"):
        assert len({alice[name], anonymous[name], bob[name]}) == 3
    assert identifiers(bob) == identifiers(again)
    page = context.new_page()
    page.goto(site.url + "/away")
    assert "alice" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_the_login_page_is_nobodys(site: Site, open_page: Open) -> None:
    site.user = None
    page = open_page("/project/PRJ9")
    site.capture.take(1)
    login(page, "bob")
    page.goto(site.url + "/away")
    received = site.capture.take(4)
    assert seen(received) == [
        Seen("$pageview", "login", "load"),
        Seen("$pageleave", "login", "load", None, "project"),
        Seen("$pageview", "project", "login"),
        Seen("$pageleave", "project", "login"),
    ]
    page_of = ours(received)
    assert page_of[0]["$pathname"] == "/login"
    assert identifiers(page_of[0]) == identifiers(page_of[1])
    assert {e.get("ticket") for e in page_of[:2]} == {None}
    assert set(identifiers(page_of[0]).values()).isdisjoint(identifiers(page_of[2]).values())


@pytest.mark.parametrize("stays", [True, False])
def test_what_was_seen_signed_out_is_nobodys_when_it_is_told_late(site: Site, open_page: Open, *, stays: bool) -> None:
    site.user, site.holding = None, "telemetry-"
    page = open_page("/account/register")
    page.evaluate("harness.session.login('alice', 'pw')")
    until(page, "harness.truth.length >= 3")
    if not stays:
        page.goto(site.url + "/away")
    site.held.set()
    seen_out, left, signed_in = ours(site.capture.take(3))[:3]
    for event in (seen_out, left):
        assert (event["route"], event["role"], event.get("ticket")) == ("register", "anonymous", None)
        assert event["distinct_id"] != "u_alice"
    assert (signed_in["distinct_id"], signed_in["view_index"], seen_out["view_index"]) == ("u_alice", 0, 0)


def test_anonymous_setting(site: Site, open_page: Open) -> None:
    site.posthog = {"person": None}
    page = open_page("/account")
    (event,) = site.capture.take(1)
    page.close()
    assert (event.get("ticket"), event["role"], event["$process_person_profile"]) == (None, "user", False)
    assert "alice" not in repr(event)


def test_a_logout_that_fails(site: Site, open_page: Open) -> None:
    site.logout_status = 500
    page = open_page("/account")
    site.capture.take(1)
    page.evaluate("harness.session.logout().catch(() => null)")
    until(page, "harness.truth.length === 3")
    page.close()
    received = site.capture.take(4)
    assert seen(received) == [
        Seen("$pageview", "account", "load"),
        Seen("$pageleave", "account", "load"),
        Seen("$pageview", "account", "replace"),
        Seen("$pageleave", "account", "replace"),
    ]
    assert {e["distinct_id"] for e in received} == {"u_alice"}


def test_a_logout_that_fails_after_the_person_went_on(site: Site, open_page: Open) -> None:
    site.logout_status = 500
    page = open_page("/team/ABC")
    site.capture.take(1)
    held: list[Route] = []
    page.route("**/account/logout", partial(list.append, held))
    page.evaluate("harness.ended = harness.session.logout().catch(() => null); null")
    wait_for(page, lambda: held)
    page.evaluate("harness.go('/account')")
    until(page, "harness.truth.at(-1).route === 'account'")
    held[0].continue_()
    page.evaluate("harness.ended")
    page.goto(site.url + "/away")
    assert seen(site.capture.take(4)) == [
        Seen("$pageview", "team", "load"),
        Seen("$pageleave", "team", "load"),
        Seen("$pageview", "account", "push", "team"),
        Seen("$pageleave", "account", "push", "team"),
    ]


def test_another_tab_signs_somebody_else_in(site: Site, open_page: Open) -> None:
    """The page that still shows alice's things ends her view and then keeps silent."""
    stale = open_page("/team/ABC")
    site.capture.take(1)
    other = open_page("/account")
    site.capture.take(2)
    logout(other)
    until(stale, "true")
    site.capture.wait(lambda all_: any(e.name == "$pageleave" and e["route"] == "team" for e in all_))
    login(other, "bob")
    go(stale, "/project/PRJ9")
    other.close()
    stale.close()
    received = site.capture.take(8)
    assert {(e["route"], e["distinct_id"]) for e in received if e.get("ticket")} == {
        ("team", "u_alice"),
        ("account", "u_alice"),
        ("home", "u_bob"),
    }
    assert "project" not in {e["route"] for e in received}
    pairs(received)
