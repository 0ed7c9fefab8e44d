"""A set-up that somebody has begun and not finished, as another browser finds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Trouble, chromium
from tests.support.journey import Caller
from tests.support.product import PASSWORD, Product, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def fill(page: Page, username: str, button: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=button).click()


def test_a_set_up_is_finished_in_another_browser(tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.configure(frontend={"local": {"enabled": True}})
    with chromium() as browser, product.serve():
        first, second = browser.new_context(), browser.new_context()
        trouble = Trouble(second)
        page, late = first.new_page(), second.new_page()
        late.goto(f"{product.url}/setup")
        settle(late, "Set up FlowForge")
        page.goto(product.url)
        fill(page, "root", "Continue")
        settle(page, "What may be recorded")

        # Somebody who comes second is led to the sign-in, as is whoever opens any address in a browser without session.
        fill(late, "bob", "Continue")
        settle(late, "Somebody was quicker")
        late.get_by_role("button", name="Go on").click()
        settle(late, "Finish the set-up")
        late.goto(f"{product.url}/admin/users")
        settle(late, "Finish the set-up")
        assert late.url == f"{product.url}/setup"

        # An account that cannot finish it is told so, and may make way for one that can.
        root = Caller(first.request, product.url)
        root.create_user("bob")
        fill(late, "bob", "Sign in")
        expect(late.get_by_text("You are signed in as bob.")).to_be_visible()
        late.get_by_role("button", name="Sign out").click()
        fill(late, "root", "Sign in")
        settle(late, "What may be recorded")
        late.get_by_role("button", name="Continue").click()
        settle(late, "Ready")
        late.get_by_role("button", name="Open FlowForge").click()
        settle(late, "Home")
        # That the first step came too late is what Chromium itself says of the answer.
        assert [text for text in trouble.messages if "409" not in text] == []
