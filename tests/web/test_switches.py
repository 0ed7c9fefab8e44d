"""What is on is decided by file, set-up and Admin Settings together, at each moment anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowforge_ui.factory import Runtime
from flowforge_ui.web.channels import FRESH_SECONDS, Channels
from tests.conftest import Cast, FakeClock
from tests.web.conftest import KEY, LOCAL_ON, Browser, Build

WITH_KEY = json.dumps({"telemetry": {"frontend": {"posthog": {"apikey": KEY, "capture_pageview": False}}}})
DIRECT = json.dumps(
    {"telemetry": {"frontend": {"posthog": {"apikey": KEY, "capture_pageview": False, "transport": "direct"},
                                "local": {"enabled": True}}}}
)  # fmt: skip
FORBIDDEN = json.dumps({"telemetry": {"enabled": False, "frontend": {"posthog": {"apikey": KEY}}}})


def acts(runtime: Runtime) -> list[tuple[str, dict[str, str]]]:
    """Recorded now, oldest first."""
    return [(one.event.name, dict(one.sinks)) for one in reversed(runtime.house.outbox.recent())]


def switches(root: Browser) -> dict[str, tuple[bool, bool, bool, str]]:
    found = root.get("/api/v1/settings").get_json()["settings"]
    return {one["key"]: (one["value"], one["effective"], one["locked"], one["decided_by"]) for one in found}


def signed_in(runtime: Runtime, name: str, **headers: str) -> Browser:
    browser = Browser(runtime, **headers)
    browser.login(name)
    return browser


def test_local_analytics_is_switched_while_the_server_runs(make: Build) -> None:
    runtime = make()  # the cast's set-up has switched it on; the file says nothing
    root = signed_in(runtime, "root")
    assert switches(root)["local_analytics"] == (True, True, False, "admin")
    assert root.get("/api/v1/insights/live").status_code == 200
    assert runtime.house.outbox.backlog("local").pending == 1

    changed = root.send("PATCH", "/api/v1/settings", {"local_analytics": False})
    assert changed.status_code == 200
    assert {one["key"]: one["effective"] for one in changed.get_json()["settings"]}["local_analytics"] is False
    off = root.get("/api/v1/insights/live")
    assert (off.status_code, off.get_json()["code"]) == (404, "local_analytics_off")
    assert root.open("/").boot["telemetry"]["posthog"] is None
    assert runtime.house.outbox.backlog("local").pending == 0  # what waited is dropped
    signed_in(runtime, "alice")

    assert root.send("PATCH", "/api/v1/settings", {"local_analytics": True}).status_code == 200
    assert root.open("/").boot["telemetry"]["posthog"] is not None
    signed_in(runtime, "bob")
    assert acts(runtime)[-2:] == [("setting changed", {"local": "pending"}), ("logged in", {"local": "pending"})]


def test_where_the_file_decides_the_switch_is_locked(make: Build) -> None:
    runtime = make(LOCAL_ON)
    root = signed_in(runtime, "root")
    assert root.send("PATCH", "/api/v1/settings", {"local_analytics": False}).status_code == 200
    assert switches(root) == {
        "telemetry:enabled": (True, True, False, "admin"),
        "local_analytics": (False, True, True, "file"),
        "user:signup": (False, False, False, "default"),
    }
    assert root.get("/api/v1/insights/live").status_code == 200


def test_an_unknown_switch_or_value_changes_nothing(make: Build) -> None:
    root = signed_in(make(), "root")
    before = switches(root)
    for body, fields in (
        ({"user:signup": True, "nope": True}, {"nope": "There is no such setting."}),
        ({"user:signup": "true"}, {"user:signup": "It has to be true or false."}),
        ({"user:signup": 1}, {"user:signup": "It has to be true or false."}),
    ):
        answer = root.send("PATCH", "/api/v1/settings", body)
        assert (answer.status_code, answer.get_json()["fields"]) == (400, fields)
    assert switches(root) == before


@pytest.mark.parametrize(
    ("text", "sinks", "transport", "apikey"),
    [
        ("telemetry: {frontend: {local: {enabled: false}}}", {}, None, None),
        (LOCAL_ON, {"local"}, "relay", "local token"),
        (WITH_KEY, {"local", "posthog"}, "relay", KEY),
        (DIRECT, {"local", "posthog"}, "direct", KEY),
        (FORBIDDEN, {"local"}, "relay", "local token"),
    ],
)
def test_where_an_act_goes_and_what_the_page_is_told(
    make: Build, *, text: str, sinks: set[str], transport: str | None, apikey: str | None
) -> None:
    runtime = make(text)
    browser = Browser(runtime)
    boot: dict[str, Any] = browser.login("alice").get_json()["boot"]
    facts = boot["telemetry"]["posthog"]
    expected = [("logged in", dict.fromkeys(sorted(sinks), "pending"))] if sinks else []
    assert [(name, dict(sorted(went.items()))) for name, went in acts(runtime)] == expected
    assert (facts and facts["transport"]) == transport
    token = runtime.house.platform.installation.local_token
    assert (facts and facts["apikey"]) == (token if apikey == "local token" else apikey)


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_acts_of_a_browser_that_says_no_are_not_recorded(make: Build, header: str) -> None:
    runtime = make(LOCAL_ON)
    browser = Browser(runtime, **{header: "1"})
    assert browser.open("/").boot["telemetry"]["posthog"] is None
    boot = browser.login("alice").get_json()["boot"]
    assert boot["telemetry"]["posthog"] is None
    assert browser.post("/api/v1/teams", {"name": "Quiet"}).status_code == 201
    assert browser.post("/account/logout").status_code == 200
    assert acts(runtime) == []
    unheard = make("telemetry: {frontend: {local: {enabled: true}, respect: {gpc: false, dnt: false}}}")
    signed_in(unheard, "alice", **{header: "1"})
    assert acts(unheard) == [("logged in", {"local": "pending"})]


def test_opting_out_drops_what_waits_and_follows_the_account(make: Build, cast: Cast) -> None:
    runtime = make(LOCAL_ON)
    here, there = signed_in(runtime, "alice"), signed_in(runtime, "alice")
    privacy = here.get("/api/v1/user/privacy").get_json()
    assert (privacy["opt_out"], privacy["recorded"], privacy["pseudonym"]) == (
        False,
        True,
        cast.alice.subject.distinct_id,
    )
    assert [(e["event"], e["sinks"]) for e in privacy["events"]] == [("logged in", {"local": "pending"})] * 2
    out = here.send("PUT", "/api/v1/user/privacy", {"opt_out": True}).get_json()
    assert (out["opt_out"], out["recorded"]) == (True, False)
    assert out["boot"]["telemetry"]["posthog"] is None
    assert [e["sinks"] for e in out["events"]] == [{"local": "abandoned"}] * 2
    assert there.open("/").boot["telemetry"]["posthog"] is None
    assert there.post("/api/v1/teams", {"name": "Quiet"}).status_code == 201
    assert len(runtime.house.outbox.recent()) == 2
    back = here.send("PUT", "/api/v1/user/privacy", {"opt_out": False}).get_json()
    assert back["boot"]["telemetry"]["posthog"]["person"]["distinct_id"] == cast.alice.subject.distinct_id


def test_what_was_read_is_believed_for_a_second_unless_somebody_changes_it(make: Build) -> None:
    runtime = make()
    house = runtime.house
    moment = 0.0
    channels = Channels(house.settings, house.platform.engine, lambda: moment)
    assert channels.current().sinks == ("local",)
    signed_in(runtime, "root").send("PATCH", "/api/v1/settings", {"local_analytics": False})
    assert channels.current().sinks == ("local",)  # another process has not heard of it
    moment = FRESH_SECONDS
    assert channels.current().sinks == ()
    assert house.channels.current().sinks == ()  # this one knew at once


def test_status_of_every_channel(make: Build) -> None:
    runtime = make(WITH_KEY)
    root = signed_in(runtime, "root")
    status = root.get("/api/v1/admin/telemetry/status").get_json()
    assert {c["channel"]: (c["allowed"], c["reason"], c["decided_by"], c["pending"]) for c in status["channels"]} == {
        "ping": (True, "switched_on", "admin", 0),
        "posthog": (True, "switched_on", "file", 1),
        "local": (True, "switched_on", "admin", 1),
        "plausible": (False, "no_domain", "default", 0),
    }
    assert [layer for c in status["channels"] for layer in c["layers"] if c["channel"] == "ping"] == [
        {"layer": "environment", "value": "", "decides": False},
        {"layer": "file", "value": "", "decides": False},
        {"layer": "setup", "value": "", "decides": False},
        {"layer": "admin", "value": "on", "decides": True},
        {"layer": "default", "value": "on", "decides": False},
    ]
    assert status["counts"] == {"accepted": 1, "dropped": {}, "refused": {}}
    assert [host["host"] for host in status["hosts"]] == ["ping.flowforge.com", "us.i.posthog.com"]
    assert status["warnings"] == []


def test_an_error_is_told_until_something_is_taken_again(make: Build, clock: FakeClock) -> None:
    runtime = make(WITH_KEY)
    root = signed_in(runtime, "root")
    outbox = runtime.house.outbox

    def told() -> tuple[str | None, str | None, str | None]:
        channels = root.get("/api/v1/admin/telemetry/status").get_json()["channels"]
        posthog = next(each for each in channels if each["channel"] == "posthog")
        return posthog["last_success_at"], posthog["last_error_at"], posthog["last_error"]

    assert told() == (None, None, None)
    outbox.trouble("posthog", "PostHog cannot be reached")
    first = "2026-03-02T08:00:00.000Z"
    assert told() == (None, first, "PostHog cannot be reached")
    clock.advance(minutes=1)
    outbox.done("posthog", outbox.claim("posthog", 10).fresh)
    second = "2026-03-02T08:01:00.000Z"
    assert told() == (second, None, None)
    clock.advance(minutes=1)
    outbox.trouble("posthog", "PostHog is busy")
    assert told() == (second, "2026-03-02T08:02:00.000Z", "PostHog is busy")


def test_nothing_leaves_when_that_is_forbidden(make: Build) -> None:
    status = signed_in(make(FORBIDDEN), "root").get("/api/v1/admin/telemetry/status").get_json()
    assert status["hosts"] == []
    assert [(c["channel"], c["reason"]) for c in status["channels"] if not c["allowed"]] == [
        ("ping", "sending_disabled"),
        ("posthog", "sending_disabled"),
        ("plausible", "sending_disabled"),
    ]


@pytest.mark.parametrize("mode", ["anonymous", "pseudonymous", "username"])
def test_whom_telemetry_knows(make: Build, cast: Cast, mode: str) -> None:
    """The page, the server's own acts and the opt-out all use the same name for a person."""
    posthog = {"apikey": KEY, "capture_pageview": False, "identity": mode}
    runtime = make(json.dumps({"telemetry": {"frontend": {"posthog": posthog}}}))
    browser = Browser(runtime)
    person = browser.login("alice").get_json()["boot"]["telemetry"]["posthog"]["person"]
    (act,) = runtime.house.outbox.recent()
    if mode == "anonymous":
        assert cast.alice.subject.distinct_id not in json.dumps(person)
        assert act.event.distinct_id not in {cast.alice.subject.distinct_id, "alice"}
        return
    name = {"pseudonymous": cast.alice.subject.distinct_id, "username": "alice"}[mode]
    assert (person["distinct_id"], act.event.distinct_id) == (name, name)
    assert browser.get("/api/v1/user/privacy").get_json()["pseudonym"] == name
    browser.send("PUT", "/api/v1/user/privacy", {"opt_out": True})
    assert runtime.house.capture.opted_out(name) is True
    assert dict(runtime.house.outbox.recent()[0].sinks) == {"local": "abandoned", "posthog": "abandoned"}
