"""Every page of the plan without a console error and without a violation of the policy, whoever looks at it.

With PostHog by way of this server and directly, with Plausible beside it; both are played on loopback, and each page
has told them of itself before it is left, so that their scripts have run under the page's policy.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import Trouble, chromium
from tests.support.capture_server import Answer, CaptureServer, Request
from tests.support.journey import Caller
from tests.support.product import KEY, ROOT, Product, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROUTES: list[dict[str, str]] = yaml.safe_load((ROOT / "flowforge_ui/plan/routes.yml").read_text("utf-8"))["routes"]
UNKNOWN = "/no/such/place"
# What Chromium itself says of a document that came with a 404.
NOT_FOUND = "error: Failed to load resource: the server responded with a status of 404 (Not Found)"
ANSWERED = "performance.getEntriesByType('resource').some((one) => one.name.endsWith('/e/'))"


@dataclass
class Stand:
    """Plausible's place, and PostHog's beside it: two origins, each with its own entry in the policy."""

    plausible: CaptureServer = field(default_factory=CaptureServer)
    posthog: CaptureServer = field(default_factory=CaptureServer)
    views: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plausible.serve = self._serve

    def _serve(self, request: Request) -> Answer | None:
        if request.path != "/api/event":
            return None
        if request.method == "POST":
            self.views.append(json.loads(request.body)["u"])
        return Answer(202, b"ok", {"Access-Control-Allow-Origin": request.headers.get("origin", "*")})


@dataclass
class Stage:
    product: Product
    browser: Browser
    stand: Stand
    root: Caller
    bob: Caller
    team: str
    project: str

    def path(self, pattern: str) -> str:
        return pattern.replace(":team", self.team).replace(":project", self.project)

    def told(self, page: Page, before: int) -> bool:
        """Plausible has heard of one more view, and PostHog of this page's, whichever way."""
        return len(self.stand.views) > before and bool(page.evaluate(ANSWERED))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=["relay", "direct"])
def stage(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    stand = Stand()
    product = Product(tmp_path_factory.mktemp("every"))
    product.configure(
        frontend={
            "posthog": {
                "apikey": KEY,
                "apiurl": stand.posthog.api_host,
                "capture_pageview": False,
                "transport": request.param,
            },
            "local": {"enabled": True},
            "plausible": {"domain": "flows.example", "src": stand.plausible.url},
        }
    )
    product.set_up()
    with product.serve():
        root, bob = (Caller(browser.new_context().request, product.url) for _ in range(2))
        root.sign_in("root")
        root.create_user("bob")
        root.post("/api/v1/settings", {"user:signup": True}, "PATCH")
        team = root.post("/api/v1/teams", {"name": "Plant"})["id"]
        project = root.post("/api/v1/projects", {"name": "Press", "team": team})["id"]
        root.post(f"/api/v1/teams/{team}/invitations", {"username": "bob", "role": "member"})
        bob.sign_in("bob")
        (invitation,) = bob.get("user/invitations")["invitations"]
        bob.post(f"/api/v1/user/invitations/{invitation['id']}/accept", {})
        yield Stage(product, browser, stand, root, bob, team, project)
    stand.plausible.close()
    stand.posthog.close()


def expected(route: dict[str, str], who: str) -> str:
    """The pattern of the view that stands at a route's address, for somebody."""
    if route["name"] == "setup":
        return "/not_found"
    if route["name"] == "register":
        return route["pattern"] if who == "nobody" else "/"
    if who == "nobody":
        return "/login"
    return route["pattern"] if who == "root" or route["who"] == "user" else "/not_found"


@pytest.mark.parametrize("who", ["nobody", "bob", "root"])
def test_every_page_is_quiet(stage: Stage, who: str) -> None:
    context = entered(stage, who)
    trouble = Trouble(context)
    page = context.new_page()
    wrong: dict[str, Any] = {}
    for route in [*ROUTES, {"name": "not_found", "pattern": UNKNOWN, "who": "anyone"}]:
        seen = len(stage.stand.views)
        trouble.messages.clear()
        answer = page.goto(stage.product.url + stage.path(route["pattern"]))
        assert answer is not None
        settled(page)
        with contextlib.suppress(AssertionError):  # what is said below is more
            until(partial(stage.told, page, seen), 5)
        messages = list(trouble.messages)
        if answer.status == 404:
            messages.remove(NOT_FOUND)
        view = "/not_found" if route["name"] == "not_found" else expected(route, who)
        told = [url.removeprefix(stage.product.url) for url in stage.stand.views[seen:]]
        status = 404 if route["name"] in {"setup", "not_found"} else 200
        if messages or not stage.told(page, seen) or (told, answer.status) != ([view], status):
            wrong[route["name"]] = (answer.status, told, messages)
    trouble.messages.clear()
    page.close()
    context.close()
    assert wrong == {}
    assert trouble.messages == []


def entered(stage: Stage, who: str) -> BrowserContext:
    caller = {"root": stage.root, "bob": stage.bob}.get(who)
    return stage.browser.new_context(storage_state=caller.state if caller else None)


def settled(page: Page) -> None:
    page.locator("main:not([aria-busy]) h1").first.wait_for()


def test_before_the_set_up_every_page_is_quiet(browser: Browser, tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.configure(frontend={"local": {"enabled": True}})
    with product.serve():
        context = browser.new_context()
        trouble = Trouble(context)
        page = context.new_page()
        for path in ("/setup", "/", UNKNOWN):
            page.goto(product.url + path)
            settled(page)
            assert page.url == f"{product.url}/setup"
        context.close()
    assert trouble.messages == []
