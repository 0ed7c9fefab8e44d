"""The core ping's console in real Chromium: shown, sent to a real collector, opened, accepted, and erased there."""

from __future__ import annotations

import hashlib
import json
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from flowforge_ui.telemetry.wire import PingPlan
from tests.support.browser import Trouble, chromium
from tests.support.product import PASSWORD, ROOT, Product, api, settle, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
FINDINGS = """async () => (await axe.run(document)).violations.flatMap(
    (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}`))"""
PLAN = PingPlan.load(ROOT / "flowforge_ui" / "plan" / "ping.yml")
PATHS = [each.path for each in PLAN.sent()]
ENVELOPE = [f"envelope.{each.path}" for each in PLAN.envelope]


@dataclass
class Stage:
    """A running product whose pings go to the collector it has mounted; `root` has just begun the set-up."""

    product: Product
    browser: Browser
    context: BrowserContext
    trouble: Trouble
    root: Page

    def console(self) -> Page:
        self.root.goto(f"{self.product.url}/admin/telemetry/ping")
        settle(self.root, "Core ping")
        return self.root


def configured(home: Path, url: str | None = None, **more: Any) -> Product:
    product = Product(home)
    product.configure()
    product.settings |= more
    product.settings["telemetry"]["url"] = url or f"{product.url}/collector/ping"
    (home / "flowforge.yml").write_text(yaml.safe_dump(product.settings), "utf-8")
    return product


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    product = configured(tmp_path_factory.mktemp("ping"), collector={"mount": True})
    with chromium() as browser, product.serve():
        context = browser.new_context(accept_downloads=True)
        trouble = Trouble(context)
        yield Stage(product, browser, context, trouble, context.new_page())
        assert trouble.messages == []


def texts(found: Locator) -> list[str]:
    return [text.strip() for text in found.all_text_contents()]


def test_the_set_up_shows_every_field_before_it_is_agreed_to(stage: Stage) -> None:
    page = stage.root
    page.goto(stage.product.url)
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    settle(page, "What may be recorded")
    page.get_by_text("Every field of the ping").click()
    expect(page.locator(".field-list > li")).to_have_count(len(PATHS) + len(ENVELOPE))
    assert texts(page.locator(".field-list > li > span:first-child > code:first-child")) == PATHS + ENVELOPE
    expect(page.get_by_text("This is version 1 of the list, and going on accepts it.")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Open FlowForge").click()
    settle(page, "Home")


def test_what_is_shown_is_sent_and_can_be_opened(stage: Stage, tmp_path: Path) -> None:
    stage.root.goto(f"{stage.product.url}/admin/telemetry")
    stage.root.get_by_role("link", name="What it says, and what was sent").click()
    page = stage.root
    settle(page, "Core ping")
    expect(page.get_by_text("None yet", exact=True)).to_be_visible()
    assert texts(page.locator(".ping-plan th > span[title] > code, .ping-plan th > code")) == PATHS + ENVELOPE
    shown = json.loads(page.get_by_role("region", name="The next ping", exact=True).inner_text())

    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_role("alert").filter(has_text="Taken: ping 1")).to_be_visible()
    page.get_by_role("button", name="Open ping 1").click()
    dialog = page.get_by_role("dialog")
    opened = json.loads(dialog.get_by_role("region", name="The ping").inner_text())
    assert _without_period(opened) == _without_period(shown)
    with page.expect_download() as download:
        dialog.get_by_role("link", name="File").click()
    body = Path(download.value.path()).read_bytes()
    assert json.loads(body) == opened
    expect(dialog.get_by_text(hashlib.sha256(body).hexdigest()).first).to_be_visible()
    receipt = json.loads(dialog.get_by_role("region", name="The answer").inner_text())["receipt"]
    expect(dialog.get_by_text(receipt, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def _without_period(ping: dict[str, Any]) -> dict[str, Any]:
    """Its last part is drawn for each ping; the date and the hour are the same unless the hour has just struck."""
    return ping | {"envelope": {key: value for key, value in ping["envelope"].items() if key != "period"}}


def test_new_fields_wait_until_they_have_been_seen(stage: Stage) -> None:
    database = stage.product.home / "var" / "flowforge.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE ping_state SET accepted_plan = 0")  # as if all of them had come with an upgrade
    page = stage.console()
    assert texts(page.get_by_role("list", name="The difference").locator("b")) == PATHS
    assert json.loads(page.get_by_role("region", name="The next ping", exact=True).inner_text()).keys() == {"envelope"}
    page.get_by_role("button", name="Seen and accepted").click()
    expect(page.locator(".toast").filter(has_text="Version 1 accepted")).to_be_visible()
    expect(page.get_by_role("list", name="The difference")).to_be_hidden()
    assert api(stage.context, stage.product.url, "admin/telemetry/ping")["plan"]["accepted"] == 1


def test_what_the_collector_holds_is_shown_and_erased_by_the_lines_on_the_page(stage: Stage) -> None:
    page = stage.console()
    page.get_by_role("button", name="Show the secret").click()
    show = shlex.split(page.get_by_role("region", name="See everything").inner_text())
    erase = shlex.split(page.get_by_role("region", name="Erase all of it").inner_text())
    assert (show[:2], erase[:4]) == (["curl", "-H"], ["curl", "-X", "DELETE", "-H"])
    name, _, value = show[2].partition(": ")
    (ping,) = requests.get(show[3], headers={name: value}, timeout=10).json()["pings"]
    sent = json.loads(api(stage.context, stage.product.url, "admin/telemetry/ping/history/1")["body"])
    sent.pop("envelope")
    assert _leaves(ping["payload"]) >= _leaves(sent)
    assert erase[4:] == [show[2], show[3]]
    assert requests.delete(erase[5], headers={name: value}, timeout=10).status_code == 204
    assert requests.get(show[3], headers={name: value}, timeout=10).status_code == 404
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_text(value.removeprefix("Bearer "))).to_have_count(0)


def _leaves(node: dict[str, Any], prefix: str = "") -> set[tuple[str, Any]]:
    found: set[tuple[str, Any]] = set()
    for key, value in node.items():
        found |= _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {(f"{prefix}{key}", value)}
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_it_is_accessible_and_never_scrolls_sideways(stage: Stage, width: int, scheme: str) -> None:
    context = stage.browser.new_context(
        storage_state=stage.context.storage_state(),
        viewport={"width": width, "height": 860},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    trouble = Trouble(context)
    context.add_init_script(AXE)
    page = context.new_page()
    page.goto(f"{stage.product.url}/admin/telemetry/ping")
    settle(page, "Core ping")
    page.get_by_text("Who decides").click()
    page.get_by_role("button", name="Show the secret").click()
    page.get_by_role("region", name="Erase all of it").wait_for()
    assert page.evaluate(FINDINGS) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="1", exact=True).click()
    page.get_by_role("region", name="The answer").wait_for()
    assert page.evaluate(FINDINGS) == []
    context.close()
    assert trouble.messages == []


def test_an_unreachable_collector_says_what_to_do_and_off_is_off(tmp_path: Path, stage: Stage) -> None:
    product = configured(tmp_path, "http://127.0.0.1:9/ping")  # nobody may listen at that port
    product.set_up()
    with product.serve():
        context = stage.browser.new_context()
        trouble = Trouble(context)
        page = context.new_page()
        sign_in(page, product.url)
        page.goto(f"{product.url}/admin/telemetry/ping")
        held: list[Route] = []
        page.route("**/ping/send", lambda route: held.append(route))  # noqa: PLW0108 -- a built-in method is not taken
        page.get_by_role("button", name="Send now").click()
        expect(page.get_by_text("Posting to 127.0.0.1:9: one try, at most ten seconds.")).to_be_visible()
        expect(page.get_by_role("button", name="Send now")).to_have_attribute("aria-busy", "true")
        held[0].continue_()
        failed = page.get_by_role("alert").filter(has_text="Ping 1 was not taken")
        expect(failed).to_be_visible(timeout=15_000)
        expect(failed).to_contain_text("No connection came about")
        expect(failed).to_contain_text("http://127.0.0.1:9/ping")
        expect(failed).to_contain_text("The next one goes out")
        expect(page.get_by_role("region", name="Pings that were sent").locator("tbody tr")).to_have_count(1)

        page.get_by_role("link", name="Switch it off in Settings").click()
        page.get_by_role("switch", name="Core telemetry").click()
        expect(page.locator(".toast").filter(has_text="Core telemetry: off")).to_be_visible()
        page.get_by_role("link", name="The exact text, and what was sent").click()
        expect(page.get_by_role("heading", name="The ping is off")).to_be_visible()
        expect(page.get_by_role("button", name="Send now")).to_have_count(0)
        context.close()
        assert trouble.messages == []
