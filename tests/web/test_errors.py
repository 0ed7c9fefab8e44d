"""Whatever goes wrong is said in one shape, and says nothing it should not."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.test import TestResponse

import flowforge_ui
from flowforge_ui.analytics.errors import StoreInUse
from flowforge_ui.factory import Runtime
from flowforge_ui.platform import errors as platform_errors
from flowforge_ui.platform import teams
from flowforge_ui.web.app import make_app
from flowforge_ui.web.errors import STATUS
from flowforge_ui.web.headers import DATA_POLICY
from tests.conftest import Cast
from tests.web.conftest import Browser, Build


def test_every_refusal_of_the_platform_has_its_status() -> None:
    found = {
        error.code
        for error in vars(platform_errors).values()
        if isinstance(error, type) and issubclass(error, platform_errors.PlatformError)
    }
    assert found <= STATUS.keys()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name": "It is needed."}),
        ({"name": 7}, {"name": "It has to be text."}),
        ({"name": None}, {"name": "It has to be text."}),
        ({"name": ["x"]}, {"name": "It has to be text."}),
        ({"name": "x", "extra": 1}, {"extra": "There is no such field."}),
        ({"name": "x" * 257}, {"name": "It is too long."}),
        ({"name": "x" * 101}, {"name": "At most 100 characters."}),
        ({"name": "  "}, {"name": "A name is needed."}),
        ({"name": "a\u0000b"}, {"name": "No control characters."}),
    ],
)
def test_bad_input_is_named_field_by_field(alice: Browser, body: object, fields: dict[str, str]) -> None:
    answer = alice.post("/api/v1/teams", body)
    assert answer.status_code == 400
    assert answer.get_json() == {"code": "invalid", "error": "Some values are not right.", "fields": fields}


def raw(browser: Browser, data: bytes, content_type: str = "application/json", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.client.post(
        "/api/v1/teams", data=data, content_type=content_type, headers={"X-CSRF-Token": browser.csrf} | named
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b'{"name": "\\ud800"}', "malformed"),
        (b'{"name": "\xff"}', "malformed"),
        (b'{"name": NaN}', "invalid"),
        (b"[]", "invalid"),
        (b'"name"', "invalid"),
        (b"null", "invalid"),
        (b"[" * 5000, "malformed"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "malformed"),
    ],
)
def test_what_is_no_such_body_is_refused(alice: Browser, data: bytes, code: str) -> None:
    answer = raw(alice, data)
    assert (answer.status_code, answer.get_json()["code"]) == (400, code)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read(alice: Browser, kind: str) -> None:
    answer = raw(alice, b'{"name": "Plant"}', kind)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_media_type")


def test_large_bodies_are_refused(alice: Browser) -> None:
    answer = raw(alice, b'{"name": "' + b"x" * 70_000 + b'"}')
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/api/v1/nope", 404, "not_found", None),
        ("POST", "/api/v1/nope", 404, "not_found", None),
        ("GET", "/api/", 404, "not_found", None),
        ("GET", "/assets/nope.js", 404, "not_found", None),
        ("POST", "/assets/main-AAAA.js", 404, "not_found", None),
        ("DELETE", "/api/v1/user", 405, "method_not_allowed", "GET, HEAD, PATCH"),
        ("GET", "/api/v1/user/password", 405, "method_not_allowed", "PUT"),
        ("OPTIONS", "/api/v1/user", 405, "method_not_allowed", "GET, HEAD, PATCH"),
        ("POST", "/team/create", 405, "method_not_allowed", "GET, HEAD"),
        ("DELETE", "/", 405, "method_not_allowed", "GET, HEAD"),
        ("PUT", "/healthz", 405, "method_not_allowed", "GET, HEAD"),
    ],
)
def test_machines_are_answered_in_json(
    alice: Browser, *, method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    answer = alice.client.open(path, method=method)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.headers.get("Allow") == allow
    assert answer.headers["Cache-Control"] == "no-store"


SECRET = "sk_marker_in_the_parameters"


def _raise(error: Exception) -> Any:
    def raising(*_: object, **__: object) -> NoReturn:
        raise error

    return raising


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError(f"/home/flowforge/secret.py {SECRET}"), 500, "internal"),
        (IntegrityError("INSERT INTO teams", {"name": SECRET}, Exception("UNIQUE")), 500, "internal"),
        (OperationalError("SELECT 1", {"name": SECRET}, Exception("database is locked")), 503, "unavailable"),
        (KeyError("x"), 500, "internal"),
    ],
)
def test_what_nobody_expected_is_logged_and_not_told(
    alice: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, error: Exception,
    status: int, code: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(teams, "list_for", _raise(error))
    with caplog.at_level(logging.INFO):
        answer = alice.get("/api/v1/teams?secret=1")
    assert (answer.status_code, answer.get_json()) == (status, {"code": code, "error": STATUS[code][1]})
    assert "GET /api/v1/teams" in caplog.text
    assert "secret=1" not in caplog.text
    if not isinstance(error, RuntimeError):
        assert SECRET not in caplog.text


def test_a_page_that_fails_says_so_as_a_page(
    runtime: Runtime, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flowforge_ui.web.boot.facts_at", _raise(RuntimeError(SECRET)))
    answer = Browser(runtime).get("/")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert SECRET not in answer.get_data(as_text=True)
    assert "Something went wrong on the server" in answer.get_data(as_text=True)
    assert SECRET in caplog.text


def test_a_store_that_cannot_be_read_is_unavailable(
    make: Build, runtime: Runtime, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    house = replace(runtime.house, analytics=_raise(StoreInUse("/home/x/analytics.duckdb", 7)))
    runtime.app = make_app(house)
    root = Browser(runtime)
    root.login("root")
    answer = root.get("/api/v1/insights/live")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json() == {"code": "unavailable", "error": "The analytics store cannot be read right now."}
    assert "held by process 7" in caplog.text


COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def test_every_kind_of_answer_carries_the_common_headers(
    runtime: Runtime, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = runtime.house.platform.installation.capture_prefix
    etag = alice.get("/").headers["ETag"]
    client = alice.client
    answers = {
        "page": alice.get("/"),
        "page 304": alice.get("/", If_None_Match=etag),
        "page 404": alice.get("/nope"),
        "page head": client.head("/"),
        "api": alice.get("/api/v1/user"),
        "api 204": alice.send("PUT", "/api/v1/user/privacy", {"opt_out": False}),
        "api 401": Browser(runtime).get("/api/v1/user"),
        "api 403": client.post("/api/v1/teams"),
        "api 404": alice.get("/api/nope"),
        "api 405": client.delete("/api/v1/user"),
        "asset": alice.get("/assets/main-AAAA.js"),
        "asset 304": alice.get("/assets/main-AAAA.js", If_None_Match=alice.get("/assets/main-AAAA.js").headers["ETag"]),
        "asset 404": alice.get("/assets/nope.js"),
        "icon": alice.get("/favicon.svg"),
        "old icon": alice.get("/favicon.ico"),
        "alive": alice.get("/healthz"),
        "ready": alice.get("/readyz"),
        "relay": client.post(f"/{prefix}/e/", data=b"{}"),
        "relay 404": alice.get(f"/{prefix}/nope"),
        "openapi": alice.get("/api/v1/openapi.json"),
    }
    monkeypatch.setattr(teams, "list_for", _raise(RuntimeError()))
    answers["api 500"] = alice.get("/api/v1/teams")
    for name, answer in answers.items():
        assert (name, {key: answer.headers.get(key) for key in COMMON}) == (name, COMMON)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy if name.startswith("page") else policy == DATA_POLICY, name
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1
        assert "Permissions-Policy" in answer.headers
        assert "Strict-Transport-Security" not in answer.headers


def test_over_https_browsers_are_told_to_stay_there(make: Build) -> None:
    answer = make("base_url: https://flow.example").app.test_client().get("/healthz")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_health(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(runtime)
    assert [(a.status_code, a.get_data()) for a in (browser.get("/healthz"), browser.get("/readyz"))] == [
        (200, b"ok\n"),
        (200, b"ready\n"),
    ]
    monkeypatch.setattr("flowforge_ui.web.pages.is_migrated", lambda _engine: False)
    assert browser.get("/readyz").status_code == 503
    monkeypatch.setattr("flowforge_ui.web.pages.is_migrated", _raise(OSError(SECRET)))
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.get_data()) == (503, b"the database cannot be reached\n")
    assert browser.get("/healthz").status_code == 200


def test_the_readable_page_has_the_same_table() -> None:
    text = (Path(flowforge_ui.__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
    section = text.partition("## Errors")[2].partition("## ")[0]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", section, re.MULTILINE)
    found = {(int(status), code) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}
    assert found == {(status, code) for code, (status, _) in STATUS.items()}
