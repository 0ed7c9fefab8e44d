"""A page that sleeps in the back/forward cache, one that is prerendered, one in the background."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.emitter.conftest import Seen, Site, go, ours, pairs, seen, settled, until, wait_for
from tests.support.browser import Trouble, bare_chromium, chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(bfcache=True) as browser:
        yield browser


def test_back_forward_cache(site: Site, browser: Browser) -> None:
    context = browser.new_context()
    trouble = Trouble(context)
    page = context.new_page()
    page.goto(site.url + "/team/ABC")
    until(page, "window.harness?.truth.length > 0")
    site.capture.take(1)
    page.evaluate("window.mark = 'the same page'; location.href = '/away'")
    page.wait_for_url("**/away")
    page.go_back(wait_until="commit")
    until(page, "window.mark === 'the same page'")
    site.capture.take(3)
    go(page, "/project/PRJ9")
    page.close()
    received = site.capture.take(6)
    context.close()
    assert seen(received) == [
        Seen("$pageview", "team", "load"),
        Seen("$pageleave", "team", "load"),
        Seen("$pageview", "team", "bfcache"),
        Seen("$pageleave", "team", "bfcache", None, "project"),
        Seen("$pageview", "project", "push", "team"),
        Seen("$pageleave", "project", "push", "team"),
    ]
    pairs(received)
    assert all(0 <= e["total_ms"] < 5000 for e in received if e.name == "$pageleave")
    assert [e["view_index"] for e in received] == [0, 0, 1, 1, 2, 2]
    assert trouble.messages == []


HIDE = """
  Object.defineProperty(document, 'visibilityState', {get: () => window.shown ? 'visible' : 'hidden'});
  const entries = performance.getEntriesByType.bind(performance);
  performance.getEntriesByType = (type) => type === 'visibility-state' ? [] : entries(type);
"""


LEAVE = """() => {
  // The router's listener is the older one.
  addEventListener('pagehide', () => navigator.sendBeacon(`/log/looked/${Math.ceil(performance.now() - shown)}`));
  location.href = '/away';
}"""


def test_a_tab_in_the_background_is_counted_when_it_is_looked_at(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.add_init_script(HIDE)
    page.goto(site.url + "/team/ABC")
    until(page, "window.harness?.truth.length > 0")
    go(page, "/project/PRJ9")
    wait_for(page, lambda: any("/telemetry-" in request.path for request in site.capture.requests))
    settled(page)
    assert [request.path for request in site.capture.requests if "/posthog-" in request.path] == []
    page.evaluate("window.shown = performance.now(); document.dispatchEvent(new Event('visibilitychange'))")
    site.capture.take(1)
    page.evaluate(LEAVE)
    received = site.capture.take(2)
    assert [(e.name, e["route"], e["view_index"]) for e in ours(received)] == [
        ("$pageview", "project", 0),
        ("$pageleave", "project", 0),
    ]
    assert ours(received)[1]["total_ms"] <= int(wait_for_path(site, "/log/looked/"))


def test_a_tab_never_looked_at_is_not_counted(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.add_init_script(HIDE)
    page.goto(site.url + "/team/ABC")
    until(page, "window.harness?.truth.length > 0")
    page.close()
    page = context.new_page()
    page.goto(site.url + "/account")
    received = site.capture.take(1)
    assert [e["route"] for e in received] == ["account"]


PRERENDER = """
  if (location.pathname === '/team/ABC') addEventListener('load', () => setTimeout(() => {
    const rules = document.createElement('script');
    rules.type = 'speculationrules';
    rules.textContent = JSON.stringify({prerender: [{urls: ['/project/PRJ9'], eagerness: 'immediate'}]});
    document.head.append(rules);
    setTimeout(() => location.href = '/project/PRJ9', 1500);
  }, 300));
  else {
    fetch('/log/' + document.prerendering);
    document.addEventListener('prerenderingchange', () => setTimeout(() => location.href = '/away', 700));
    addEventListener('pagehide', () => {
      const [{ activationStart }] = performance.getEntriesByType('navigation');
      navigator.sendBeacon('/log/looked/' + Math.round(performance.now() - activationStart));
    });
  }
"""


def test_a_prerendered_page_is_counted_when_it_is_shown(site: Site, tmp_path: Path) -> None:
    site.policy = "default-src 'self'; script-src 'self' 'inline-speculation-rules'"
    site.script = PRERENDER
    # A page that a prerendered one replaces, and that goes into the back/forward cache, loses its beacons now and then:
    # Chromium's own doing, seen with a plain `sendBeacon` as well.
    with bare_chromium(site.url + "/team/ABC", tmp_path, "--disable-features=BackForwardCache"):
        received = site.capture.take(4, 60)
        looked = wait_for_path(site, "/log/looked/")
    assert "/log/true" in [request.path for request in site.capture.requests]
    # The new page may be looked at before the old one is told that it is not.
    assert sorted(map(repr, seen(received))) == sorted(
        map(
            repr,
            [
                Seen("$pageview", "team", "load"),
                Seen("$pageleave", "team", "load"),
                Seen("$pageview", "project", "load"),
                Seen("$pageleave", "project", "load"),
            ],
        )
    )
    view, left = [e for e in ours(received) if e["route"] == "project"]
    assert view["load_ms"] == 0
    assert 700 <= left["total_ms"] <= int(looked) + 100


def wait_for_path(site: Site, prefix: str) -> str:
    """What follows the prefix in the first request that has it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for request in list(site.capture.requests):
            if request.path.startswith(prefix):
                return request.path.removeprefix(prefix)
        time.sleep(0.02)
    raise AssertionError(prefix)


HIDDEN = """
  addEventListener('load', () => setTimeout(() => {
    let hidden = 0;
    let other;
    harness.go('/account');
    const entered = setInterval(() => {
      if (harness.truth.at(-1).what !== 'enter' || harness.truth.length < 3) return;
      clearInterval(entered);
      other = open('/away');
    }, 10);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') {
        hidden = performance.now();
        setTimeout(() => other.close(), 1200);
      } else {
        fetch('/log/hidden/' + Math.round(performance.now() - hidden));
        setTimeout(() => location.href = '/away', 500);
      }
    });
  }, 800));
"""


def test_what_happens_in_another_tab_is_not_engagement(site: Site, tmp_path: Path) -> None:
    site.script = HIDDEN
    with bare_chromium(site.url + "/team/ABC", tmp_path):
        received = site.capture.take(4, 60)
        hidden = int(wait_for_path(site, "/log/hidden/"))
    assert [e["route"] for e in ours(received)] == ["team", "team", "account", "account"]
    left = ours(received)[3]
    assert hidden >= 1200
    assert left["total_ms"] - left["engaged_ms"] >= hidden - 100
