"""A person's way through the product, in more than sixty steps, and every page event of it exactly once.

The server is a process, PostHog is played by a second one, the browser is Chromium with the real posthog-js; the
script knows what it did (`tests/support/journey.py`) and holds the local store and PostHog against that.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.support.browser import Trouble, chromium
from tests.support.journey import ANONYMOUS, PAINTED, Caller, Span, Tab, Truth
from tests.support.process import Running
from tests.support.product import PASSWORD, ROOT, PostHogProcess, Product, both_ends, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HIDE = """
  window.shown = true;
  const state = () => window.shown ? 'visible' : 'hidden';
  Object.defineProperty(document, 'visibilityState', {configurable: true, get: state});
  const entries = performance.getEntriesByType.bind(performance);
  performance.getEntriesByType = (type) => type === 'visibility-state' ? [] : entries(type);
"""
SHOW = "(shown) => { window.shown = shown; document.dispatchEvent(new Event('visibilitychange')) }"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(bfcache=True) as browser:
        yield browser


@dataclass
class Stage:
    """A product that runs, with alice, bob and root in it, and the second process."""

    product: Product
    posthog: PostHogProcess
    running: Running
    browser: Browser
    root: Caller
    truth: Truth

    @property
    def url(self) -> str:
        return self.product.url

    def caught_up(self) -> None:
        """All that has happened until now has arrived, at both ends."""
        with contextlib.suppress(AssertionError):  # the check says what is missing
            until(lambda: len(self.posthog.events) >= self.truth.events)
        self.truth.check(self.posthog.events)
        until(self._delivered)

    def _delivered(self) -> bool:
        return all(one["pending"] == 0 for one in self.status["channels"] if one["channel"] in {"posthog", "local"})

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.root.get("admin/telemetry/status")
        return found


@pytest.fixture
def stage(tmp_path: Path, browser: Browser) -> Iterator[Stage]:
    with both_ends(tmp_path) as (product, posthog), product.serve() as running:
        context = browser.new_context()
        truth = Truth({})
        root = Caller(context.request, product.url)
        prepare(root, truth, browser)
        yield Stage(product, posthog, running, browser, root, truth)
        context.close()


def prepare(root: Caller, truth: Truth, browser: Browser) -> None:
    """The administrator creates alice and bob, and lets people register, which `/account/register` redirects by."""
    root.sign_in("root")
    truth.people["root"] = root.pseudonym
    for name in ("alice", "bob"):
        root.create_user(name)
        person = browser.new_context()
        caller = Caller(person.request, root.url)
        caller.sign_in(name)
        truth.people[name] = caller.pseudonym
        person.close()
        truth.act("logged in", name)
    root.post("/api/v1/settings", {"user:signup": True}, "PATCH")
    for event in ("set-up finished", "logged in", *["user registered"] * 3, "setting changed"):
        truth.act(event, "root")


def sign_in(tab: Tab, who: str, route: str = "home", title: str = "Home") -> None:
    """Through the form. What is typed is typed before the step begins."""
    tab.page.get_by_label("User name").fill(who)
    tab.page.get_by_label("Password").fill(PASSWORD)
    tab.become(tab.page.get_by_role("button", name="Sign in").click, (who, "user"), "login", route, title)
    tab.truth.act("logged in", who)


def sign_out(tab: Tab) -> None:
    who = tab.who
    tab.page.get_by_role("button", name="Account of").click()
    tab.become(
        tab.page.get_by_role("button", name="Sign out").click, (ANONYMOUS, ANONYMOUS), "logout", "login", "Sign in"
    )
    tab.truth.act("logged out", who)


def in_turn(*acts: Callable[[], object]) -> Callable[[], object]:
    return lambda: [act() for act in acts]


def test_a_journey(stage: Stage) -> None:
    truth = stage.truth
    context = stage.browser.new_context()
    context.add_init_script(HIDE)
    trouble = Trouble(context)
    tab = Tab(context.new_page(), stage.url, truth)

    paths = alice_makes_a_team_and_a_project(tab)
    back_and_forward(tab, paths)
    what_is_no_view(tab, paths)
    redirects_and_unknown_places(tab, stage)
    called_off_and_failed(tab, paths)
    clicks_in_a_hurry(tab, paths)
    away_and_back(tab, stage)
    hidden(tab, paths)
    two_tabs(tab, stage, context)
    somebody_else(tab, stage)
    opting_out_and_back(tab, stage)
    tab.close()
    bounces(stage, context)
    an_hour_later(stage)
    assert truth.steps >= 60

    stage.caught_up()
    status = stage.status
    context.close()
    # What the browser itself says of a request that fails, and we of a view that does, is meant to be said.
    assert [m for m in trouble.messages if "Failed to load resource" not in m and "ApiError" not in m] == []
    assert stage.running.stop() == 0
    check_sessions(truth.check(stage.posthog.events))
    stored = [like_posthogs(row) for row in stage.product.stored()]
    truth.check(stored)
    assert comparable(stored) == comparable(stage.posthog.events)
    assert_sums(status, truth)


def alice_makes_a_team_and_a_project(tab: Tab) -> dict[str, str]:
    page = tab.page
    tab.load(lambda: page.goto(tab.url), "login", "Sign in")
    sign_in(tab, "alice")
    tab.link("/team/create", "team_create", "New team")
    page.get_by_label("Name").fill("Plant")
    tab.go(page.get_by_role("button", name="Create team").click, "team", "Plant", "replace")
    tab.truth.act("team created", "alice")
    team = page.url.removeprefix(tab.url)
    tab.link(f"{team}/projects", "team_projects", "Plant · Projects")
    tab.link(f"{team}/projects/create", "project_create", "Plant · New project")
    page.get_by_label("Name").fill("Press")
    tab.go(page.get_by_role("button", name="Create project").click, "project", "Press", "replace")
    tab.truth.act("project created", "alice")
    project = page.url.removeprefix(tab.url)
    tab.link(f"{project}/flows", "project_flows", "Press · Flows")
    tab.link(f"{project}/settings", "project_settings", "Press · Settings")
    return {"team": team, "project": project}


def back_and_forward(tab: Tab, paths: dict[str, str]) -> None:
    history = "(steps) => history.go(steps)"
    tab.go(lambda: tab.page.evaluate(history, -1), "project_flows", "Press · Flows", "pop")
    tab.go(lambda: tab.page.evaluate(history, -1), "project", "Press", "pop")
    tab.go(lambda: tab.page.evaluate(history, 2), "project_settings", "Press · Settings", "pop")
    tab.go(lambda: tab.page.evaluate(history, -3), "team_projects", "Plant · Projects", "pop")
    tab.go(lambda: tab.page.evaluate(history, 1), "project", "Press", "pop")
    tab.load(tab.page.reload, "project", "Press", "reload")
    tab.link(f"{paths['project']}/flows", "project_flows", "Press · Flows")
    tab.load(tab.page.reload, "project_flows", "Press · Flows", "reload")
    tab.go(lambda: tab.page.evaluate(history, -1), "project", "Press", "pop")


def what_is_no_view(tab: Tab, paths: dict[str, str]) -> None:
    page = tab.page
    tab.nothing(lambda: page.evaluate("location.hash = 'there'"))
    tab.nothing(lambda: page.evaluate("history.back()"))
    tab.nothing(lambda: tab.follow(paths["project"] + "?panel=1"))
    tab.nothing(lambda: tab.follow(paths["project"] + "?panel=2#here"))
    tab.nothing(lambda: page.evaluate("history.replaceState(history.state, '', '?panel=3')"))
    tab.nothing(lambda: page.evaluate("history.back()"))
    page.wait_for_timeout(100)
    tab.nothing(lambda: tab.follow(paths["project"]))
    tab.nothing(lambda: tab.follow(paths["project"]))
    tab.nothing(page.locator(f'a[href="{paths["project"]}"]').first.click)
    tab.nothing(page.locator(f'a[href="{paths["project"]}/flows"]').first.hover)


def redirects_and_unknown_places(tab: Tab, stage: Stage) -> None:
    page = tab.page
    tab.wander("/account/register", "home", "Home", redirected="register")
    tab.load(lambda: page.goto(f"{stage.url}/account/register"), "home", "Home", redirected="register")
    tab.link("/account", "account", "Profile")
    # What the table of routes does not know is left to the server: a document of its own.
    tab.away(
        in_turn(
            lambda: tab.follow("/no/such/place"),
            lambda: expect(page).to_have_title("Not found · FlowForge"),
        )
    )
    tab.load(lambda: None, "not_found", "Not found")
    tab.wander("/team/00000000-0000-4000-8000-000000000000", "not_found", "Not found")
    tab.wander("/admin", "not_found", "Not found")
    tab.link("/account", "account", "Profile")
    tab.go(lambda: page.evaluate("history.go(-1)"), "not_found", "Not found", "pop")


def called_off_and_failed(tab: Tab, paths: dict[str, str]) -> None:
    page = tab.page
    tab.wander(paths["team"], "team", "Plant")
    held: list[Route] = []
    page.route("**/api/v1/teams/*/members", partial(list.append, held))
    tab.nothing(lambda: tab.follow(f"{paths['team']}/members"))
    while not held:
        page.wait_for_timeout(20)
    tab.wander(f"{paths['team']}/settings", "team_settings", "Plant · Settings")
    page.unroute("**/api/v1/teams/*/members")
    # Called off by going back, and by the same address again.
    page.route("**/api/v1/user/sessions", partial(list.append, held))
    tab.nothing(lambda: tab.follow("/account/security"))
    tab.nothing(lambda: tab.follow("/account/security"))
    tab.nothing(lambda: tab.follow(f"{paths['team']}/settings"))
    page.unroute("**/api/v1/user/sessions")

    page.route("**/api/v1/user/sessions", lambda route: route.fulfill(status=500, body="{}"))
    tab.fail(lambda: tab.follow("/account/security"))
    with page.expect_response("**/api/v1/user/sessions"):
        tab.nothing(page.get_by_role("button", name="Try again").click)
    page.unroute("**/api/v1/user/sessions")
    tab.go(page.get_by_role("button", name="Try again").click, "account_security", "Security")


def clicks_in_a_hurry(tab: Tab, paths: dict[str, str]) -> None:
    page = tab.page
    both = "(paths) => paths.forEach((path) => document.querySelector(`a[href='${path}']`).click())"
    tab.go(page.locator('a[href="/account"]').first.dblclick, "account", "Profile")
    tab.go(lambda: page.evaluate(both, ["/", "/account/privacy"]), "account_privacy", "Privacy")
    tab.go(lambda: page.evaluate(both, ["/account/security"] * 3), "account_security", "Security")
    tab.go(lambda: page.evaluate(both, ["/account/privacy", "/", "/account", "/"]), "home", "Home")
    for _ in range(2):
        tab.link("/account", "account", "Profile")
        tab.link("/", "home", "Home")


def away_and_back(tab: Tab, stage: Stage) -> None:
    """To a page of another origin and back, out of the back/forward cache and not."""
    page = tab.page
    tab.load(lambda: page.goto(stage.url), "home", "Home")
    for number in range(2):
        mark = f"asleep {number}"
        page.evaluate("(mark) => void (window.mark = mark)", mark)
        tab.away(
            in_turn(
                lambda: page.evaluate("(to) => void (location.href = to)", stage.posthog.url),
                lambda: page.wait_for_url(f"{stage.posthog.url}/"),
            )
        )
        tab.restored(lambda: page.go_back(wait_until="commit"), mark)
        if number == 0:
            tab.link("/account", "account", "Profile")
    # What was answered with 404 is not put to sleep.
    tab.load(lambda: page.goto(f"{stage.url}/no/such/place"), "not_found", "Not found")
    tab.away(lambda: page.goto(stage.posthog.url))
    tab.load(lambda: page.go_back(wait_until="commit"), "not_found", "Not found", "back_forward")


def hidden(tab: Tab, paths: dict[str, str]) -> None:
    page = tab.page
    tab.wander(paths["project"], "project", "Press")
    assert tab.view is not None
    gone = time.time()
    page.evaluate(SHOW, False)
    away = time.time()
    page.wait_for_timeout(400)
    back = time.time()
    page.evaluate(SHOW, True)
    tab.view.unattended = Span(back - away, time.time() - gone)
    tab.truth.steps += 2


def two_tabs(tab: Tab, stage: Stage, context: BrowserContext) -> None:
    """A second one of the same person, with a life of its own; one opened by a click, and one while it was hidden."""
    second = Tab(context.new_page(), stage.url, stage.truth, tab.who, tab.role)
    second.load(lambda: second.page.goto(f"{stage.url}/account/security"), "account_security", "Security")
    tab.link("/", "home", "Home")
    second.link("/", "home", "Home")
    tab.link("/account", "account", "Profile")
    second.close()
    third = Tab(tab.page, stage.url, stage.truth, tab.who, tab.role)
    with context.expect_page() as opened:
        tab.page.locator('a[href="/account/privacy"]').first.click(modifiers=["ControlOrMeta"])
    third.page = opened.value
    third.load(lambda: None, "account_privacy", "Privacy")
    third.close()
    unseen = context.new_page()
    unseen.add_init_script("window.shown = false")
    unseen.goto(f"{stage.url}/account")
    expect(unseen).to_have_title("Profile · FlowForge")
    unseen.evaluate(PAINTED)
    unseen.close()
    stage.truth.steps += 1


def somebody_else(tab: Tab, stage: Stage) -> None:
    sign_out(tab)
    sign_in(tab, "bob")
    tab.link("/account", "account", "Profile")
    sign_out(tab)
    sign_in(tab, "alice")
    tab.link("/account", "account", "Profile")
    sign_out(tab)
    tab.load(lambda: tab.page.goto(f"{stage.url}/account/security"), "login", "Sign in")
    sign_in(tab, "bob", "account_security", "Security")
    tab.load(tab.page.reload, "account_security", "Security", "reload")


def opting_out_and_back(tab: Tab, stage: Stage) -> None:
    page = tab.page
    tab.link("/account/privacy", "account_privacy", "Privacy")
    stage.caught_up()
    switch = page.get_by_role("switch", name="Record how I use FlowForge")
    tab.unrecorded(in_turn(switch.click, page.get_by_text("You opted out", exact=True).wait_for))
    tab.link("/account", "account", "Profile")
    tab.link("/", "home", "Home")
    tab.load(page.reload, "home", "Home", "reload")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    tab.link("/account", "account", "Profile")
    tab.link("/account/privacy", "account_privacy", "Privacy")
    expect(switch).not_to_be_checked()
    tab.again(in_turn(switch.click, page.get_by_text("Recorded", exact=True).wait_for), "opt_in")
    tab.link("/account", "account", "Profile")


def bounces(stage: Stage, context: BrowserContext) -> None:
    """Looked at and closed again: before any of telemetry has come, before the SDK has, and while they come."""
    late = files_of_telemetry()
    places = {
        "/account": ("account", "Profile", late),
        "/account/security": ("account_security", "Security", late[-1:]),
        "/account/privacy": ("account_privacy", "Privacy", []),
    }
    for path, (route, title, kept_out) in places.items():
        page = context.new_page()
        held: list[Route] = []
        for name in kept_out:
            page.route(f"**/assets/{name}", partial(list.append, held))
        tab = Tab(page, stage.url, stage.truth, "bob", "user")
        tab.load(partial(page.goto, stage.url + path, wait_until="commit"), route, title)
        while kept_out and not held:
            page.wait_for_timeout(20)
        # A tab whose page is busy for half a second is closed without a word to it: where the SDK comes just now, the
        # page goes in another way, and its tab stays.
        tab.away(page.close if kept_out else partial(page.goto, stage.posthog.url))


def files_of_telemetry() -> list[str]:
    """The scripts that no view asks for, the largest, which is the SDK's, last."""
    dist = ROOT / "static" / "dist"
    manifest = json.loads((dist / "manifest.json").read_text("utf-8"))
    known = {name for names in manifest["routes"].values() for name in names}
    known |= {name for part in ("entry", "fleet") for name in (manifest[part]["js"], *manifest[part]["imports"])}
    rest = [name for name in manifest["files"] if name.endswith(".js") and name not in known]
    return sorted(rest, key=lambda name: (dist / name).stat().st_size)


def an_hour_later(stage: Stage) -> None:
    """31 idle minutes in another browser of alice's: another session, and nothing of the one before."""
    context = stage.browser.new_context()
    tab = Tab(context.new_page(), stage.url, stage.truth)
    tab.page.clock.install()
    tab.load(lambda: tab.page.goto(stage.url), "login", "Sign in")
    sign_in(tab, "alice")
    tab.link("/account", "account", "Profile")
    stage.caught_up()
    tab.page.clock.fast_forward("31:00")
    assert tab.view is not None
    # Of a machine that slept nobody knows when they went away: up to two beats of attention are counted.
    tab.view.skipped, tab.view.unattended = 31 * 60, Span(31 * 60 - 30, 31 * 60)
    tab.link("/", "home", "Home")
    tab.link("/account", "account", "Profile")
    tab.close()
    context.close()


def check_sessions(found: dict[int, dict[str, Any]]) -> None:
    """Alice's other browser: the session that ended has nothing to do with the one that began."""
    home, account, later, last = [found[place]["properties"] for place in range(len(found) - 4, len(found))]
    assert [each["route"] for each in (home, account, later, last)] == ["home", "account", "home", "account"]
    assert home["$session_id"] == account["$session_id"] != later["$session_id"] == last["$session_id"]


def like_posthogs(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the store in the shape of a message to PostHog."""
    rest = json.loads(row["properties"] or "{}")
    columns = {
        **{name: row[name] for name in ("route", "route_pattern", "from_route", "to_route", "nav_type", "view_index")},
        **{name: row[name] for name in ("load_ms", "engaged_ms", "total_ms", "scroll_depth", "team", "project")},
        **{name: row[name] for name in ("app_version", "role", "source")},
        "view_id": row["view_id"] and str(row["view_id"]),
        "$session_id": row["session_id"],
        "$browser": row["browser"],
        "$os": row["os"],
        "$device_type": row["device_type"],
    }
    return {
        "uuid": str(row["uuid"]),
        "event": row["event"],
        "distinct_id": row["distinct_id"],
        "timestamp": row["timestamp"],
        "properties": {**rest, **{name: value for name, value in columns.items() if value is not None}},
    }


# What the sink adds for PostHog.
ADDED = {"$geoip_disable", "$lib", "$process_person_profile"}


def comparable(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    facts = [{name: value for name, value in each["properties"].items() if name not in ADDED} for each in events]
    rows = [(each["uuid"], each["event"], each["distinct_id"], told) for each, told in zip(events, facts, strict=True)]
    return sorted(rows, key=lambda row: str(row[0]))


def assert_sums(status: dict[str, Any], truth: Truth) -> None:
    assert status["counts"] == {"accepted": truth.events, "dropped": {}, "refused": {}}
    channels = {one["channel"]: one for one in status["channels"]}
    for name in ("posthog", "local"):
        one = channels[name]
        assert (one["delivered"], one["pending"], one["failed"]) == (truth.events, 0, 0)
