"""What a first visit costs: requests and bytes over HTTP with an empty cache, in real Chromium. Facts, not times."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, StorageState

from tests.support.browser import chromium
from tests.support.product import Product, settle, sign_in
from tests.support.visits import Visit, first_visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KB = 1024
SDK = b"__ph_opt_in_out_"  # a name of posthog-js's own storage


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("budgets"))
    product.configure(frontend={"local": {"enabled": True}})
    product.set_up()
    with product.serve():
        yield product


@pytest.fixture(scope="module")
def signed_in(browser: Browser, product: Product) -> StorageState:
    page = browser.new_page()
    sign_in(page, product.url)
    settle(page, "Home")
    state = page.context.storage_state()
    page.context.close()
    return state


@pytest.fixture(params=["Sign in", "Home"], scope="module")
def visit(request: pytest.FixtureRequest, browser: Browser, product: Product, signed_in: StorageState) -> Visit:
    state = signed_in if request.param == "Home" else None
    return first_visit(browser, product.url, request.param, state, last="/e/")


def test_a_first_visit_is_six_requests_and_sixty_kilobytes(visit: Visit) -> None:
    assert len(visit.before) <= 6, visit.before
    assert sum(one.transferred for one in visit.before) <= 60 * KB, visit.before
    assert {one.encoding for one in visit.before if one.path.endswith((".js", ".css"))} == {"br"}


def test_telemetry_is_nothing_before_the_page_is_usable_and_fifty_kilobytes_after(visit: Visit) -> None:
    assert [one.path for one in visit.before if SDK in one.text] == []
    assert [one.path for one in visit.after if SDK in one.text] != []
    scripts = [one for one in visit.after if one.path.endswith(".js")]
    assert {one.encoding for one in scripts} == {"br"}
    assert sum(one.body for one in scripts) <= 50 * KB, scripts


def test_the_entry_is_thirty_kilobytes_gzipped(visit: Visit) -> None:
    (entry,) = [one for one in visit.before if one.path == visit.entry]
    assert len(gzip.compress(entry.text, 9)) <= 30 * KB
