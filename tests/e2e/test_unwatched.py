"""A page of the product that is prerendered, shown, hidden behind another tab, and left, in a Chromium of its own."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.support.browser import bare_chromium
from tests.support.front import Front
from tests.support.journey import Caller, Span, Truth, View
from tests.support.product import PASSWORD, both_ends, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = {
    "/start": ("text/html", '<!doctype html><title>Start</title><script src="/drive.js"></script>'),
    # The product's policy lets no page it opens be closed by it.
    "/other": ("text/html", "<!doctype html><title>Other</title><script>setTimeout(close, 800)</script>"),
    "/end": ("text/html", "<!doctype html><title>End</title>"),
}
RULES = {"/": {"prerender": [{"urls": ["/account"], "eagerness": "immediate"}]}}
SCRIPT = """
const now = () => performance.timeOrigin + performance.now();
function note(what, at = now()) {
  const body = JSON.stringify({ what, path: location.pathname, at: at / 1000 });
  void fetch('/note', { method: 'POST', body, keepalive: true });
}
async function start() {
  const { csrf } = await (await fetch('/api/v1/csrf')).json();
  const headers = { 'X-CSRF-Token': csrf, 'Content-Type': 'application/json' };
  await fetch('/account/login', { method: 'POST', headers, body: JSON.stringify(WHO) });
  location.href = '/';
}
function go(to) {
  note('going');
  location.href = to;
}
async function home() {
  note('began', performance.timeOrigin);
  while (!(await (await fetch('/notes')).json()).includes('prerendered')) await new Promise((on) => setTimeout(on, 50));
  setTimeout(() => go('/account'), 600);
}
function account() {
  if (!document.prerendering) return note('not prerendered');
  addEventListener('load', () => setTimeout(() => note('prerendered'), 300));
  document.addEventListener('prerenderingchange', () => {
    note('shown');
    setTimeout(() => {
      note('covering');
      open('/other');
      document.addEventListener('visibilitychange', () => {
        note(document.visibilityState);
        if (document.visibilityState === 'visible') setTimeout(() => go('/end'), 400);
      });
    }, 600);
  });
}
addEventListener('pagehide', () => note('gone'));
({ '/start': start, '/': home, '/account': account })[location.pathname]?.();
""".replace("WHO", json.dumps({"username": "root", "password": PASSWORD}))


def test_a_prerendered_page_counts_from_when_it_is_shown_and_its_time_while_it_is_seen(tmp_path: Path) -> None:
    with (
        both_ends(tmp_path) as (product, posthog),
        contextlib.closing(Front(product.port, SCRIPT, PAGES, RULES)) as front,
    ):
        product.also(base_url=front.url)
        with product.serve() as running, sync_playwright() as playwright:
            request = playwright.request.new_context()
            root = Caller(request, front.url)
            root.sign_in("root")
            begun = [("user registered", "root"), ("set-up finished", "root")]
            truth = Truth({"root": root.pseudonym}, acts=begun + [("logged in", "root")] * 2)
            request.dispose()
            # A page that another one replaces loses its beacons now and then on its way into the back/forward cache.
            profile = tmp_path / "profile"
            with bare_chromium(f"{front.url}/start", profile, "--disable-features=BackForwardCache"):
                until(lambda: len(posthog.events) >= len(truth.acts) + 4, 60)
                until(lambda: len([note for note in front.notes if note["what"] == "gone"]) == 3)
            assert running.stop() == 0
        truth.views = what_happened(front.notes)
        truth.check(posthog.events)
        assert len(product.stored()) == truth.events


def what_happened(notes: list[dict[str, Any]]) -> list[View]:
    # Of what is noted more than once (a page that goes is hidden, too) the first counts.
    at = {(note["path"], note["what"]): float(note["at"]) for note in reversed(notes)}
    assert [what for _, what in at].count("not prerendered") == 0
    home = View("home", "load", "root", "admin", None, 0, Span(at["/", "began"], at["/account", "prerendered"]))
    home.left = Span(at["/", "going"], at["/", "gone"])
    account = View("account", "load", "root", "admin", None, 0, Span(at["/account", "shown"], at["/account", "shown"]))
    account.left = Span(at["/account", "going"], at["/account", "gone"])
    away = at["/account", "visible"] - at["/account", "hidden"]
    assert away >= 0.7
    account.unattended = Span(away, at["/account", "gone"] - at["/account", "covering"])
    return [home, account]
