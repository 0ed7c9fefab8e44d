"""The collector's page in real Chromium against the real collector: access, numbers, tables, files, uploads, first day.

No console error, no policy violation, no finding of axe, no sideways scroll.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from flowforge_ui.collector import demo
from flowforge_ui.collector.demo_fleet import Fleet
from flowforge_ui.collector.store import PingStore
from tests.support.browser import Trouble, chromium
from tests.support.collector import PLAN
from tests.support.ports import free_port
from tests.support.process import Running, flowforge

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
FINDINGS = """async () => (await axe.run(document)).violations.flatMap(
    (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}`))"""
TOKEN = "a-token-for-this-test"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A public collector that knows a fleet of two hundred."""
    home = tmp_path_factory.mktemp("fleet")
    (home / "var").mkdir()
    store = PingStore(f"sqlite:///{home}/var/collector.db", PLAN)
    store.prepare()
    demo.fill(store, Fleet(datetime.now(UTC), seed=2, size=200))
    store.close()
    with collector(home, public=True) as running:
        yield running.url


@contextmanager
def collector(home: Path, *, public: bool = False) -> Iterator[Running]:
    port = free_port()
    settings = {"home": str(home / "var"), "collector": {"port": port, "access_token": TOKEN, "public": public}}
    (home / "flowforge.yml").write_text(json.dumps(settings), "utf-8")
    with flowforge("collector", "run", cwd=home, url=f"http://127.0.0.1:{port}") as running:
        yield running


@contextmanager
def page(browser: Browser, *, token: str | None = TOKEN, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    """A page that has to stay without trouble."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)  # type: ignore[arg-type]
    if token:
        context.set_extra_http_headers({"Authorization": f"Bearer {token}"})
    trouble = Trouble(context)
    yield context.new_page()
    messages = list(trouble.messages)
    context.close()
    assert messages == []


def settled(page: Page, url: str) -> Page:
    page.goto(url)
    page.get_by_role("heading", level=1, name="Fleet").wait_for()
    return page


def numbers(url: str) -> dict[str, object]:
    found: dict[str, object] = requests.get(
        f"{url}/fleet.json", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20
    ).json()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_found_wrong_with_the_page(browser: Browser, filled: str, width: int, scheme: str) -> None:
    with page(browser, width=width, scheme=scheme) as fleet:
        settled(fleet, filled)
        fleet.locator(".timeseries canvas").wait_for()
        fleet.evaluate(AXE)
        assert fleet.evaluate(FINDINGS) == []
        assert fleet.evaluate("document.documentElement.scrollWidth") == width


def test_the_tiles_say_what_the_collector_says(browser: Browser, filled: str) -> None:
    tiles = numbers(filled)["tiles"]
    assert isinstance(tiles, list)
    with page(browser) as fleet:
        settled(fleet, filled)
        fleet.locator(".tile-value").first.wait_for()
        shown = zip(
            fleet.locator(".tile-label").all_inner_texts(), fleet.locator(".tile-value").all_inner_texts(), strict=True
        )
        assert list(shown) == [(each["label"], f"{each['value']:,}") for each in tiles]
        fleet.get_by_text("How it is counted").first.click()
        expect(fleet.get_by_text(tiles[0]["definition"])).to_be_visible()


def test_the_token_is_asked_for_and_kept(browser: Browser, tmp_path: Path) -> None:
    with collector(tmp_path) as running, page(browser, token=None) as fleet:
        settled(fleet, running.url)
        fleet.evaluate(AXE)
        assert fleet.evaluate(FINDINGS) == []
        fleet.get_by_label("Access token").fill(TOKEN)
        fleet.get_by_role("button", name="Show the fleet").click()
        expect(fleet.get_by_text("No ping yet")).to_be_visible()
        fleet.reload()
        expect(fleet.get_by_text("No ping yet")).to_be_visible()


def test_a_wrong_token_is_said_so(browser: Browser, tmp_path: Path) -> None:
    with collector(tmp_path) as running:
        context = browser.new_context()  # the browser itself notes the 403 on its console
        fleet = settled(context.new_page(), running.url)
        fleet.get_by_label("Access token").fill("no")
        fleet.get_by_role("button", name="Show the fleet").click()
        expect(fleet.get_by_role("alert")).to_have_text("That is not the access token.")
        context.close()


def test_numbers_that_cannot_be_read_can_be_asked_for_again(browser: Browser, filled: str) -> None:
    context = browser.new_context()  # the browser itself notes the 503 on its console
    context.set_extra_http_headers({"Authorization": f"Bearer {TOKEN}"})
    fleet = context.new_page()
    away = {"code": "unavailable", "error": "The database cannot be reached."}
    fleet.route("**/fleet.json", lambda route: route.fulfill(status=503, json=away), times=1)
    settled(fleet, filled)
    expect(fleet.get_by_role("alert")).to_contain_text("The database cannot be reached.")
    fleet.evaluate(AXE)
    assert fleet.evaluate(FINDINGS) == []
    fleet.get_by_role("button", name="Try again").click()
    expect(fleet.get_by_text("How it is counted").first).to_be_visible()
    context.close()


def test_the_empty_page_says_how_to_begin_and_a_bundle_fills_it(browser: Browser, tmp_path: Path) -> None:
    lines = [
        json.dumps({"instanceId": str(uuid.uuid4()), "os": {"type": "Linux"}, "env": {"flowforge": "0.9.0"}}),
        "{",
    ]
    (tmp_path / "pings.ndjson").write_text("\n".join(lines), "utf-8")
    with collector(tmp_path) as running, page(browser) as fleet:
        settled(fleet, running.url)
        expect(fleet.locator("pre")).to_have_text(f"telemetry:\n  url: {running.url}/ping")
        fleet.get_by_label("Bundle file").set_input_files(tmp_path / "pings.ndjson")
        expect(fleet.get_by_role("alert")).to_contain_text("2 pings: 1 taken, 1 refused")
        expect(fleet.locator(".tile").first).to_contain_text("Active today so far")
        expect(fleet.locator(".tile-value").first).to_have_text("1")


def test_a_chart_has_a_table_and_a_file_of_the_same(browser: Browser, filled: str) -> None:
    with page(browser) as fleet:
        settled(fleet, filled)
        chart = fleet.locator(".figure", has=fleet.get_by_role("heading", name="Operating system"))
        chart.get_by_role("button", name="Table").click()
        rows = chart.locator("tbody tr").all()
        shown = [[cell.inner_text().strip() for cell in row.locator("th, td").all()][:2] for row in rows]
        with fleet.expect_download() as started:
            chart.get_by_role("button", name="CSV").click()
        text = Path(started.value.path()).read_text("utf-8-sig")
        (heading, *lines) = csv.reader(io.StringIO(text))
        assert heading == ["Operating system", "Installations", "Share"]
        assert [[name, f"{int(n):,}"] for name, n, _ in lines] == shown


def test_the_versions_can_be_walked_with_the_keyboard(browser: Browser, filled: str) -> None:
    with page(browser) as fleet:
        settled(fleet, filled)
        slider = fleet.get_by_role("slider", name="Versions in use by day. Arrow keys walk the days.")
        slider.focus()
        last = slider.get_attribute("aria-valuetext")
        fleet.keyboard.press("ArrowLeft")
        assert slider.get_attribute("aria-valuetext") != last
        fleet.keyboard.press("End")
        assert slider.get_attribute("aria-valuetext") == last


def test_the_public_page_shows_no_small_number(browser: Browser, filled: str) -> None:
    with page(browser, token=None) as fleet:
        settled(fleet, filled)
        fleet.evaluate(AXE)
        assert fleet.evaluate(FINDINGS) == []
        expect(fleet.get_by_text("Numbers under 10 are not shown")).to_be_visible()
        expect(fleet.get_by_role("heading", name="What was received")).to_have_count(0)
        expect(fleet.get_by_role("heading", name="Pings carried by hand")).to_have_count(0)
        bars = [each.inner_text() for each in fleet.locator(".fleet-grid .barlist td.num").all()]
        assert bars
        assert [each for each in bars if int(each.replace(",", "")) < 10] == []


def test_mounted_below_a_path_it_finds_its_files(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "port": port,
        "home": str(tmp_path / "var"),
        "telemetry": {"enabled": False},
        "collector": {"mount": True, "access_token": TOKEN},
    }
    (tmp_path / "flowforge.yml").write_text(json.dumps(settings), "utf-8")
    url = f"http://127.0.0.1:{port}"
    with flowforge("run", cwd=tmp_path, url=url, health="/readyz"), page(browser) as fleet:
        settled(fleet, f"{url}/collector")
        expect(fleet.locator("pre")).to_have_text(f"telemetry:\n  url: {url}/collector/ping")
