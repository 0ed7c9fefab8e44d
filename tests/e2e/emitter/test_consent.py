"""No means no: no SDK, no storage, no request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from tests.e2e.emitter.conftest import Open, Seen, Site, go, listen_in, ours, run_clock, seen, settled, until, wait_for
from tests.support.browser import Trouble

pytestmark = pytest.mark.browser


def opted_out(site: Site, _: BrowserContext) -> None:
    site.opted_out = {"alice"}


def gpc(_: Site, context: BrowserContext) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")


def dnt(_: Site, context: BrowserContext) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'})")


def off(site: Site, _: BrowserContext) -> None:
    site.posthog = None


def setup(site: Site, _: BrowserContext) -> None:
    site.setup_finished = False


SPY = """
  window.touched = [];
  for (const method of ['getItem', 'setItem', 'removeItem', 'key', 'clear']) {
    const real = Storage.prototype[method];
    Storage.prototype[method] = function (...args) { touched.push(method + args[0]); return real.apply(this, args); };
  }
"""


@pytest.mark.parametrize("refuse", [opted_out, gpc, dnt, off, setup])
def test_nothing_happens(
    site: Site,
    context: BrowserContext,
    open_page: Open,
    trouble: Trouble,
    refuse: Callable[[Site, BrowserContext], None],
) -> None:
    refuse(site, context)
    site.plausible = None if refuse is off else {"domain": "flow.example", "src": site.other.url}
    context.add_init_script(SPY)
    page = open_page("/team/ABC")
    go(page, "/project/PRJ9")
    settled(page)
    assert page.evaluate("[touched, localStorage.length, sessionStorage.length]") == [[], 0, 0]
    page.close()
    page = context.new_page()
    page.goto(site.url + "/away")
    assert [r.path for r in site.capture.requests if r.path.startswith("/a/") and "-" in r.path] == chunks(site)
    assert site.capture.captures == []
    assert site.other.requests == []
    assert context.cookies() == []
    assert trouble.messages == []


def chunks(site: Site) -> list[str]:
    """What the harness itself is split into: not the emitter, no SDK."""
    return [r.path for r in site.capture.requests if r.path.startswith("/a/chunk-")]


def test_a_wish_that_is_not_honoured(site: Site, context: BrowserContext, open_page: Open) -> None:
    gpc(site, context)
    dnt(site, context)
    site.respect = {"gpc": False, "dnt": False}
    open_page("/account")
    assert len(site.capture.take(1)) == 1


def opt_out(page: Page, *, out: bool) -> None:
    page.evaluate("out => harness.optOut(out)", out)


def test_opting_out_and_back_in(site: Site, open_page: Open, trouble: Trouble) -> None:
    page = open_page("/account")
    site.capture.take(1)
    opt_out(page, out=True)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    go(page, "/project/PRJ9")
    go(page, "/team/ABC")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    opt_out(page, out=False)
    site.capture.take(2)
    page.goto(site.url + "/away")
    first, *rest = ours(site.capture.take(3))
    assert seen(rest) == [Seen("$pageview", "team", "opt_in"), Seen("$pageleave", "team", "opt_in")]
    assert first["$device_id"] != rest[0]["$device_id"]
    assert trouble.messages == []


def test_the_choice_outlives_a_logout(site: Site, open_page: Open) -> None:
    site.opted_out = {"alice"}
    page = open_page("/account")
    page.evaluate("harness.session.logout()")
    until(page, "harness.truth.at(-1).nav === 'logout'")
    settled(page)
    page.evaluate("harness.session.login('alice', 'pw')")
    until(page, "harness.truth.at(-1).nav === 'login'")
    settled(page)
    assert [r.path for r in site.capture.requests if "/telemetry-" in r.path] == []
    assert (site.capture.captures, page.evaluate("localStorage.length")) == ([], 0)
    page.evaluate("harness.session.logout()")
    until(page, "harness.truth.at(-1).nav === 'logout'")
    page.evaluate("harness.session.login('bob', 'pw')")
    received = site.capture.take(1)
    assert seen(received) == [Seen("$pageview", "home", "login")]
    assert received[0]["distinct_id"] == "u_bob"


def test_opting_out_in_another_tab(site: Site, open_page: Open) -> None:
    one, other = open_page("/account"), open_page("/team/ABC")
    site.capture.take(2)
    listen_in(one)
    opt_out(other, out=True)
    until(one, "words === 1")
    assert one.evaluate("sessionStorage.length") == 0
    go(one, "/project/PRJ9")
    opt_out(other, out=False)
    until(one, "words === 2")
    go(one, "/team/ABC")
    received = site.capture.take(4)
    # One page tells in order: what it had said in between would be here.
    assert [e.name for e in received] == ["$pageview"] * 4
    assert sorted(e["route"] for e in received) == ["account", "team", "team", "team"]


def test_opting_out_in_another_tab_while_telemetry_is_on_its_way(
    site: Site, context: BrowserContext, open_page: Open
) -> None:
    other = open_page("/account")
    site.capture.take(1)
    held: list[Route] = []
    one = context.new_page()
    one.route("**/a/telemetry-*", partial(list.append, held))
    one.goto(site.url + "/team/ABC")
    wait_for(one, lambda: held)
    listen_in(one)
    opt_out(other, out=True)
    until(one, "words === 1")
    held[0].continue_()
    go(one, "/project/PRJ9")
    opt_out(other, out=False)
    until(one, "words === 2")
    go(one, "/insights")
    received = site.capture.wait(lambda all_: any(e.get("route") == "insights" for e in all_))
    assert {e["route"] for e in received} == {"account", "insights"}


def test_what_is_still_to_be_delivered_is_dropped_when_another_tab_opts_out(
    site: Site, context: BrowserContext, open_page: Open
) -> None:
    """Alice signs out, in and then opts out elsewhere: what this page could not deliver yet, it delivers no more."""
    site.capture.mode = "error"
    one = context.new_page()
    one.clock.install()
    one.goto(site.url + "/team/ABC")
    run_clock(one, lambda: site.capture.captures)
    other = open_page("/account")
    other.evaluate("harness.session.logout()")
    until(other, "harness.truth.at(-1).nav === 'logout'")
    other.evaluate("harness.session.login('alice', 'pw')")
    until(other, "harness.truth.at(-1).nav === 'login'")
    opt_out(other, out=True)
    site.capture.mode = "ok"
    until(one, "sessionStorage.length === 0")
    one.clock.run_for("10:00")
    other.evaluate("harness.session.logout()")
    until(other, "harness.truth.at(-1).nav === 'logout'")
    other.evaluate("harness.session.login('bob', 'pw')")
    received = site.capture.wait(lambda all_: any(e["distinct_id"] == "u_bob" for e in all_))
    assert "u_alice" not in {e["distinct_id"] for e in received}
