"""The main job on real input: from a click in a browser to a number on a dashboard, exactly once, traced.

The server is a process, PostHog is played by a second one, the browser is Chromium with the real posthog-js.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Trouble, chromium
from tests.support.process import Running
from tests.support.product import PostHogProcess, Product, api, both_ends, settle, sign_in, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SECRET = "s3cr3t-t0ken"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@dataclass
class Stage:
    """A product set up, its server not yet running, and the second process."""

    product: Product
    posthog: PostHogProcess


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with both_ends(tmp_path) as (product, posthog):
        yield Stage(product, posthog)


def journey(page: Page, url: str) -> list[str]:
    """Sign in, ten route changes, back, reload; gives the routes viewed, in order."""
    sign_in(page, f"{url}/?token={SECRET}#{SECRET}")
    settle(page, "Home")
    page.get_by_role("link", name="Create a team").click()
    settle(page, "New team")
    page.get_by_label("Name").fill("Plant")
    page.get_by_role("button", name="Create").click()
    settle(page, "Plant")
    for tab in ("Projects", "Members", "Settings"):
        page.locator("main").get_by_role("link", name=tab, exact=True).first.click()
        page.wait_for_url(f"**/{tab.lower()}")
        page.wait_for_timeout(200)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
    page.wait_for_url("**/account")
    page.get_by_role("link", name="Privacy").click()
    page.wait_for_url("**/privacy")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Admin").click()
    settle(page, "Administration")
    page.get_by_role("link", name="Users", exact=True).click()
    page.wait_for_url("**/admin/users")
    page.wait_for_timeout(200)
    page.go_back()
    page.wait_for_url("**/admin")
    page.wait_for_timeout(300)
    page.reload()
    settle(page, "Administration")
    page.wait_for_timeout(1500)
    return [
        "login",
        "home",
        "team_create",
        "team",
        "team_projects",
        "team_members",
        "team_settings",
        "account",
        "account_privacy",
        "admin",
        "admin_users",
        "admin",
        "admin",
    ]


def views(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [each for each in events if each["event"] == name]


def test_from_a_click_to_a_number(browser: Browser, stage: Stage) -> None:
    with stage.product.serve() as running:
        context = browser.new_context()
        trouble = Trouble(context)
        page = context.new_page()
        expected = journey(page, stage.product.url)
        page.close()
        sent = until(lambda: _all_there(stage.posthog.events, len(expected)))
        overview = until(lambda: _settled(api(context, stage.product.url, "insights/overview"), len(expected)))
        status = api(context, stage.product.url, "admin/telemetry/status")
        context.close()
        assert trouble.messages == []
        assert running.stop() == 0
    stored = stage.product.stored()

    _check_order_and_enrichment(sent, expected)
    assert sorted(each["uuid"] for each in sent) == sorted(str(each["uuid"]) for each in stored)
    _check_server_events(sent)
    tiles = {tile["key"]: tile["value"] for tile in overview["tiles"]}
    assert (tiles["views"], tiles["active_users"], tiles["active_teams"], tiles["sessions"]) == (len(expected), 1, 1, 1)
    accepted = status["counts"]["accepted"]
    assert accepted == len(sent)
    assert {
        one["channel"]: (one["delivered"], one["pending"])
        for one in status["channels"]
        if one["channel"] in {"posthog", "local"}
    } == {
        "posthog": (accepted, 0),
        "local": (accepted, 0),
    }
    _check_nothing_leaks(stage, running)


def _all_there(events: list[dict[str, Any]], pages: int) -> list[dict[str, Any]] | None:
    return events if len(views(events, "$pageview")) >= pages and len(views(events, "$pageleave")) >= pages else None


def _settled(overview: dict[str, Any], pages: int) -> dict[str, Any] | None:
    return overview if next(tile for tile in overview["tiles"] if tile["key"] == "views")["value"] >= pages else None


def _check_order_and_enrichment(sent: list[dict[str, Any]], expected: list[str]) -> None:
    entered, left = views(sent, "$pageview"), views(sent, "$pageleave")
    entered.sort(key=lambda each: (each["timestamp"], each["properties"]["view_index"]))
    assert [each["properties"]["route"] for each in entered] == expected
    assert (
        [each["properties"].get("from_route") for each in entered]
        == [
            None,  # what somebody saw before signing in is not tied to the person
            None,
            *expected[1:-2],
            None,
        ]
    )
    assert [each["properties"]["nav_type"] for each in entered] == [
        *("load", "login", "push", "replace"),  # a form that was sent makes place for what it made
        *["push"] * 7,
        *("pop", "reload"),
    ]
    assert [each["properties"]["view_id"] for each in entered] == [
        each["properties"]["view_id"] for each in sorted(left, key=lambda one: one["timestamp"])
    ]
    assert len({each["uuid"] for each in sent}) == len(sent)
    assert len({each["properties"]["view_id"] for each in entered}) == len(expected)
    for each in entered + left:
        properties = each["properties"]
        assert properties["source"] == "router"
        assert properties["app_version"]
        assert properties["$current_url"].endswith(properties["route_pattern"]) or properties["route"] == "login"
    for each in left:
        assert 0 <= each["properties"]["engaged_ms"] <= each["properties"]["total_ms"] + 1
    anonymous = [each["distinct_id"] for each in entered if each["properties"]["route"] == "login"]
    signed_in = {each["distinct_id"] for each in entered if each["properties"]["route"] != "login"}
    assert len(signed_in) == 1
    assert next(iter(signed_in)).startswith("u_")
    assert set(anonymous).isdisjoint(signed_in)
    teams = {each["properties"].get("team") for each in entered if each["properties"]["route"].startswith("team_m")}
    assert len(teams) == 1
    assert str(next(iter(teams))).startswith("t_")


def _check_server_events(sent: list[dict[str, Any]]) -> None:
    ours = [each["event"] for each in sent if not each["event"].startswith("$")]
    # Nothing is recorded before set-up is finished; then the administrator's own account is, too.
    assert sorted(ours) == ["logged in", "set-up finished", "team created", "user registered"]


def _check_nothing_leaks(stage: Stage, running: Running) -> None:
    """The planted token is in no byte stored, sent or logged; nor is the team's name in what left."""
    assert SECRET.encode() not in stage.posthog.log.read_bytes()
    assert b"Plant" not in stage.posthog.log.read_bytes()
    held = [path for path in stage.product.home.rglob("*") if path.is_file()]
    assert [path.name for path in held if SECRET.encode() in path.read_bytes()] == []
    assert running.log.exists()


def test_what_was_acknowledged_outlives_a_kill(browser: Browser, stage: Stage) -> None:
    stage.posthog.stop()
    with stage.product.serve() as running:
        context = browser.new_context()
        page = context.new_page()
        answered: list[int] = []
        page.on(
            "response",
            lambda answer: (
                answered.append(answer.status)
                if answer.request.method == "POST" and "/account/" not in answer.url
                else None
            ),
        )
        sign_in(page, stage.product.url)
        settle(page, "Home")
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
        page.wait_for_url("**/account")
        until(lambda: len([status for status in answered if status == 200]) >= 2)
        page.wait_for_timeout(1500)
        running.kill()
        context.close()

    stage.posthog.start()
    with stage.product.serve() as running:
        sent = until(
            lambda: (
                [each for each in stage.posthog.events if each["event"] == "$pageview"][:3]
                if len(views(stage.posthog.events, "$pageview")) >= 3
                else None
            )
        )
        assert [each["properties"]["route"] for each in sent] == ["login", "home", "account"]
        assert running.stop() == 0
    stored = {str(each["uuid"]): each for each in stage.product.stored()}
    delivered = {each["uuid"]: each for each in stage.posthog.events}
    assert len(delivered) == len(stage.posthog.events)
    assert sorted(stored) == sorted(delivered)


def test_with_nothing_switched_on_nothing_runs(browser: Browser, tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.configure()
    product.set_up()
    with product.serve():
        context = browser.new_context()
        requests: list[str] = []
        context.on(
            "request", lambda request: requests.append(f"{request.method} {request.url.removeprefix(product.url)}")
        )
        page = context.new_page()
        sign_in(page, product.url)
        page.wait_for_timeout(1500)
        policy = context.request.get(product.url).headers["content-security-policy"]
        kept = page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]")
        cookies = {cookie["name"] for cookie in context.cookies()}
        context.close()
    assert [each for each in requests if not each.startswith("GET /assets/")] == [
        "GET /",
        "GET /favicon.svg",
        "POST /account/login",
        *requests_of_home(requests),
    ]
    assert kept == [[], []]
    assert cookies <= {"ff_session", "ff_visitor", "ff_device"}
    assert "connect-src 'self';" in policy


def requests_of_home(requests: list[str]) -> list[str]:
    return [each for each in requests if each.startswith("GET /api/v1/")]
