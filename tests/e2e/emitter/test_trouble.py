"""The endpoint is blocked, hangs, answers 500: the page does not notice."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Request, Route

from tests.e2e.emitter.conftest import Open, Site, answered, go, ours, pairs, run_clock, settled, until, wait_for
from tests.support.browser import Trouble
from tests.support.capture_server import Mode

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("mode", ["error", "hang", "garbage", "refuse"])
def test_the_page_works_and_the_events_come_later(site: Site, open_page: Open, mode: Mode) -> None:
    site.capture.mode = mode
    page = open_page("/team/ABC")
    wait_for(page, lambda: site.capture.captures)
    for number in range(12):
        go(page, f"/project/PRJ{number}")
        # With six connections that hang, this one would wait for a minute.
        assert page.evaluate(
            "fetch('/api/v1/user/privacy', {method: 'PUT', body: '{\"opt_out\": false}'}).then(r => r.ok)"
        )
    assert len(site.capture.captures) < 13  # of 25 events
    site.capture.mode = "ok"
    site.capture.release()
    received = site.capture.wait(lambda all_: len({e.uuid for e in all_}) >= 25, 60)
    unique = {e.uuid: e for e in received}
    pairs(list(unique.values()))
    assert [e["route"] for e in ours(list(unique.values()))] == ["team"] * 2 + ["project"] * 23


def test_events_survive_a_page_that_goes_while_the_endpoint_is_down(site: Site, context: BrowserContext) -> None:
    site.capture.mode = "error"
    page = context.new_page()
    with answered(page, site):
        page.goto(site.url + "/team/ABC")
    site.capture.mode = "ok"
    page.goto(site.url + "/away")
    received = site.capture.take(2)
    assert [e.name for e in ours(received)] == ["$pageview", "$pageleave"]


def test_a_hidden_page_hands_over_what_waits(site: Site, open_page: Open) -> None:
    """On a phone nothing more may come after `hidden`."""
    site.capture.mode = "hang"
    page = open_page("/team/ABC")
    wait_for(page, lambda: site.capture.captures)
    go(page, "/project/PRJ9")
    site.capture.mode = "ok"
    page.evaluate(
        """() => {
          Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'});
          document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    received = site.capture.take(2)
    assert {("$pageleave", "team"), ("$pageview", "project")} <= {(e.name, e["route"]) for e in received}


@pytest.mark.parametrize("what", ["/telemetry-", "/posthog-"])
def test_a_blocked_script(site: Site, context: BrowserContext, open_page: Open, what: str) -> None:
    failed: list[Request] = []

    def note(request: Request) -> None:
        failed.append(request)  # Playwright takes no built-in function for a handler

    context.route(re.compile(re.escape(what)), lambda route: route.abort("blockedbyclient"))
    context.on("requestfailed", note)
    trouble = Trouble(context)
    page = open_page("/team/ABC")
    go(page, "/project/PRJ9")
    wait_for(page, lambda: failed)
    settled(page)
    page.close()
    # A beacon of its end would have come before this page.
    context.new_page().goto(site.url + "/away")
    # What the browser itself says of the blocked request is not ours to keep quiet.
    assert [m for m in trouble.messages if "ERR_BLOCKED_BY_CLIENT" not in m] == []
    assert site.capture.captures == []


@pytest.mark.parametrize("what", ["/telemetry-", "/posthog-"])
def test_a_script_that_could_not_be_fetched_once(
    site: Site, context: BrowserContext, trouble: Trouble, what: str
) -> None:
    asked: list[Route] = []

    def lose_the_first(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    context.route(re.compile(re.escape(what)), lose_the_first)
    page = context.new_page()
    page.clock.install()
    page.goto(site.url + "/team/ABC")
    run_clock(page, lambda: asked)
    page.evaluate("harness.go('/account')")
    run_clock(page, lambda: len(asked) > 1)
    received = site.capture.take(3)
    assert [(e.name, e["route"]) for e in ours(received)] == [
        ("$pageview", "team"),
        ("$pageleave", "team"),
        ("$pageview", "account"),
    ]
    assert [m for m in trouble.messages if "ERR_FAILED" not in m] == []


def test_leaving_before_the_sdk_has_come(site: Site, browser: Browser) -> None:
    """The page is left while posthog-js is under way: the view is told all the same, under the session that goes on."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url + "/team/ABC")
    site.capture.take(1)
    page.goto(site.url + "/away")
    site.capture.take(2)
    kept = context.storage_state()
    context.close()
    context = browser.new_context(storage_state=kept)
    site.holding = "posthog-"
    page = context.new_page()
    page.goto(site.url + "/project/PRJ9")
    wait_for(page, lambda: sum("/posthog-" in request.path for request in site.capture.requests) == 2)
    page.goto(site.url + "/away")
    site.held.set()
    received = ours(site.capture.take(4))
    assert [(e.name, e["route"]) for e in received[2:]] == [("$pageview", "project"), ("$pageleave", "project")]
    assert {e["$session_id"] for e in received} == {received[0]["$session_id"]}
    assert {e["distinct_id"] for e in received} == {"u_alice"}
    context.close()


HIDE = """
  window.shown = true;
  const state = () => window.shown ? 'visible' : 'hidden';
  Object.defineProperty(document, 'visibilityState', {configurable: true, get: state});
"""
SHOW = "shown => { window.shown = shown; document.dispatchEvent(new Event('visibilitychange')) }"


@pytest.mark.parametrize("what", ["telemetry-", "posthog-"])
def test_hidden_before_the_scripts_have_come(site: Site, context: BrowserContext, open_page: Open, what: str) -> None:
    """On a phone nothing more may come after `hidden`; if the page does come back, it goes on as the same visitor."""
    site.user, site.holding = None, what
    context.add_init_script(HIDE)
    page = open_page("/account/register")
    wait_for(page, lambda: any(f"/{what}" in request.path for request in site.capture.requests))
    page.evaluate(SHOW, arg=False)
    assert [(e.name, e["route"]) for e in site.capture.take(1)] == [("$pageview", "register")]
    page.evaluate(SHOW, arg=True)
    site.held.set()
    go(page, "/account")
    site.capture.take(3)
    page.goto(site.url + "/away")
    received = ours(site.capture.take(4))
    pairs(received)
    assert [(e.name, e["route"], e["view_index"]) for e in received] == [
        ("$pageview", "register", 0),
        ("$pageleave", "register", 0),
        ("$pageview", "login", 1),
        ("$pageleave", "login", 1),
    ]
    for name in ("distinct_id", "$session_id"):
        assert len({e[name] for e in received}) == 1


def test_who_signs_in_after_that_is_somebody_else(site: Site, context: BrowserContext, open_page: Open) -> None:
    site.user, site.holding = None, "posthog-"
    context.add_init_script(HIDE)
    page = open_page("/account/register")
    wait_for(page, lambda: any("/posthog-" in request.path for request in site.capture.requests))
    page.evaluate(SHOW, arg=False)
    site.capture.take(1)
    page.evaluate(SHOW, arg=True)
    page.evaluate("harness.session.login('alice', 'pw')")
    until(page, "harness.truth.length >= 3")
    page.evaluate(SHOW, arg=False)  # the anonymous leave is told, too: the SDK begins with alice
    site.capture.take(3)
    page.evaluate(SHOW, arg=True)
    site.held.set()
    go(page, "/account")
    received = ours(site.capture.take(5))
    pairs([e for e in received if e["route"] == "register" and e["nav_type"] == "load"])
    assert [e["distinct_id"] == "u_alice" for e in received] == [False, False, True, True, True]
    for name in ("distinct_id", "$session_id"):
        assert {e[name] for e in received[:2]}.isdisjoint({e[name] for e in received[2:]})
    assert {e.get("$device_id") for e in received[2:]}.isdisjoint({e["distinct_id"] for e in received[:2]})


REFUSE_STORAGE = """
  for (const name of ['localStorage', 'sessionStorage'])
    Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError'); }});
"""


def test_a_browser_that_keeps_nothing(site: Site, context: BrowserContext, open_page: Open, trouble: Trouble) -> None:
    context.add_init_script(REFUSE_STORAGE)
    page = open_page("/team/ABC")
    site.capture.take(1)
    go(page, "/project/PRJ9")
    page.goto(site.url + "/away")
    received = site.capture.take(4)
    pairs(received)
    assert [e["route"] for e in ours(received)] == ["team", "team", "project", "project"]
    assert trouble.messages == []


LISTENERS = """
  const held = window.held = new Map();
  const name = (target, type) => `${target.constructor.name} ${type}`;
  const add = EventTarget.prototype.addEventListener;
  const remove = EventTarget.prototype.removeEventListener;
  let next = 0;
  const ids = new WeakMap();
  const key = (target, type, fn) => {
    if (!ids.has(fn)) ids.set(fn, ++next);
    return `${name(target, type)} ${ids.get(fn)}`;
  };
  EventTarget.prototype.addEventListener = function (type, fn, options) {
    const self = this ?? window;
    if (fn && !new Error().stack.includes('posthog-')) {
      held.set(key(self, type, fn), name(self, type));
      options?.signal?.addEventListener('abort', () => held.delete(key(self, type, fn)));
    }
    return add.call(self, type, fn, options);
  };
  EventTarget.prototype.removeEventListener = function (type, fn, options) {
    const self = this ?? window;
    if (fn) held.delete(key(self, type, fn));
    return remove.call(self, type, fn, options);
  };
"""


def test_removed_telemetry_leaves_no_listener(site: Site, context: BrowserContext, open_page: Open) -> None:
    context.add_init_script(LISTENERS)
    page = open_page("/team/ABC?bare=1")
    without = page.evaluate("[...held.values()].sort()")
    page.close()
    page = open_page("/team/ABC")
    site.capture.take(1)
    assert page.evaluate("[...held.values()].sort()") != without
    page.evaluate("harness.stop()")
    left = [one for one in page.evaluate("[...held.values()].sort()") if not one.startswith("AbortSignal")]
    assert left == without
    told = ours(site.capture.take(2))
    assert told[1].name == "$pageleave"
    go(page, "/project/PRJ9")
    page.close()
    context.new_page().goto(site.url + "/away")
    # A request that took long when it was stopped may have been sent again: the same two events.
    assert {event.uuid for event in site.capture.received} == {event.uuid for event in told}
