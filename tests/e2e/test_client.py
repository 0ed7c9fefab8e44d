"""The client around the views, in real Chromium.

Set-up, focus and titles, scroll positions, slow, failed and called-off visits, sessions that end, what is fetched when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, StorageState, expect

from tests.support.browser import Trouble, chromium
from tests.support.product import PASSWORD, Product, settle, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass
class Client:
    """A signed-in page of a running product, and what the page has asked for."""

    page: Page
    url: str
    requests: list[str]

    def hold(self, path: str) -> list[Route]:
        """Keeps requests for an API path waiting; the list holds them."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        self.page.route(f"{self.url}/api/v1/{path}", hold)
        return held

    @property
    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.textContent || document.activeElement.name"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("client"))
    product.configure(frontend={"local": {"enabled": True}})
    product.set_up()
    with product.serve():
        yield product


@pytest.fixture(scope="module")
def signed_in(browser: Browser, product: Product) -> StorageState:
    page = browser.new_page()
    sign_in(page, product.url)
    state = page.context.storage_state()
    page.context.close()
    return state


@pytest.fixture
def client(browser: Browser, product: Product, signed_in: StorageState) -> Iterator[Client]:
    context = browser.new_context(viewport={"width": 1280, "height": 400}, storage_state=signed_in)
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url.removeprefix(product.url)))
    page.goto(product.url)
    settle(page, "Home")
    yield Client(page, product.url, requests)
    context.close()


def link(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


def test_set_up_in_the_browser_and_somebody_who_comes_second(browser: Browser, tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.configure(frontend={"local": {"enabled": True}})
    with product.serve():
        first, second = browser.new_context(), browser.new_context()
        trouble = Trouble(second)
        page, late = first.new_page(), second.new_page()
        page.goto(f"{product.url}/team/create")
        settle(page, "Set up FlowForge")
        assert page.url == f"{product.url}/setup"
        late.goto(f"{product.url}/setup")
        settle(late, "Set up FlowForge")
        assert trouble.messages == []

        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_label("Password")).to_be_focused()
        expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        settle(page, "What may be recorded")
        page.reload()
        settle(page, "What may be recorded")
        page.get_by_role("switch", name="Send a daily core ping").click()
        page.get_by_role("button", name="Continue").click()
        settle(page, "Ready")
        assert page.locator(".facts dd").all_inner_texts() == ["alice", "Off", "On"]
        page.get_by_role("button", name="Open FlowForge").click()
        settle(page, "Home")
        assert page.url == f"{product.url}/"

        late.get_by_label("User name").fill("bob")
        late.get_by_label("Password").fill(PASSWORD)
        late.get_by_role("button", name="Continue").click()
        settle(late, "Somebody was quicker")
        late.get_by_role("button", name="Go on").click()
        settle(late, "Sign in")
        first.close()
        second.close()


def test_a_visitor_signs_in_at_the_address_they_wanted(browser: Browser, product: Product) -> None:
    page = browser.new_page()
    page.goto(f"{product.url}/account/security")
    settle(page, "Sign in")
    assert page.url == f"{product.url}/account/security"
    assert page.title() == "Sign in · FlowForge"
    expect(page.get_by_label("User name")).to_be_focused()
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("User name or password is wrong.")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    settle(page, "Security")
    assert page.url == f"{product.url}/account/security"
    page.context.close()


def test_a_navigation_moves_the_focus_and_tells_the_title(client: Client) -> None:
    page = client.page
    link(page, "Account")
    settle(page, "Profile")
    assert page.title() == "Profile · FlowForge"
    assert client.focused == "Profile"
    expect(page.locator("p[role=status]")).to_have_text("Profile")
    page.get_by_role("link", name="Skip to content").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url == f"{client.url}/account"


def test_back_and_reload_scroll_to_where_one_was(client: Client) -> None:
    page = client.page
    link(page, "Account")
    settle(page, "Profile")
    page.evaluate("scrollTo(0, 150)")
    link(page, "Home")
    settle(page, "Home")
    assert page.evaluate("scrollY") == 0
    page.go_back()
    settle(page, "Profile")
    assert page.evaluate("scrollY") == 150
    page.reload()
    settle(page, "Profile")
    page.wait_for_function("scrollY === 150")


def test_a_slow_visit_shows_a_skeleton_and_called_off_brings_the_view_back(client: Client) -> None:
    page = client.page
    link(page, "Account")
    settle(page, "Profile")
    page.evaluate("scrollTo(0, 150)")
    held = client.hold("user/sessions")
    page.evaluate("document.querySelector('a[href=\"/account/security\"]').click()")
    expect(page.locator(".bone").first).to_be_visible()
    expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    assert page.url == f"{client.url}/account"
    page.evaluate("document.querySelector('.sidenav a[href=\"/account\"]').click()")
    settle(page, "Profile")
    assert held[0].request.failure
    expect(page.locator("html")).not_to_have_attribute("data-waiting", "")
    assert (page.url, page.title()) == (f"{client.url}/account", "Profile · FlowForge")


def test_the_position_before_a_slow_visit_is_kept(client: Client) -> None:
    page = client.page
    link(page, "Account")
    settle(page, "Profile")
    page.evaluate("scrollTo(0, 150)")
    held = client.hold("user/sessions")
    page.evaluate("document.querySelector('a[href=\"/account/security\"]').click()")
    expect(page.locator(".bone").first).to_be_visible()
    held[0].continue_()
    settle(page, "Security")
    page.go_back()
    settle(page, "Profile")
    assert page.evaluate("scrollY") == 150


def test_a_view_that_cannot_be_loaded_says_so_and_is_tried_again(client: Client) -> None:
    page = client.page
    page.route(f"{client.url}/api/v1/user", lambda route: route.abort())
    link(page, "Account")
    settle(page, "No connection")
    assert page.url == f"{client.url}/account"
    page.unroute(f"{client.url}/api/v1/user")
    page.get_by_role("button", name="Try again").click()
    settle(page, "Profile")
    page.go_back()
    settle(page, "Home")


def test_a_session_that_ended_elsewhere_asks_for_the_password_at_the_address_wanted(client: Client) -> None:
    page = client.page
    page.context.clear_cookies()
    link(page, "Account")
    settle(page, "Sign in")
    assert page.url == f"{client.url}/account"
    assert page.locator(".sidenav").count() == 0
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    settle(page, "Profile")


def test_a_session_that_ends_while_a_form_is_sent_is_said(client: Client) -> None:
    page = client.page
    ended = page.get_by_text("Your session has ended")
    page.goto(f"{client.url}/team/create")
    page.get_by_label("Name").fill("Lost")
    page.context.clear_cookies()
    page.get_by_role("button", name="Create team").click()
    settle(page, "Sign in")
    expect(ended).to_be_visible()
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    settle(page, "New team")
    page.get_by_role("button", name="Account of").click()
    page.get_by_role("button", name="Sign out").click()
    settle(page, "Sign in")
    expect(ended).to_have_count(0)


def test_signing_out_and_in_in_another_tab_costs_one_fresh_token_and_no_reload(
    browser: Browser, product: Product
) -> None:
    page = browser.new_context().new_page()
    sign_in(page, product.url)
    settle(page, "Home")
    tokens: list[str] = []
    page.on("request", lambda request: tokens.append(request.url) if request.url.endswith("/csrf") else None)
    other = page.context.new_page()
    other.goto(product.url)
    settle(other, "Home")
    other.get_by_role("button", name="Account of").click()
    other.get_by_role("button", name="Sign out").click()
    settle(other, "Sign in")
    other.get_by_label("User name").fill("root")
    other.get_by_label("Password").fill(PASSWORD)
    other.keyboard.press("Enter")
    settle(other, "Home")
    link(page, "Account")
    settle(page, "Profile")
    page.get_by_label("Full name").fill("Rosa Root")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Profile saved")
    expect(page.get_by_role("button", name="Account of Rosa Root")).to_be_visible()
    assert len(tokens) == 1
    page.context.close()


def test_hovering_fetches_ahead_and_the_click_uses_it(client: Client) -> None:
    page = client.page
    with page.expect_response(f"{client.url}/api/v1/user"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").hover()
    link(page, "Account")
    settle(page, "Profile")
    assert client.requests.count("/api/v1/user") == 1


def test_links_of_the_browser_stay_the_browsers(client: Client) -> None:
    page = client.page
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Account").click(modifiers=["ControlOrMeta"])
    settle(opened.value, "Profile")
    assert page.url == f"{client.url}/"


def test_a_chosen_theme_is_kept_and_nothing_is_before(client: Client) -> None:
    page = client.page
    assert page.evaluate("localStorage.getItem('theme')") is None
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()
    settle(page, "Home")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="System").click()
    assert page.evaluate("localStorage.getItem('theme')") is None


def test_the_login_page_asks_for_four_files(browser: Browser, product: Product) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(product.url)))
    page.goto(product.url)
    settle(page, "Sign in")
    page.wait_for_load_state("networkidle")
    kinds = [re.sub(r"[A-Z0-9]{8}", "#", path) for path in asked]
    assert sorted(kinds) == ["/", "/assets/#.js", "/assets/style-#.css", "/favicon.svg"]
    context.close()
