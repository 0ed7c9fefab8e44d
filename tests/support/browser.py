"""Real Chromium for tests, with nothing of its own on the network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
"""A plain browser's. A context's own `user_agent` is no longer in force while `pagehide` runs."""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    f"--user-agent={USER_AGENT}",
)


def executable() -> str:
    """`FLOWFORGE_CHROMIUM`, what `make test` has found, or the system's."""
    if given := os.environ.get("FLOWFORGE_CHROMIUM"):
        return given
    found = Path(__file__).parents[2] / ".make" / "chromium"
    return found.read_text(encoding="utf-8").strip() if found.exists() else "/usr/bin/chromium"


@contextmanager
def chromium(arguments: Sequence[str] = (), *, bfcache: bool = False) -> Iterator[Browser]:
    """One browser. Playwright turns the back/forward cache off; with `bfcache` it stays on."""
    with sync_playwright() as playwright:
        browser = launch(playwright, arguments, bfcache=bfcache)
        try:
            yield browser
        finally:
            browser.close()


def launch(playwright: Playwright, arguments: Sequence[str] = (), *, bfcache: bool = False) -> Browser:
    return playwright.chromium.launch(
        executable_path=executable(),
        args=[*ARGUMENTS, *arguments],
        ignore_default_args=["--disable-back-forward-cache"] if bfcache else None,
    )


class Trouble:
    """What went wrong on the pages of a context: console errors and warnings, uncaught errors, CSP violations."""

    def __init__(self, context: BrowserContext) -> None:
        self.messages: list[str] = []
        self._pages: list[Page] = []
        context.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
        )
        context.on("page", self._watch)

    def _watch(self, page: Page) -> None:
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.messages.append(f"uncaught: {error}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning", "assert"}:
            self.messages.append(f"{kind}: {text}")


@contextmanager
def bare_chromium(url: str, profile: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Chromium nobody looks into: under a debugger it neither prerenders nor hides a tab. The page acts on its own."""
    process = subprocess.Popen(
        [
            executable(),
            "--headless=new",
            *ARGUMENTS,
            *arguments,
            "--disable-gpu",
            "--disable-popup-blocking",
            f"--user-data-dir={profile}",
            url,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
