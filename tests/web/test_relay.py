"""Browser events over HTTP: from a page's boot facts to the outbox, with neither cookies nor addresses."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from typing import Any

import pytest
from werkzeug.test import TestResponse

from flowforge_ui.database import reading
from flowforge_ui.factory import Runtime, build
from flowforge_ui.telemetry.capture_wire import MAX_BODY
from tests.conftest import CHEAP_PASSWORDS, Cast
from tests.web.conftest import KEY, LOCAL_ON, Browser, Build, settings_of

BOTH = json.dumps(
    {"telemetry": {"frontend": {"posthog": {"apikey": KEY, "capture_pageview": False}, "local": {"enabled": True}}}}
)


class Page:
    """A page in a browser that sends one view, as the client does."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        facts = browser.open("/").boot["telemetry"]["posthog"]
        self.facts: dict[str, Any] = facts
        self.path = "/" + facts["api_host"].split("/", 3)[3]

    def view(self, **changes: Any) -> dict[str, Any]:
        person = self.facts["person"]
        event: dict[str, Any] = {
            "uuid": str(uuid.uuid4()),
            "event": "$pageview",
            "distinct_id": person["distinct_id"] if person else str(uuid.uuid4()),
            "properties": {"route": "home", "route_pattern": "/", "nav_type": "push", "source": "router"},
        }
        if person:
            event["properties"]["ticket"] = person["ticket"]
        return event | changes

    def send(self, *events: Any, **headers: str) -> TestResponse:
        body = {"api_key": self.facts["apikey"], "batch": list(events)}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser.client.post(
            f"{self.path}/e/", data=json.dumps(body), content_type="text/plain", headers=named
        )


def recorded(runtime: Runtime) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (one.event.name, one.event.distinct_id, dict(one.sinks))
        for one in runtime.house.outbox.recent()
        if one.event.origin == "browser"
    ]


def dropped(runtime: Runtime) -> dict[str, int]:
    runtime.house.capture.intake.flush()
    counts = runtime.house.outbox.counts()
    return {name: n for kind in ("dropped", "refused") for name, n in counts.get(kind, {}).items() if n}


def test_a_view_is_recorded_for_whom_the_ticket_names(runtime: Runtime, cast: Cast, alice: Browser) -> None:
    page = Page(alice)
    answer = page.send(page.view())
    assert (answer.status_code, answer.get_json()) == (200, {"status": 1})
    assert "Set-Cookie" not in answer.headers
    assert recorded(runtime) == [("$pageview", cast.alice.subject.distinct_id, {"local": "pending"})]


def test_with_a_key_posthog_gets_it_too(make: Build, cast: Cast) -> None:
    runtime = make(BOTH)
    browser = Browser(runtime)
    browser.login("alice")
    page = Page(browser)
    assert page.facts["apikey"] == KEY
    assert page.send(page.view()).status_code == 200
    pending = {"local": "pending", "posthog": "pending"}
    assert recorded(runtime) == [("$pageview", cast.alice.subject.distinct_id, pending)]


@pytest.mark.parametrize(
    ("after", "sinks"),
    [
        ({"posthog": {"apikey": "phc_another"}, "local": {"enabled": True}}, {"local", "posthog"}),
        ({"local": {"enabled": True}}, {"local"}),
        ({"posthog": {"apikey": KEY, "transport": "direct"}, "local": {"enabled": True}}, {"local"}),
        ({"local": {"enabled": False}}, None),
    ],
)
def test_a_page_that_was_open_when_the_key_was_changed_is_still_heard(
    make: Build, cast: Cast, after: dict[str, Any], sinks: set[str] | None
) -> None:
    runtime = make(BOTH)
    alice = Browser(runtime)
    alice.login("alice")
    page = Page(alice)
    settings = settings_of(runtime.house.settings.home.parent, json.dumps({"telemetry": {"frontend": after}}))
    later = build(settings, clock=runtime.house.platform.clock, passwords=CHEAP_PASSWORDS)
    page.browser = Browser(later)
    answer = page.send(page.view())
    if sinks is None:
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unknown_token")
    else:
        assert answer.status_code == 200
        waiting = dict.fromkeys(sinks, "pending")
        assert recorded(later) == [("$pageview", cast.alice.subject.distinct_id, waiting)]
    later.stop()


def test_a_late_event_belongs_to_whom_it_is_about(runtime: Runtime, cast: Cast, alice: Browser) -> None:
    """Signed out, somebody else signed in, and then the leave of the page before arrives."""
    page = Page(alice)
    leave = page.view()
    alice.post("/account/logout")
    alice.login("bob")
    assert page.send(leave).status_code == 200
    assert [who for _, who, _ in recorded(runtime)] == [cast.alice.subject.distinct_id]


def test_nobody_speaks_for_another(runtime: Runtime, cast: Cast, bob: Browser) -> None:
    page = Page(bob)
    forged = page.view(distinct_id=cast.alice.subject.distinct_id)
    assert page.send(forged, page.view(properties={}, distinct_id=cast.bob.subject.distinct_id)).status_code == 200
    assert recorded(runtime) == []
    assert dropped(runtime) == {"identity_unproven": 2}


def test_who_has_opted_out_is_not_recorded_though_a_page_still_sends(
    runtime: Runtime, cast: Cast, alice: Browser
) -> None:
    page = Page(alice)
    assert alice.send("PUT", "/api/v1/user/privacy", {"opt_out": True}).status_code == 200
    assert page.send(page.view()).status_code == 200
    assert recorded(runtime) == []
    assert dropped(runtime)["opted_out"] == 1
    assert alice.send("PUT", "/api/v1/user/privacy", {"opt_out": False}).status_code == 200
    assert page.send(page.view()).status_code == 200
    assert len(recorded(runtime)) == 1


@pytest.mark.parametrize(("header", "reason"), [("Sec-GPC", "gpc"), ("DNT", "dnt")])
def test_the_browsers_wish_is_honoured(runtime: Runtime, alice: Browser, header: str, reason: str) -> None:
    page = Page(alice)
    assert page.send(page.view(), **{header: "1"}).status_code == 200
    assert (recorded(runtime), dropped(runtime)) == ([], {reason: 1})


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [("phc_another", 401, "unknown_token"), ("phx_personal", 401, "personal_key"), ("", 401, "no_token")],
)
def test_it_is_no_relay_for_other_keys(runtime: Runtime, alice: Browser, token: str, status: int, code: str) -> None:
    page = Page(alice)
    page.facts["apikey"] = token
    answer = page.send(page.view())
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert dropped(runtime) == {code: 1}


@pytest.mark.parametrize(
    ("method", "rest", "status"),
    [
        ("GET", "", 405),
        ("GET", "/e/", 405),
        ("PUT", "/e/", 405),
        ("OPTIONS", "/e/", 204),
        ("GET", "/nope", 404),
        ("POST", "/static/array.js", 404),
        ("POST", "/e/extra", 404),
    ],
)
def test_there_is_nothing_else_below_the_prefix(runtime: Runtime, *, method: str, rest: str, status: int) -> None:
    prefix = runtime.house.platform.installation.capture_prefix
    answer = Browser(runtime).client.open(f"/{prefix}{rest}", method=method)
    assert answer.status_code == status
    assert answer.headers.get("Location") is None


@pytest.mark.parametrize("path", ["e", "e/", "/", "", "i/v0/e/", "batch/", "capture", "track/", "engage/"])
def test_every_path_of_the_sdks_with_and_without_the_slash(runtime: Runtime, alice: Browser, path: str) -> None:
    page = Page(alice)
    body = gzip.compress(json.dumps({"api_key": page.facts["apikey"], "batch": [page.view()]}).encode())
    joined = f"{page.path}/{path}".replace("//", "/")
    answer = alice.client.post(joined, data=body, content_type="text/plain")
    assert answer.status_code == 200
    assert len(recorded(runtime)) == 1


def test_a_body_beyond_the_limit_is_not_read_to_its_end(runtime: Runtime, alice: Browser) -> None:
    page = Page(alice)
    answer = alice.client.post(f"{page.path}/e/", data=b"x" * (MAX_BODY + 1000), content_type="text/plain")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert dropped(runtime) == {"too_large": 1}


def test_no_address_is_kept(make: Build, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    marker = "203.0.113.77"
    runtime = make(LOCAL_ON + "\ntrusted_proxies: [127.0.0.1/32]")
    browser = Browser(runtime, X_Forwarded_For=marker)
    browser.login("alice")
    page = Page(browser)
    view = page.view()
    view["properties"] |= {"$ip": marker, "ip": marker, "$referrer": f"http://{marker}/"}
    assert page.send(view, X_Forwarded_For=marker).status_code == 200
    with reading(runtime.house.platform.engine) as tx:
        names = tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        dump = [tx.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]
    held = repr(dump).replace(f"http://{marker}", "")  # a referrer's origin is kept, whatever it is
    assert "pageview" in held
    assert marker not in held
    assert marker not in caplog.text


def test_before_set_up_is_finished_nothing_is_taken(make: Build) -> None:
    runtime = make(BOTH, empty=True)
    prefix = runtime.house.platform.installation.capture_prefix
    answer = Browser(runtime).client.post(f"/{prefix}/e/", data=json.dumps({"api_key": KEY, "batch": []}))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unknown_token")


def test_the_prefix_is_this_installations_own(make: Build, runtime: Runtime) -> None:
    first = runtime.house.platform.installation.capture_prefix
    second = make(empty=True).house.platform.installation.capture_prefix
    assert first != second
    assert re.fullmatch(r"[a-z][a-z0-9]{9}", first)
