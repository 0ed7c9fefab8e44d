"""A harness page with the real router, the real session and the real SDKs, served on loopback beside its endpoint."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.support.browser import Trouble, chromium
from tests.support.capture_server import Answer, CaptureServer, Received, Request, path_of

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
SECRET = "s3cr3t-pl4nted"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{hosts}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Harness</title>
<link rel="stylesheet" href="/a/style.css">
<script type="application/json" id="boot">{boot}</script>
<script type="module" src="/a/harness.js"></script><script src="/a/script.js"></script></head>
<body><main id="main"></main></body></html>"""
BUNDLE = """import { build } from "esbuild";
import { SHORTENED } from "./scripts/build.mjs";
const [harness, outdir] = process.argv.slice(-2);
const usual = { bundle: true, splitting: true, format: "esm", target: "es2022", minify: true, logLevel: "warning" };
await build({ ...usual, ...SHORTENED, entryPoints: [harness], outdir });"""
STYLE = "body.tall main { height: 5000px }"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harness bundled as `make build` bundles: split, so that telemetry and the SDKs are chunks of their own."""
    out = tmp_path_factory.mktemp("harness")
    subprocess.run(
        [ROOT / ".make/node/bin/node", "--input-type=module", "--eval", BUNDLE, HERE / "harness.ts", out],
        check=True,
        cwd=ROOT,
    )
    return out


class Site:
    """The platform as the page sees it: the shell with boot facts, login, logout, privacy; `user` is signed in."""

    def __init__(self, files: Path) -> None:
        self.capture = CaptureServer(serve=self._serve)
        self.other = CaptureServer()
        self._files = files
        self.reset()

    def reset(self) -> None:
        self.capture.clear()
        self.other.clear()
        self.user: str | None = "alice"
        self.opted_out: set[str] = set()
        self.setup_finished = True
        self.posthog: dict[str, Any] | None = {}
        self.plausible: dict[str, str] | None = None
        self.respect = {"gpc": True, "dnt": True}
        self.logout_status = 200
        self.policy = POLICY
        self.hosts = ""
        self.script = ""
        self.held = Event()
        self.holding: str | None = None

    @property
    def url(self) -> str:
        return self.capture.url

    def boot(self) -> dict[str, Any]:
        user = self.user
        person = user and {"distinct_id": f"u_{user}", "ticket": f"ticket-of-{user}"}
        posthog = self.posthog is not None and {
            "apikey": "phc_test",
            "api_host": self.capture.api_host,
            "capture_pageview": False,
            "transport": "relay",
            "pageleave": "route",
            "dev": True,
            "person": person,
            **self.posthog,
        }
        return {
            "version": "0.1.0",
            "base_url": self.url,
            "user": user
            and {
                "id": f"id-{user}",
                "username": user,
                "name": user.title(),
                "role": "user",
                "telemetry_opt_out": user in self.opted_out,
            },
            "csrf": "csrf",
            "setup": {"finished": self.setup_finished},
            "telemetry": {"posthog": posthog or None, "plausible": self.plausible, "respect": self.respect},
        }

    def _serve(self, request: Request) -> Answer | None:
        path = path_of(request)
        if path.startswith("/a/"):
            return self._file(path.removeprefix("/a/"))
        if path.startswith("/log/"):
            return Answer(204, b"")
        if path == "/away":
            return Answer(200, b"<!doctype html><title>Away</title>", {"Content-Type": "text/html"})
        return self._account(path, request) or (self._shell() if request.method == "GET" else None)

    def _account(self, path: str, request: Request) -> Answer | None:
        if path == "/account/login":
            self.user = json.loads(request.body)["username"]
            return self._json({"boot": self.boot()})
        if path == "/account/logout":
            if self.logout_status == 200:
                self.user = None
            return self._json({"boot": self.boot()}, self.logout_status)
        if path == "/api/v1/user/privacy" and self.user:
            out = json.loads(request.body)["opt_out"]
            (self.opted_out.add if out else self.opted_out.discard)(self.user)
            return self._json({"opt_out": out, "boot": self.boot()})
        return None

    def _file(self, name: str) -> Answer | None:
        if name == "style.css":
            return Answer(200, STYLE.encode(), {"Content-Type": "text/css"})
        if name == "script.js":
            return Answer(200, self.script.encode(), {"Content-Type": "text/javascript"})
        if self.holding and name.startswith(self.holding):
            self.held.wait(20)
        file = self._files / name
        if not file.exists():
            return None
        headers = {"Content-Type": "text/javascript", "Cache-Control": "public, max-age=60"}
        return Answer(200, file.read_bytes(), headers)

    def _json(self, body: object, status: int = 200) -> Answer:
        return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _shell(self) -> Answer:
        text = PAGE.replace("{boot}", json.dumps(self.boot()).replace("<", "\\u003c"))
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "private, no-cache",
            "Content-Security-Policy": self.policy.replace("{hosts}", self.hosts),
        }
        return Answer(200, text.encode(), headers)


@pytest.fixture(scope="module")
def shared_site(bundle: Path) -> Iterator[Site]:
    site = Site(bundle)
    yield site
    site.capture.close()
    site.other.close()


@pytest.fixture
def site(shared_site: Site) -> Site:
    shared_site.reset()
    return shared_site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def trouble(context: BrowserContext) -> Trouble:
    return Trouble(context)


Open = Callable[[str], Page]


@pytest.fixture
def open_page(context: BrowserContext, site: Site, trouble: Trouble) -> Open:
    """Opens a path of the site in a new tab and waits for its first view to be announced."""

    def open_page(path: str) -> Page:
        page = context.new_page()
        page.goto(site.url + path)
        until(page, "window.harness?.truth.length > 0")
        return page

    return open_page


def go(page: Page, to: str) -> None:
    """Follows a link and waits until the view is entered."""
    before = page.evaluate("harness.truth.length")
    page.evaluate("to => harness.go(to)", to)
    until(page, f"harness.truth.length >= {before + 2}")


def wait_for(page: Page, condition: Callable[[], object], seconds: float = 20) -> None:
    """Waits, while the page goes on, for something that is not on it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(10)


def settled(page: Page) -> None:
    """What the page puts off until it is idle has begun (fetching telemetry, too), and a later request is done."""
    page.evaluate("new Promise((done) => requestIdleCallback(done, {timeout: 2000}))")
    page.evaluate("fetch('/log/idle').then(() => null)")


@contextmanager
def answered(page: Page, site: Site) -> Iterator[None]:
    """Ends when a request with events, sent by what is done here, has been answered, and a later request, too."""
    with page.expect_response(lambda response: response.url.startswith(site.capture.api_host)) as answer:
        yield
    if answer.value.ok:
        answer.value.finished()  # of another answer the body is not read
    page.evaluate("fetch('/log/read').then(() => null)")


def listen_in(page: Page) -> None:
    """Counts in `words` what the other tabs say; telemetry has heard it before."""
    page.evaluate(
        """() => {
          window.words = 0;
          window.ear = new BroadcastChannel('flowforge');
          ear.onmessage = () => words += 1;
        }"""
    )


def run_clock(page: Page, condition: Callable[[], object], seconds: float = 20) -> None:
    """Lets the page's own clock run, half a second at a time, until something has happened that is not on it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        page.clock.run_for(500)
        page.wait_for_timeout(10)


def until(page: Page, condition: str, seconds: float = 20) -> None:
    """Waits until an expression is true, asking from outside: the page's policy forbids it to evaluate text."""
    end = time.monotonic() + seconds
    while True:
        try:
            if page.evaluate(f"!!({condition})"):
                return
        except Error as error:
            if "context was destroyed" not in str(error) and "not defined" not in str(error):
                raise
        assert time.monotonic() < end, condition
        page.wait_for_timeout(10)


@dataclass(frozen=True)
class Seen:
    """What a page event says of a view."""

    name: str
    route: str
    nav_type: str
    from_route: str | None = None
    to_route: str | None = None


def seen(received: list[Received]) -> list[Seen]:
    return [Seen(e.name, e["route"], e["nav_type"], e.get("from_route"), e.get("to_route")) for e in ours(received)]


def ours(received: list[Received]) -> list[Received]:
    """Without what posthog-js captures on its own account; in the order it happened, which a beacon may overtake."""
    return sorted(
        (e for e in received if e.get("source") == "router"), key=lambda e: (e.timestamp, e.name == "$pageleave")
    )


def pairs(received: list[Received]) -> None:
    """Every view once, every leave once and after its view, under the same identity."""
    views = [e for e in ours(received) if e.name == "$pageview"]
    leaves = [e for e in ours(received) if e.name == "$pageleave"]
    assert len({e.uuid for e in views + leaves}) == len(views) + len(leaves)
    assert len({e["view_id"] for e in views}) == len(views)
    assert len({e["view_id"] for e in leaves}) == len(leaves)
    by_id = {e["view_id"]: e for e in views}
    for leave in leaves:
        view = by_id[leave["view_id"]]
        assert view.timestamp <= leave.timestamp
        assert (view["distinct_id"], view.get("ticket")) == (leave["distinct_id"], leave.get("ticket"))
