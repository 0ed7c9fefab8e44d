"""A first visit to a page, request by request, as Chromium saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, StorageState

from tests.support.product import settle, until

# The moment the view stands and nothing of it is still loading.
_MARK = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('h1') || document.querySelector('main[aria-busy]')) return;
  observer.disconnect();
  window.usableAt = performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
_STARTED = """() => Object.fromEntries(performance.getEntriesByType('resource')
  .map((one) => [new URL(one.name).pathname, one.startTime]))"""


@dataclass(frozen=True)
class Asked:
    """One request: bytes that came over the wire (head and body), the body's alone, and the body decoded."""

    method: str
    path: str
    transferred: int
    body: int
    encoding: str
    text: bytes = field(repr=False)


@dataclass(frozen=True)
class Visit:
    """What was asked before the page was usable, and after; ``entry`` is the path of the entry script."""

    before: list[Asked]
    after: list[Asked]
    entry: str


def first_visit(
    browser: Browser, url: str, heading: str, state: StorageState | None = None, *, last: str | None = None
) -> Visit:
    """Load a page with an empty cache, and wait until a POST to a path that ends in `last` has been answered."""
    context = browser.new_context(storage_state=state)
    page = context.new_page()
    finished: list[Request] = []

    def note(request: Request) -> None:
        finished.append(request)  # Playwright takes no built-in function for a handler

    page.on("requestfinished", note)
    page.add_init_script(_MARK)
    page.goto(url)
    settle(page, heading)
    until(lambda: page.evaluate("window.usableAt") or None)
    if last is not None:
        until(lambda: _pumped(page) and any(one.method == "POST" and _path(one).endswith(last) for one in finished))
    page.wait_for_load_state("networkidle")
    usable = float(page.evaluate("window.usableAt"))
    started: dict[str, float] = page.evaluate(_STARTED)
    entry = str(page.evaluate("new URL(document.querySelector('script[src]').src).pathname"))
    # What no resource timing knows of is the page itself and its icon.
    asked = [(started.get(_path(one), 0.0), _asked(one)) for one in finished]
    context.close()
    return Visit([one for at, one in asked if at <= usable], [one for at, one in asked if at > usable], entry)


def _pumped(page: Page) -> bool:
    """Playwright hears of requests only while it is asked something."""
    page.wait_for_timeout(20)
    return True


def _path(request: Request) -> str:
    return urlsplit(request.url).path


def _asked(request: Request) -> Asked:
    response = request.response()
    assert response is not None, request.url
    sizes = request.sizes()
    return Asked(
        method=request.method,
        path=_path(request),
        transferred=sizes["responseHeadersSize"] + sizes["responseBodySize"],
        body=sizes["responseBodySize"],
        encoding=response.headers.get("content-encoding", ""),
        text=response.body(),
    )
