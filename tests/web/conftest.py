"""The whole application over real rooms (database, outbox, DuckDB); only the built front end is a stand-in."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from flowforge_ui.config import Settings, load
from flowforge_ui.factory import Runtime, build
from tests.conftest import CHEAP_PASSWORDS, PASSWORD, Cast, FakeClock, add_cast

LOCAL_ON = "telemetry: {frontend: {local: {enabled: true}}}"
KEY = "phc_test"
SILENT = "telemetry: {frontend: {local: {enabled: false}}}"

Build = Callable[..., Runtime]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A front end as ``make build`` leaves one."""
    folder = tmp_path / "dist"
    folder.mkdir()
    entry = {"js": "main-AAAA.js", "css": "style-BBBB.css", "imports": ["CCCC.js"]}
    manifest = {"entry": entry, "routes": {"home": ["DDDD.js", "FFFF.js"], "admin": ["EEEE.js"]}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name in ("main-AAAA.js", "CCCC.js", "style-BBBB.css"):
        text = f"/* {name} */".encode() * 100
        (folder / name).write_bytes(text)
        (folder / f"{name}.gz").write_bytes(gzip.compress(text))
        (folder / f"{name}.br").write_bytes(b"brotli of " + name.encode())
    (folder / "LICENSES.txt").write_text("licences")
    return folder


@dataclass(frozen=True)
class Populated:
    """A database in which the set-up is finished and the cast is at home, to be copied."""

    database: Path
    cast: Cast


@pytest.fixture(scope="session")
def populated(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Populated:
    folder = tmp_path_factory.mktemp("populated")
    path = folder / "var" / "flowforge.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    runtime = build(settings_of(folder, SILENT), clock=FakeClock(), passwords=CHEAP_PASSWORDS)
    cast = add_cast(runtime.house.platform)
    runtime.stop()
    return Populated(path, cast)


@pytest.fixture
def make(tmp_path: Path, sqlite_template: Path, populated: Populated, dist: Path, clock: FakeClock) -> Iterator[Build]:
    """Builds an application from the text of a settings file, each on a database of its own.

    `empty`: the set-up has not begun.
    """
    built: list[Runtime] = []

    def make(text: str = "", environ: Mapping[str, str] | None = None, *, empty: bool = False) -> Runtime:
        folder = tmp_path / f"installation-{len(built)}"
        (folder / "var").mkdir(parents=True)
        shutil.copy(sqlite_template if empty else populated.database, folder / "var" / "flowforge.db")
        runtime = build(settings_of(folder, text, environ), clock=clock, passwords=CHEAP_PASSWORDS, bundle=dist)
        built.append(runtime)
        return runtime

    yield make
    for runtime in built:
        runtime.stop()


def settings_of(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    (folder / "flowforge.yml").write_text(text, "utf-8")
    return load(Path("flowforge.yml"), environ or {}, cwd=folder)


@pytest.fixture
def runtime(make: Build) -> Runtime:
    """Local analytics on, nothing else; set up, the cast at home."""
    return make(LOCAL_ON)


@pytest.fixture
def cast(populated: Populated) -> Cast:
    return populated.cast


class Shell(HTMLParser):
    """What a page holds: its title, its scripts with their attributes and text, and whatever stands inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.title = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.links: list[dict[str, str | None]] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.inline += [f"{tag} {name}" for name in found if name == "style" or name.startswith("on")]
        self._open = tag
        if tag == "script":
            self.scripts.append((found, ""))
        if tag == "link":
            self.links.append(found)
        if tag == "style":
            self.inline.append("style")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        if self._open == "title":
            self.title += data

    @property
    def boot(self) -> dict[str, Any]:
        (text,) = (text for attributes, text in self.scripts if attributes.get("id") == "boot")
        facts: dict[str, Any] = json.loads(text)
        return facts


class Browser:
    """A browser's cookies and its CSRF token; knows nothing of the server but what that says."""

    def __init__(self, runtime: Runtime, **headers: str) -> None:
        self.client = runtime.app.test_client()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.csrf = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, headers=self.headers | named)

    def open(self, path: str = "/") -> Shell:
        """Load a page and take up its facts."""
        shell = Shell(self.get(path).get_data(as_text=True))
        self.csrf = shell.boot["csrf"]
        return shell

    def send(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        if not self.csrf:
            self.csrf = self.get("/api/v1/csrf").get_json()["csrf"]
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.open(
            path, method=method, json=body, headers=self.headers | {"X-CSRF-Token": self.csrf} | named
        )
        facts = answer.get_json(silent=True)
        if isinstance(facts, dict) and "boot" in facts:
            self.csrf = facts["boot"]["csrf"]
        return answer

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def login(self, name: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/account/login", {"username": name, "password": password})


@pytest.fixture
def signed_in(runtime: Runtime) -> Callable[[str], Browser]:
    """Somebody of the cast in a browser of their own."""

    def signed_in(name: str, **headers: str) -> Browser:
        browser = Browser(runtime, **headers)
        assert browser.login(name).status_code == 200
        return browser

    return signed_in


@pytest.fixture
def alice(signed_in: Callable[[str], Browser]) -> Browser:
    return signed_in("alice")


@pytest.fixture
def bob(signed_in: Callable[[str], Browser]) -> Browser:
    return signed_in("bob")


@pytest.fixture
def charlie(signed_in: Callable[[str], Browser]) -> Browser:
    return signed_in("charlie")


@pytest.fixture
def root(signed_in: Callable[[str], Browser]) -> Browser:
    return signed_in("root")


def cookies_set(answer: TestResponse) -> dict[str, set[str]]:
    """Name -> attributes of every cookie an answer sets."""
    found = {}
    for line in answer.headers.getlist("Set-Cookie"):
        name, _, rest = line.partition("=")
        found[name] = {re.sub(r"^(Expires|Max-Age)=.*", r"\1", part.strip()) for part in rest.split(";")[1:]}
    return found
