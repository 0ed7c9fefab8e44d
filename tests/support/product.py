"""The whole product as users have it: the server process, a second process that plays PostHog, real Chromium."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from playwright.sync_api import BrowserContext, Page

from tests.support.ports import free_port
from tests.support.process import Running, flowforge

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
KEY = "phc_test"

T = TypeVar("T")


def until(truth: Callable[[], T | None], seconds: float = 20) -> T:
    """The first true answer; fails when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := truth()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


@dataclass
class PostHogProcess:
    """The second process; ``events`` is what it has on disk, in the order it took it."""

    log: Path
    port: int
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.support.posthog_server",
            "--port",
            str(self.port),
            "--log",
            str(self.log),
        ]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == self.url

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=20)
            self._process = None

    @property
    def events(self) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        lines = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


@dataclass
class Product:
    """A home folder with its settings; ``serve`` runs the server in it, again and again if need be."""

    home: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self, **telemetry: Any) -> None:
        """Write flowforge.yml; nothing of it names a host outside."""
        self.settings = {
            "port": self.port,
            "home": str(self.home / "var"),
            "telemetry": {"url": f"http://127.0.0.1:{free_port()}/ping", **telemetry},
        }
        (self.home / "flowforge.yml").write_text(yaml.safe_dump(self.settings), "utf-8")

    def also(self, **settings: Any) -> None:
        """Settings outside of telemetry, after `configure`: `base_url` when something stands in front of it, say."""
        self.settings |= settings
        (self.home / "flowforge.yml").write_text(yaml.safe_dump(self.settings), "utf-8")

    def set_up(self) -> None:
        """Administrator ``root``, without a browser."""
        command = [sys.executable, "-m", "flowforge_ui", "init", "--admin", "root", "--password-stdin"]
        subprocess.run(command, cwd=self.home, input=PASSWORD, text=True, check=True, capture_output=True)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Running]:
        environ = {"FLOWFORGE_TEST_BROWSER": "1"}
        with flowforge("run", cwd=self.home, url=self.url, health="/readyz", environ=environ) as running:
            yield running

    def stored(self) -> list[dict[str, Any]]:
        """The events in the analytics store; only while no server holds it."""
        import duckdb

        with duckdb.connect(str(self.home / "var" / "analytics.duckdb"), read_only=True) as store:
            found = store.execute("SELECT * FROM events ORDER BY timestamp, received_at")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextlib.contextmanager
def both_ends(home: Path) -> Iterator[tuple[Product, PostHogProcess]]:
    """A product set up but not yet serving, that tells its own store and a second process that plays PostHog."""
    posthog = PostHogProcess(home / "posthog.ndjson", free_port())
    posthog.start()
    try:
        product = Product(home)
        product.configure(
            frontend={
                "posthog": {"apikey": KEY, "apiurl": posthog.url, "capture_pageview": False},
                "local": {"enabled": True},
            }
        )
        product.set_up()
        yield product, posthog
    finally:
        posthog.stop()


def sign_in(page: Page, url: str, username: str = "root") -> None:
    """Through the form, as a person does; returns when the view behind it is there."""
    page.goto(url)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign in").wait_for(state="detached")


def settle(page: Page, heading: str) -> None:
    """Wait until a view with this heading stands there."""
    page.get_by_role("heading", level=1, name=heading).wait_for()


def api(context: BrowserContext, url: str, path: str) -> Any:
    """An API answer as this browser's user sees it."""
    answer = context.request.get(f"{url}/api/v1/{path}")
    assert answer.status == 200, answer.text()
    return answer.json()
