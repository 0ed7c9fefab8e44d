"""The deprecated shim: views by Plausible's own tracker, to the configured host, with route patterns."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.emitter.conftest import SECRET, Open, Site, go, until
from tests.support.browser import Trouble
from tests.support.capture_server import Answer, Request

pytestmark = pytest.mark.browser


class Stand:
    """Plausible's place: keeps what is posted to `/api/event`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.views: list[dict[str, Any]] = []
        site.other.serve = self.serve
        site.hosts = f" {site.other.url}"
        site.plausible = {"domain": "flow.example", "src": site.other.url + "/"}

    def serve(self, request: Request) -> Answer | None:
        if request.path != "/api/event":
            return None
        if request.method == "POST":
            self.views.append(json.loads(request.body))
        return Answer(202, b"ok", {"Access-Control-Allow-Origin": request.headers.get("origin", "*")})

    def take(self, page: Any, count: int) -> list[tuple[str, str]]:
        for _ in range(250):
            if len(self.views) >= count:
                break
            page.wait_for_timeout(20)
        return [(view["n"], view["u"].removeprefix(self.site.url)) for view in self.views]


@pytest.mark.parametrize("beside_posthog", [True, False])
def test_views(site: Site, open_page: Open, trouble: Trouble, *, beside_posthog: bool) -> None:
    stand = Stand(site)
    if not beside_posthog:
        site.posthog = None
    page = open_page(f"/team/ABC?token={SECRET}")
    stand.take(page, 1)
    go(page, "/project/PRJ9?from=2026-01-01")
    go(page, "/no/such")
    page.evaluate("document.body.click(); window.dispatchEvent(new Event('blur'))")
    page.reload()
    until(page, "window.harness?.truth.length > 0")
    assert stand.take(page, 4) == [
        ("pageview", "/team/:team"),
        ("pageview", "/project/:project"),
        ("pageview", "/not_found"),
        ("pageview", "/not_found"),
    ]
    assert {view["d"] for view in stand.views} == {"flow.example"}
    assert {view["r"] for view in stand.views} == {None}
    assert SECRET not in repr(stand.views)
    assert (len(site.capture.captures) > 0) is beside_posthog
    assert page.evaluate("[localStorage.length, document.cookie]")[0] == (1 if beside_posthog else 0)
    assert trouble.messages == []


def test_opting_out(site: Site, open_page: Open) -> None:
    stand = Stand(site)
    page = open_page("/account")
    stand.take(page, 1)
    page.evaluate("harness.optOut(true)")
    page.wait_for_timeout(100)
    go(page, "/team/ABC")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(300)
    assert stand.take(page, 1) == [("pageview", "/account")]
    page.evaluate("harness.optOut(false)")
    assert stand.take(page, 2) == [("pageview", "/account"), ("pageview", "/team/:team")]
