"""The endpoint for events is blocked, hangs or answers 500: the product works on, and what was kept arrives once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.support.browser import Trouble, chromium
from tests.support.journey import FOLLOW, Caller
from tests.support.product import PASSWORD, PostHogProcess, Product, both_ends, settle, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PLACES = (("/account", "Profile"), ("/account/security", "Security"), ("/account/privacy", "Privacy"), ("/", "Home"))
ROUNDS = 3


@dataclass
class Stage:
    product: Product
    posthog: PostHogProcess
    browser: Browser
    root: Caller
    prefix: str


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        chromium() as browser,
        both_ends(tmp_path_factory.mktemp("without")) as (product, posthog),
        product.serve(),
    ):
        context = browser.new_context()
        root = Caller(context.request, product.url)
        root.sign_in("root")
        page = context.new_page()
        page.goto(product.url)
        facts = json.loads(page.locator("#boot").text_content() or "")
        page.close()
        yield Stage(product, posthog, browser, root, facts["telemetry"]["posthog"]["api_host"])
        context.close()


def blocked(_: list[Route], route: Route) -> None:
    route.abort("blockedbyclient")


def hanging(held: list[Route], route: Route) -> None:
    held.append(route)


def failing(_: list[Route], route: Route) -> None:
    route.fulfill(status=500, body="{}", content_type="application/json")


def refusing(_: list[Route], route: Route) -> None:
    route.abort("connectionrefused")


Illness = Callable[[list[Route], Route], None]


@pytest.mark.parametrize("illness", [blocked, hanging, failing, refusing], ids=lambda illness: illness.__name__)
def test_the_product_works_on_and_the_events_come_later(stage: Stage, illness: Illness) -> None:
    person = f"person-{illness.__name__}"
    stage.root.create_user(person)
    context = stage.browser.new_context()
    trouble = Trouble(context)
    asked: list[Route] = []
    held: list[Route] = []

    def ill(route: Route) -> None:
        asked.append(route)
        illness(held, route)

    context.route(f"{stage.prefix}/**", ill)
    page = context.new_page()
    sign_in(page, stage.product.url, person)
    expected = [("login", "load"), ("home", "login")]
    for _ in range(ROUNDS):
        for path, heading in PLACES:
            page.evaluate(FOLLOW, path)
            settle(page, heading)
            expected.append((ROUTES[path], "push"))
    # Requests that wait hold no connection the page needs, and are few: one for each turn, not one for each event.
    assert len(held) <= 1
    assert 1 <= len(asked) < len(expected)
    assert [m for m in trouble.messages if not is_the_browsers(m)] == []

    for route in held:
        route.abort()
    context.unroute(f"{stage.prefix}/**")
    page.evaluate("dispatchEvent(new Event('online'))")
    pseudonym = Caller(context.request, stage.product.url).pseudonym
    told = until(partial(arrived, stage.posthog, pseudonym, len(expected) - 1))
    assert [(each["properties"]["route"], each["properties"]["nav_type"]) for each in told] == expected[1:]
    page.close()
    until(lambda: left(stage.posthog, pseudonym) == len(expected) - 1)
    context.close()
    uuids = [each["uuid"] for each in stage.posthog.events]
    assert len(uuids) == len(set(uuids))
    assert {each["properties"]["view_index"] for each in told} == set(range(len(told)))


ROUTES = {
    "/": "home",
    "/account": "account",
    "/account/security": "account_security",
    "/account/privacy": "account_privacy",
}


def sign_in(page: Page, url: str, username: str) -> None:
    page.goto(url)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    settle(page, "Home")


def is_the_browsers(message: str) -> bool:
    """What the browser itself says of a request it could not make is not ours to keep quiet."""
    return "Failed to load resource" in message or "net::ERR_" in message


def arrived(posthog: PostHogProcess, distinct_id: str, count: int) -> list[dict[str, Any]] | None:
    """The views of a person in the order of the page's own count, when they are all there."""
    views = [each for each in posthog.events if each["event"] == "$pageview" and each["distinct_id"] == distinct_id]
    return sorted(views, key=lambda each: int(each["properties"]["view_index"])) if len(views) >= count else None


def left(posthog: PostHogProcess, distinct_id: str) -> int:
    return len(
        [each for each in posthog.events if each["event"] == "$pageleave" and each["distinct_id"] == distinct_id]
    )


def test_what_a_page_could_not_tell_before_it_went_comes_once_at_most(stage: Stage) -> None:
    """Of a page only its beacon outlives it: what that could not bring is lost, and nothing else."""
    stage.root.create_user("gone")
    context: BrowserContext = stage.browser.new_context()
    trouble = Trouble(context)
    page = context.new_page()
    sign_in(page, stage.product.url, "gone")
    pseudonym = Caller(context.request, stage.product.url).pseudonym
    until(partial(arrived, stage.posthog, pseudonym, 1))
    context.route(f"{stage.prefix}/**", partial(failing, []))
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
    settle(page, "Profile")
    page.reload()
    settle(page, "Profile")
    context.unroute(f"{stage.prefix}/**")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Home").click()
    settle(page, "Home")
    until(partial(arrived, stage.posthog, pseudonym, 3))
    page.close()
    context.close()
    told = [each for each in stage.posthog.events if each["distinct_id"] == pseudonym]
    ids = [(each["event"], each["properties"]["view_id"]) for each in told if each["event"].startswith("$")]
    assert len(ids) == len(set(ids))
    assert [m for m in trouble.messages if not is_the_browsers(m)] == []
