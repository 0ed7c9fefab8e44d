"""The pages as people use them, in real Chromium against the real server.

Each page without a console error, a policy violation, a finding of axe or a sideways scroll.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import Trouble, chromium
from tests.support.journey import Caller
from tests.support.product import ROOT, Product, api, settle, sign_in, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
FINDINGS = """async () => (await axe.run(document)).violations.flatMap(
    (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}`))"""
# A number JSON.parse would round and a 1.0 it would shorten: the file has to come back byte for byte.
FLOWS = b"""[ {"id": "t", "type": "tab", "label": "Line", "n": 9007199254740993},
  {"id": "i", "type": "inject", "z": "t", "x": 1.0, "y": 2},
  {"id": "d", "type": "debug", "z": "t", "x": 3, "y": 2}, {"id": "b", "type": "mqtt-broker"} ]
"""


@dataclass
class Stage:
    """A running product; `root` is the administrator, signed in; `plant` and `press` are paths of team and project."""

    product: Product
    browser: Browser
    context: BrowserContext
    trouble: Trouble
    root: Page
    plant: str
    press: str

    def go(self, path: str, heading: str) -> Page:
        self.root.goto(self.product.url + path)
        settle(self.root, heading)
        return self.root


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    product = Product(tmp_path_factory.mktemp("pages"))
    product.configure(frontend={"local": {"enabled": True}, "posthog": {"capture_pageview": False}})
    product.set_up()
    with chromium() as browser, product.serve():
        context = browser.new_context(accept_downloads=True)
        trouble = Trouble(context)
        root = context.new_page()
        sign_in(root, product.url)
        plant = made(root, "/team/create", "Create team", "Plant")
        press = made(root, f"{plant}/projects/create", "Create project", "Press")
        yield Stage(product, browser, context, trouble, root, plant, press)
        assert trouble.messages == []


def made(page: Page, path: str, action: str, name: str) -> str:
    """Fills in a form of one name; gives the path of what it made."""
    page.goto(f"{page.url.split('/', 3)[0]}//{urlsplit(page.url).netloc}{path}")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=action).click()
    settle(page, name)
    return urlsplit(page.url).path


def told(page: Page, message: str) -> None:
    expect(page.locator(".toast").filter(has_text=message).first).to_be_visible()


def colleague(stage: Stage, username: str) -> Page:
    """An account made by the administrator, signed in in a browser context of its own."""
    page = stage.go("/admin/users", "Administration")
    page.get_by_role("button", name="New user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill(username)
    dialog.get_by_label("First password").fill("correct horse battery")
    dialog.get_by_role("button", name="Create user").click()
    told(page, f"User {username} created")
    theirs = stage.browser.new_context().new_page()
    sign_in(theirs, stage.product.url, username)
    settle(theirs, "Home")
    return theirs


def test_flows_come_in_are_counted_and_go_out_as_they_came(stage: Stage, tmp_path: Path) -> None:
    page = stage.go(f"{stage.press}/flows", "Press")
    page.get_by_role("button", name="Import flows").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Or paste its content").fill('[{"id": ]')
    dialog.get_by_role("button", name="Import flows").click()
    expect(dialog.get_by_text("This is not JSON (line 1, column 9).")).to_be_visible()

    file = tmp_path / "flows.json"
    file.write_bytes(FLOWS)
    dialog.get_by_label("Flows file").set_input_files(file)
    expect(dialog.get_by_text("2 nodes on 1 tab, 1 configuration node.")).to_be_visible()
    dialog.get_by_role("button", name="Import flows").click()
    told(page, "3 nodes imported")
    expect(dialog).to_be_hidden()
    expect(page.locator(".tile-value")).to_have_text(["1", "2", "0", "1"])
    rows = [text.split() for text in page.locator(".barlist tbody tr").all_inner_texts()]
    assert rows == [["debug", "1"], ["inject", "1"], ["mqtt-broker", "1"]]

    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert Path(download.value.path()).read_bytes() == FLOWS


def test_an_invitation_is_sent_accepted_and_taken_back_with_the_membership(stage: Stage) -> None:
    bob = colleague(stage, "bob")
    page = stage.go(f"{stage.plant}/members", "Plant")
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill("bob")
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_role("button", name="Invite").click()
    told(page, "bob invited")

    bob.reload()
    bob.get_by_role("button", name="Accept the invitation to Plant").click()
    told(bob, "You are now in Plant")
    bob.get_by_role("link", name="Plant").first.click()
    settle(bob, "Plant")
    assert bob.locator(".tabs a").all_inner_texts() == ["Overview", "Projects", "Members"]
    assert bob.get_by_role("link", name="New project").count() == 0

    page.reload()
    page.get_by_label("Role of bob").select_option("member")
    told(page, "Role of bob changed")
    page.get_by_role("button", name="Remove bob").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    told(page, "bob removed")
    expect(page.get_by_text("1 member", exact=True)).to_be_visible()
    bob.reload()
    settle(bob, "Not found")
    bob.context.close()


def test_renaming_shows_at_once_and_deleting_wants_the_name(stage: Stage) -> None:
    path = made(stage.root, f"{stage.plant}/projects/create", "Create project", "Scrap")
    page = stage.go(f"{path}/settings", "Scrap")
    page.get_by_role("textbox", name="Project name").fill("Scrap heap")
    page.get_by_role("button", name="Save name").click()
    told(page, "Name saved")
    settle(page, "Scrap heap")
    assert page.title() == "Scrap heap · Settings · FlowForge"

    page.get_by_role("button", name="Delete project…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type the name to confirm").fill("Scrap")
    dialog.get_by_role("button", name="Delete project").click()
    expect(dialog.get_by_text("Type “Scrap heap” exactly as it is written here.")).to_be_visible()
    dialog.get_by_label("Type the name to confirm").fill("Scrap heap")
    dialog.get_by_role("button", name="Delete project").click()
    told(page, "Project Scrap heap deleted")
    settle(page, "Plant")
    assert [one["name"] for one in api(stage.context, stage.product.url, "projects")["projects"]] == ["Press"]
    assert [row["event"] for row in _audit(stage)[:3]] == ["project removed", "project renamed", "project created"]


def _audit(stage: Stage) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = api(stage.context, stage.product.url, f"teams/{stage.plant[6:]}/audit")["entries"]
    return entries


def test_a_suspended_account_is_out_at_once_and_comes_back(stage: Stage) -> None:
    charlie = colleague(stage, "charlie")
    page = stage.root
    page.get_by_role("button", name="Suspend charlie").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    told(page, "charlie is suspended")
    charlie.reload()
    settle(charlie, "Sign in")
    page.get_by_role("button", name="Reinstate charlie").click()
    told(page, "charlie may sign in again")
    sign_in(charlie, stage.product.url, "charlie")
    settle(charlie, "Home")
    charlie.context.close()


def test_settings_say_who_decided_and_lock_what_the_file_decides(stage: Stage) -> None:
    page = stage.go("/admin/settings", "Administration")
    expect(page.get_by_role("switch", name="Usage analytics on this server")).to_be_disabled()
    expect(page.get_by_text("Locked by flowforge.yml")).to_be_visible()
    signup = page.get_by_role("switch", name="Self-registration")
    expect(signup).not_to_be_checked()
    signup.click()
    told(page, "Self-registration: on")
    chosen = {one["key"]: one["value"] for one in api(stage.context, stage.product.url, "settings")["settings"]}
    assert chosen["user:signup"] is True
    signup.click()
    told(page, "Self-registration: off")


def test_a_dashboard_is_read_by_keyboard_as_a_table_and_as_a_file(stage: Stage) -> None:
    page = stage.root
    stage.go("/", "Home")
    until(lambda: not api(stage.context, stage.product.url, "insights/overview")["empty"])
    stage.go("/insights", "Insights")
    chart = page.get_by_role("slider")
    chart.focus()
    page.keyboard.press("End")
    assert "Users" in (chart.get_attribute("aria-valuetext") or "")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("button", name="Table").click()
    shown = page.get_by_role("region", name="Day by day").locator("tbody tr")
    expect(shown).to_have_count(28)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert lines[0] == "Day,Views,Previous period"
    assert len(lines) == 1 + shown.count()
    assert download.value.suggested_filename.startswith("views_")

    page.get_by_role("heading", level=1).click()
    for key, days in (("w", 7), ("ArrowLeft", 7), ("d", 1)):
        page.keyboard.press(key)
        until(partial(_shows, page, days))
        assert "metric=views" in page.url
    page.keyboard.press("m")
    expect(page).to_have_url(f"{stage.product.url}/insights?metric=views")


def test_the_arrow_keys_scroll_a_table_that_is_too_wide_and_elsewhere_change_the_days(stage: Stage) -> None:
    stage.go("/", "Home")
    until(lambda: not api(stage.context, stage.product.url, "insights/overview")["empty"])
    page = stage.context.new_page()
    page.set_viewport_size({"width": 390, "height": 860})
    page.goto(f"{stage.product.url}/insights/routes")
    table = page.get_by_role("region", name="Routes", exact=True)
    table.focus()
    page.keyboard.press("ArrowRight")
    until(lambda: table.evaluate("box => box.scrollLeft") > 0)
    assert page.url == f"{stage.product.url}/insights/routes"
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("ArrowLeft")
    until(partial(_shows, page, 28))
    page.close()


def test_days_that_cannot_be_shown_are_named_and_the_address_says_which_are(stage: Stage) -> None:
    stage.go("/", "Home")
    until(lambda: not api(stage.context, stage.product.url, "insights/overview")["empty"])
    page = stage.go("/insights?metric=views&from=2026-11-09&to=2026-11-01", "Insights")
    expect(page.get_by_text("The first day lies after the last. These are the last 28 days.")).to_be_visible()
    expect(page).to_have_url(f"{stage.product.url}/insights?metric=views")
    page.get_by_role("button", name="Users", exact=True).click()
    expect(page).to_have_url(f"{stage.product.url}/insights")
    page.goto(f"{stage.product.url}/insights/routes?from=2026-11-01&to=soon")
    expect(page.get_by_text("A day is written like 2026-11-23.")).to_be_visible()
    expect(page).to_have_url(f"{stage.product.url}/insights/routes")
    page.keyboard.press("d")
    until(partial(_shows, page, 1))
    expect(page.get_by_text("cannot be shown")).to_have_count(0)


def _shows(page: Page, days: int) -> bool:
    """Whether the address names so many days."""
    query = parse_qs(urlsplit(str(page.evaluate("location.href"))).query)
    if not {"from", "to"} <= query.keys():
        return False
    return (date.fromisoformat(query["to"][0]) - date.fromisoformat(query["from"][0])).days + 1 == days


def test_the_live_page_shows_a_view_soon_after_the_click(stage: Stage) -> None:
    watcher = stage.context.new_page()
    watcher.goto(f"{stage.product.url}/insights/live")
    settle(watcher, "Insights")
    stage.go("/", "Home").get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
    expect(watcher.locator(".stream-row").filter(has_text="Viewed Profile").first).to_be_visible(timeout=10_000)
    watcher.close()


def test_a_long_name_leaves_the_other_cells_of_its_row_on_the_screen(stage: Stage) -> None:
    """What the pages are looked at with from here on, too."""
    root = Caller(stage.context.request, stage.product.url)
    name = "W" * 100
    root.create_user("wide")
    (wide,) = [one for one in root.get("users")["users"] if one["username"] == "wide"]
    root.post(f"/api/v1/users/{wide['id']}", {"name": name}, "PATCH")
    root.post("/api/v1/projects", {"name": name, "team": stage.plant[6:]})
    page = stage.context.new_page()
    page.set_viewport_size({"width": 390, "height": 860})
    for path in ("/admin/users", f"{stage.plant}/projects", "/"):
        page.goto(stage.product.url + path)
        row = page.get_by_role("row").filter(has_text=name)
        row.wait_for()
        assert page.locator(".table-wrap").evaluate("box => box.scrollWidth - box.clientWidth") == 0, path
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_page_is_accessible_and_never_scrolls_sideways(stage: Stage, width: int, scheme: str) -> None:
    state = json.loads(json.dumps(stage.context.storage_state()))
    context = stage.browser.new_context(
        storage_state=state,
        viewport={"width": width, "height": 860},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    trouble = Trouble(context)
    context.add_init_script(AXE)
    page = context.new_page()
    wrong = {}
    for path in _paths(stage):
        page.goto(stage.product.url + path)
        page.get_by_role("heading", level=1).wait_for()
        page.locator("main:not([aria-busy])").wait_for()
        found = page.evaluate(FINDINGS)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if found or wide > 0:
            wrong[path] = [*found, *([f"{wide} px too wide"] if wide > 0 else [])]
    context.close()
    assert wrong == {}
    assert trouble.messages == []


def _paths(stage: Stage) -> list[str]:
    team = ["", "/projects", "/projects/create", "/members", "/settings"]
    return [
        *("/", "/team/create", "/admin", "/admin/users", "/admin/settings"),
        *("/admin/telemetry", "/admin/telemetry/ping"),
        *("/insights", "/insights/routes", "/insights/live", "/account", "/account/security", "/account/privacy"),
        *(stage.plant + tab for tab in team),
        *(stage.press + tab for tab in ("", "/flows", "/settings")),
    ]
