"""A token planted wherever a person or a link can put one: in no byte that leaves, in no byte stored for telemetry."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.support.browser import chromium
from tests.support.capture_server import Answer, CaptureServer
from tests.support.journey import FOLLOW, Caller
from tests.support.product import KEY, PASSWORD, Product, settle, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SECRET = "s3cr3t-pl4nted"
TOKEN = re.compile(rb"s3cr3t|pl4nted", re.IGNORECASE)
QUERY = f"?token={SECRET}&utm_source={SECRET}&gclid={SECRET}&q={SECRET}&from={SECRET}&ph_distinct_id={SECRET}"
REFERRER = """<!doctype html><meta name="referrer" content="unsafe-url"><title>A link</title>
<a href="{url}/{query}#{secret}">go</a>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def walk(page: Page, site: CaptureServer, url: str) -> str:
    """From a foreign page with a telling address through names, queries, hashes and unknown places; the team's path."""
    page.goto(f"{site.url}/mail/{SECRET}?{SECRET}")
    page.get_by_role("link").click()
    settle(page, "Sign in")
    page.get_by_label("User name").fill(SECRET)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    settle(page, "Home")
    page.evaluate(FOLLOW, f"/team/create{QUERY}#{SECRET}")
    settle(page, "New team")
    page.get_by_label("Name").fill(f"Team {SECRET}")
    page.get_by_role("button", name="Create").click()
    settle(page, f"Team {SECRET}")
    team = page.evaluate("location.pathname")
    page.evaluate(FOLLOW, f"{team}/projects/create")
    page.get_by_label("Name").fill(f"Project {SECRET}")
    page.get_by_role("button", name="Create").click()
    settle(page, f"Project {SECRET}")
    project = page.evaluate("location.pathname")
    page.evaluate(FOLLOW, f"{project}/flows{QUERY}")
    expect(page).to_have_title(re.compile("Flows"))
    page.evaluate(f"history.replaceState(history.state, '', location.pathname + '?{SECRET}#{SECRET}')")
    page.evaluate(f"document.title = 'Order {SECRET}'")
    page.evaluate(FOLLOW, f"{project}/{SECRET}")
    settle(page, "Not found")
    page.goto(f"{url}/team/{SECRET}{QUERY}#{SECRET}")
    settle(page, "Not found")
    page.evaluate(FOLLOW, f"/project/{SECRET}/settings")
    page.wait_for_url(f"**/project/{SECRET}/settings")
    page.evaluate(FOLLOW, f"/account{QUERY}")
    settle(page, "Profile")
    page.reload()
    settle(page, "Profile")
    page.wait_for_timeout(1000)
    return str(team)


# The browser does not show what a request takes from a blob.
BODIES = """window.Blob = class extends Blob {
  constructor(parts, options) { super(parts, options); void window.bodyMade(parts.join('')) }
}"""


class Recorder:
    """Everything the pages of a browser send elsewhere than to the API."""

    def __init__(self, context: BrowserContext, prefixes: tuple[str, ...]) -> None:
        self.sent: list[bytes] = []
        self.bodies: list[bytes] = []
        self._prefixes = prefixes
        context.on("request", self._keep)
        context.expose_function("bodyMade", lambda text: self.bodies.append(text.encode()))
        context.add_init_script(BODIES)

    def _keep(self, request: Request) -> None:
        if not request.url.startswith(self._prefixes):
            return
        told = [request.url.encode(), repr(request.headers).encode(), request.post_data_buffer or b""]
        self.sent += [*told, *map(plain, told)]


def plain(body: bytes) -> bytes:
    """Without compression, form encoding and base64."""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    if body.startswith(b"data="):
        body = b64decode(unquote_plus(body.removeprefix(b"data=").decode()))
    return unquote_plus(body.decode("latin-1")).encode()


@pytest.mark.parametrize("transport", ["relay", "direct"])
def test_a_planted_token_goes_nowhere(browser: Browser, tmp_path: Path, transport: str) -> None:
    posthog = CaptureServer()
    site = CaptureServer()
    product = Product(tmp_path)
    product.configure(
        frontend={
            "posthog": {
                "apikey": KEY,
                "apiurl": posthog.api_host,
                "capture_pageview": transport == "relay",
                "transport": transport,
            },
            "local": {"enabled": True},
        }
    )
    product.set_up()
    answer = REFERRER.format(url=product.url, query=QUERY, secret=SECRET).encode()
    site.serve = lambda _: Answer(200, answer, {"Content-Type": "text/html", "Referrer-Policy": "unsafe-url"})
    try:
        with product.serve() as running:
            root = Caller(browser.new_context().request, product.url)
            root.sign_in("root")
            root.create_user(SECRET)
            context = browser.new_context()
            page = context.new_page()
            page.goto(product.url)
            facts = json.loads(page.locator("#boot").text_content() or "")["telemetry"]["posthog"]
            hosts = tuple(one["api_host"] for one in (facts, facts["local"]) if one)
            assert len(hosts) == (1 if transport == "relay" else 2)
            recorder = Recorder(context, hosts)
            team = walk(page, site, product.url)
            page.close()
            until(lambda: root.get("admin/telemetry/status")["counts"]["accepted"] >= 28)
            until(lambda: all(one["pending"] == 0 for one in root.get("admin/telemetry/status")["channels"][1:]))
            kept = browser_storage(context, product.url)
            context.close()
            assert running.stop() == 0
        events = {
            each["uuid"]: each for request in posthog.captures for each in json.loads(plain_body(request.body))["batch"]
        }
        views = [
            each["properties"]["route"]
            for each in events.values()
            if each["event"] == "$pageview" and each["properties"].get("source") == "router"
        ]
        assert len(views) >= 10
        assert {"home", "team_create", "team", "project", "project_flows", "not_found", "account"} <= set(views)
        assert sum(body.count(b'"$pageview"') for body in recorder.bodies) >= len(views)
        received = [repr(request).encode() + plain_body(request.body) for request in posthog.requests]
        stored = telemetry_rows(product) + [repr(row).encode() for row in product.stored()]
        files = [
            path.read_bytes()
            for path in (product.home / "var").iterdir()
            if "analytics" in path.name and path.is_file()
        ]
        for place, texts in {
            "sent": recorder.sent,
            "bodies": recorder.bodies,
            "received": received,
            "stored": stored,
            "files": files,
            "kept": [kept],
        }.items():
            assert texts, place
            for text in texts:
                assert not TOKEN.search(text), (place, text[:2000])
                assert team.removeprefix("/team/").encode() not in text, (place, text[:2000])
        assert not TOKEN.search(running.log.read_bytes())
    finally:
        posthog.close()
        site.close()


def plain_body(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def browser_storage(context: BrowserContext, url: str) -> bytes:
    """What telemetry keeps in the browser."""
    page = context.new_page()
    page.goto(f"{url}/healthz")
    text = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    return str(text).encode()


def telemetry_rows(product: Product) -> list[bytes]:
    """What the platform's database holds for telemetry: not the platform's own tables, which know names."""
    (file,) = (product.home / "var").glob("*.db")
    with sqlite3.connect(file) as database:
        rows = [
            repr(row).encode()
            for table in ("outbox", "outbox_pending", "outbox_trouble", "telemetry_count", "outbox_sink")
            for row in database.execute(f"SELECT * FROM {table}")
        ]
    database.close()
    return rows
