"""The core ping's console: what it shows is what is sent, consent is asked for, secrets are shown on request alone."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from flowforge_ui.database import reading, transaction
from flowforge_ui.factory import Runtime
from flowforge_ui.platform import audit
from flowforge_ui.telemetry import archive
from flowforge_ui.telemetry.post import PostError, Reply
from flowforge_ui.telemetry.wire import Field, PingPlan
from flowforge_ui.web.api.ping import installation_url
from tests.conftest import Cast, FakeClock
from tests.web.conftest import Browser, Build

PING = "/api/v1/admin/telemetry/ping"
RECEIPT = "0123456789abcdef" * 2
TAKEN = Reply(202, json.dumps({"receipt": RECEIPT}).encode(), None)
NOW = "2026-03-02T08:00:00.000Z"
NEW = Field(
    path="platform.counts.flows",
    type="int",
    why="How much is built",
    send=True,
    plan=2,
    since="0.11",
    column="flows",
    owner="product",
)
OFF_BY_FILE = "telemetry: {enabled: false}"


class Collector:
    """Plays the other end of `runtime`'s sender: keeps what it is given, answers what it is told."""

    def __init__(self, runtime: Runtime, answer: Reply | PostError = TAKEN) -> None:
        self.bodies: list[bytes] = []
        self.answer = answer
        runtime.house.sender().post = self

    def __call__(self, body: bytes) -> Reply:
        self.bodies.append(body)
        if isinstance(self.answer, PostError):
            raise self.answer
        return self.answer


def with_new_field(runtime: Runtime) -> PingPlan:
    """The program after an upgrade that added a field to the plan."""
    sender = runtime.house.sender()
    before = sender.facts
    sender.plan = PingPlan(version=2, fields=(*sender.plan.fields, NEW), envelope=sender.plan.envelope)
    sender.facts = lambda: {**before(), NEW.path: 17}
    return sender.plan


def noted(runtime: Runtime, cast: Cast) -> list[tuple[str | None, str, str | None]]:
    """What the audit log says of the ping, oldest first."""
    with reading(runtime.house.platform.engine) as tx:
        entries = audit.of_platform(tx, cast.root)
    return [(one.actor, one.event, one.target) for one in reversed(entries) if one.event.startswith("ping ")]


def signed_in(runtime: Runtime, name: str = "root") -> Browser:
    browser = Browser(runtime)
    assert browser.login(name).status_code == 200
    return browser


@pytest.fixture
def collector(runtime: Runtime) -> Collector:
    return Collector(runtime)


def test_everything_on_one_page(root: Browser, runtime: Runtime, collector: Collector) -> None:
    page = root.get(PING).get_json()
    assert page["decision"] == {
        "allowed": True,
        "reason": "switched_on",
        "decided_by": "admin",
        "explanation": "It is switched on.",
        "layers": [
            {"layer": "environment", "value": "", "decides": False},
            {"layer": "file", "value": "", "decides": False},
            {"layer": "setup", "value": "", "decides": False},
            {"layer": "admin", "value": "on", "decides": True},
            {"layer": "default", "value": "on", "decides": False},
        ],
    }
    assert (page["url"], page["next_due"], page["history"]) == ("https://ping.flowforge.com", None, [])
    assert page["plan"] | {"fields": [], "envelope": []} == {
        "version": 1,
        "accepted": 1,
        "fields": [],
        "envelope": [],
        "waiting": [],
    }
    assert [each["path"] for each in page["plan"]["envelope"]] == ["plan", "period", "seq", "secretHash", "lastReceipt"]
    assert page["preview"]["left_out"] == []
    assert page["preview"]["bytes"] == len(page["preview"]["body"].encode())
    assert collector.bodies == []  # looking sends nothing


def test_each_field_says_what_it_would_say_and_the_preview_says_the_same(root: Browser, runtime: Runtime) -> None:
    page = root.get(PING).get_json()
    body = json.loads(page["preview"]["body"])
    body.pop("envelope")
    assert {each["path"]: each["value"] for each in page["plan"]["fields"]} == dict(leaves(body))
    assert {each["path"] for each in page["plan"]["fields"]} == {
        each.path for each in runtime.house.sender().plan.sent()
    }
    users = next(each for each in page["plan"]["fields"] if each["path"] == "platform.counts.users")
    assert users == {
        "path": "platform.counts.users",
        "type": "int",
        "values": [],
        "why": "How large installations are",
        "since": "0.1",
        "owner": "product",
        "plan": 1,
        "sent": True,
        "value": 4,
    }


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def test_sending_sends_what_was_shown(
    root: Browser, runtime: Runtime, collector: Collector, cast: Cast, clock: FakeClock
) -> None:
    shown = json.loads(root.get(PING).get_json()["preview"]["body"])
    row = root.post(f"{PING}/send").get_json()
    (body,) = collector.bodies
    sent = json.loads(body)
    period = sent["envelope"].pop("period")
    assert shown["envelope"].pop("period")[:14] == period[:14]  # its last part is drawn for each ping
    assert sent == shown
    assert row == {
        "seq": 1,
        "period": period,
        "made_at": NOW,
        "outcome": "sent",
        "attempts": 1,
        "status": 202,
        "error": None,
        "receipt": RECEIPT,
        "bytes": len(body),
    }
    assert root.get(PING).get_json()["history"] == [row]
    assert root.get(f"{PING}/history/1").get_json() == row | {
        "url": "https://ping.flowforge.com",
        "sha256": hashlib.sha256(body).hexdigest(),
        "finished_at": NOW,
        "body": body.decode(),
        "answer": TAKEN.body.decode(),
    }
    assert noted(runtime, cast) == [("root", "ping sent", "number 1")]
    again = root.post(f"{PING}/send").get_json()  # within the same hour, because somebody asked
    assert (again["seq"], json.loads(collector.bodies[1])["envelope"]["lastReceipt"]) == (2, RECEIPT)


def test_the_exact_bytes_are_a_file(root: Browser, collector: Collector) -> None:
    root.post(f"{PING}/send")
    answer = root.get(f"{PING}/history/1/body")
    assert (answer.status_code, answer.mimetype, answer.get_data()) == (200, "application/json", collector.bodies[0])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ping-1.json"'


@pytest.mark.parametrize("seq", ["2", "0", "-1", "01", "x", "1e0", "9" * 40])
@pytest.mark.parametrize("tail", ["", "/body"])
def test_a_number_that_no_ping_has(root: Browser, collector: Collector, seq: str, tail: str) -> None:
    root.post(f"{PING}/send")
    answer = root.get(f"{PING}/history/{seq}{tail}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (PostError("unreachable"), (None, "unreachable")),
        (PostError("timeout"), (None, "timeout")),
        (Reply(503, b"later", 9999.0), (503, "answered 503")),
        (Reply(429, b"", 60.0), (429, "answered 429")),
        (Reply(302, b"", None), (302, "redirected (302)")),
        (Reply(400, b"\xff<b>no</b>", None), (400, "answered 400")),
    ],
)
def test_a_failed_ping_is_one_try_and_kept(
    root: Browser, runtime: Runtime, *, reply: Reply | PostError, expected: tuple[int | None, str]
) -> None:
    collector = Collector(runtime, reply)
    row = root.post(f"{PING}/send").get_json()
    assert (row["outcome"], row["attempts"], row["status"], row["error"]) == ("failed", 1, *expected)
    assert len(collector.bodies) == 1
    kept = root.get(f"{PING}/history/1").get_json()
    assert kept["body"].encode() == collector.bodies[0]
    assert kept["answer"] == (reply.body.decode(errors="replace") if isinstance(reply, Reply) else None)


@pytest.mark.parametrize(
    ("text", "switch", "said"),
    [
        (OFF_BY_FILE, True, "The core ping is off. Nothing leaves this platform. Decided by flowforge.yml:1."),
        ("", False, "The core ping is off. It is switched off."),
    ],
)
def test_off_sends_nothing_and_says_why(make: Build, text: str, *, switch: bool, said: str) -> None:
    runtime = make(text)
    collector = Collector(runtime)
    root = signed_in(runtime)
    root.send("PATCH", "/api/v1/settings", {"telemetry:enabled": switch})
    answer = root.post(f"{PING}/send")
    assert (answer.status_code, answer.get_json()) == (409, {"code": "ping_off", "error": said})
    page = root.get(PING).get_json()
    assert (page["decision"]["allowed"], page["history"], collector.bodies) == (False, [], [])
    assert page["preview"]["bytes"] > 0  # what it would say can be read before it is switched on


def test_two_at_once_are_one_ping(root: Browser, runtime: Runtime, clock: FakeClock) -> None:
    started, finish = threading.Event(), threading.Event()
    bodies: list[bytes] = []

    def slow(body: bytes) -> Reply:
        bodies.append(body)
        started.set()
        assert finish.wait(20)
        return TAKEN

    runtime.house.sender().post = slow
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.append(root.post(f"{PING}/send").status_code))
    thread.start()
    assert started.wait(20)
    try:
        second = signed_in(runtime).post(f"{PING}/send")
        assert (second.status_code, second.get_json()["code"]) == (409, "ping_under_way")
    finally:
        finish.set()
        thread.join()
    assert (first, len(bodies)) == ([200], 1)


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(("seconds", "status"), [(14, 409), (16, 200)])
def test_a_ping_of_another_process_is_waited_for_but_not_for_ever(
    root: Browser, runtime: Runtime, clock: FakeClock, seconds: int, status: int
) -> None:
    at = int(clock().timestamp() * 1000)
    with transaction(runtime.house.platform.engine) as tx:
        claimed = archive.claim(tx, at, 1)
        assert claimed is not None
        archive.keep(tx, claimed, b"{}", url="http://127.0.0.1/", now_ms=at)
    clock.advance(seconds=seconds)
    assert root.post(f"{PING}/send").status_code == status


def test_a_new_field_waits_until_it_has_been_accepted(
    root: Browser, runtime: Runtime, collector: Collector, cast: Cast
) -> None:
    root.get(PING)  # the plan as set-up has shown it
    with_new_field(runtime)
    plan = root.get(PING).get_json()["plan"]
    waiting = {
        "path": NEW.path,
        "type": "int",
        "values": [],
        "why": "How much is built",
        "since": "0.11",
        "owner": "product",
        "plan": 2,
        "sent": False,
        "value": 17,
    }
    assert (plan["version"], plan["accepted"], plan["waiting"]) == (2, 1, [waiting])
    assert waiting in plan["fields"]
    root.post(f"{PING}/send")
    assert "flows" not in json.loads(collector.bodies[-1])["platform"]["counts"]

    accepted = root.post(f"{PING}/accept", {"version": 2}).get_json()
    assert (accepted["accepted"], accepted["waiting"]) == (2, [])
    assert waiting | {"sent": True} in accepted["fields"]
    assert root.get(PING).get_json()["plan"] == accepted
    root.post(f"{PING}/send")
    assert json.loads(collector.bodies[-1])["platform"]["counts"]["flows"] == 17
    root.post(f"{PING}/accept", {"version": 2})  # a second time says nothing new
    assert [each[1:] for each in noted(runtime, cast)] == [
        ("ping sent", "number 1"),
        ("ping plan accepted", "version 2"),
        ("ping sent", "number 2"),
    ]


@pytest.mark.parametrize("version", [0, 1, 3, -1])
def test_only_the_present_version_can_be_accepted(root: Browser, runtime: Runtime, cast: Cast, version: int) -> None:
    root.get(PING)
    with_new_field(runtime)
    answer = root.post(f"{PING}/accept", {"version": version})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "plan_changed")
    assert root.get(PING).get_json()["plan"]["accepted"] == 1
    assert noted(runtime, cast) == []


@pytest.mark.parametrize("body", [{}, {"version": "2"}, {"version": 2.0}, {"version": True}, {"version": 1, "x": 1}])
def test_what_is_no_version_is_refused(root: Browser, body: dict[str, object]) -> None:
    answer = root.post(f"{PING}/accept", body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid")


def test_an_older_program_takes_no_consent_back(root: Browser, runtime: Runtime) -> None:
    with transaction(runtime.house.platform.engine) as tx:
        archive.accept_plan(tx, 5)
    assert root.post(f"{PING}/accept", {"version": 1}).get_json()["accepted"] == 5
    assert root.get(PING).get_json()["plan"]["accepted"] == 5


def test_a_value_that_does_not_fit_is_named_and_not_sent(root: Browser, runtime: Runtime) -> None:
    sender = runtime.house.sender()
    before = sender.facts
    sender.facts = lambda: {**before(), "os.release": "not a version!"}
    page = root.get(PING).get_json()
    assert page["preview"]["left_out"] == ["os.release"]
    values = {each["path"]: each["value"] for each in page["plan"]["fields"]}
    assert values["os.release"] is None
    assert "release" not in json.loads(page["preview"]["body"])["os"]


def test_the_secret_is_shown_on_request_alone(
    root: Browser, runtime: Runtime, collector: Collector, cast: Cast
) -> None:
    root.post(f"{PING}/send")
    revealed = root.post(f"{PING}/reveal")
    found = revealed.get_json()
    secret = found["secret"]
    travelled = json.loads(collector.bodies[0])["envelope"]["secretHash"]
    assert hashlib.sha256(secret.encode()).hexdigest() == travelled
    instance = runtime.house.platform.installation.instance_id
    url = f"https://ping.flowforge.com/installations/{instance}"
    assert found == {
        "instance_id": instance,
        "secret": secret,
        "url": url,
        "show": f"curl -H 'Authorization: Bearer {secret}' {url}",
        "erase": f"curl -X DELETE -H 'Authorization: Bearer {secret}' {url}",
    }
    assert revealed.headers["Cache-Control"] == "no-store"
    assert noted(runtime, cast)[-1] == ("root", "ping secret shown", None)
    others = [PING, f"{PING}/history/1", f"{PING}/history/1/body", "/api/v1/admin/telemetry/status", "/api/v1/settings"]
    assert [path for path in others if secret in root.get(path).get_data(as_text=True)] == []
    assert root.get(f"{PING}/reveal").status_code == 405


@pytest.mark.parametrize(
    "taken_at", ["https://a.example", "https://a.example/ping", "https://a.example/ping/", "https://a.example/"]
)
def test_show_and_erase_stand_beside_the_place_that_takes_pings(taken_at: str) -> None:
    assert installation_url(taken_at, "i") == "https://a.example/installations/i"


def test_below_a_path_of_the_collectors_own() -> None:
    assert installation_url("http://here/collector/ping", "i") == "http://here/collector/installations/i"
    assert installation_url("http://here/collector", "i") == "http://here/collector/installations/i"


def test_the_set_up_accepts_the_fields_it_shows(make: Build) -> None:
    runtime = make(empty=True)
    root = Browser(runtime)
    root.post("/setup/admin", {"username": "root", "password": "correct horse battery"})
    page = root.get(PING).get_json()  # what the step shows
    assert (page["decision"]["reason"], page["plan"]["waiting"]) == ("setup_unfinished", [])
    with_new_field(runtime)  # an upgrade between two looks
    root.post("/setup/options", {"telemetry": True, "local_analytics": False})
    assert root.get(PING).get_json()["plan"]["accepted"] == 2


def test_switched_on_long_after_the_set_up_only_what_was_shown_is_sent(make: Build) -> None:
    runtime = make(empty=True)
    root = Browser(runtime)
    root.post("/setup/admin", {"username": "root", "password": "correct horse battery"})
    root.post("/setup/options", {"telemetry": False, "local_analytics": False})
    root.post("/setup/finish")
    with_new_field(runtime)
    collector = Collector(runtime)
    root.send("PATCH", "/api/v1/settings", {"telemetry:enabled": True})
    assert root.post(f"{PING}/send").get_json()["outcome"] == "sent"
    assert "flows" not in json.loads(collector.bodies[0])["platform"]["counts"]


@pytest.mark.parametrize("workers", [False, True])
def test_when_the_next_one_goes_out(
    runtime: Runtime, root: Browser, monkeypatch: pytest.MonkeyPatch, *, workers: bool
) -> None:
    """Known to the process that sends; nobody knows it for several processes."""
    runtime.start()
    never = threading.Event()
    assert any(runtime.next_ping() or never.wait(0.02) for _ in range(1000))
    if workers:
        monkeypatch.setattr(
            runtime, "house", replace(runtime.house, settings=replace(runtime.house.settings, workers=2))
        )
    due = root.get(PING).get_json()["next_due"]
    assert due == (None if workers else "2026-03-02T08:00:30.000Z")
    root.send("PATCH", "/api/v1/settings", {"telemetry:enabled": False})
    assert root.get(PING).get_json()["next_due"] is None


def test_the_overview_of_channels_tells_of_the_last_ping(root: Browser, runtime: Runtime, clock: FakeClock) -> None:
    def told() -> tuple[str | None, str | None, str | None]:
        channels = root.get("/api/v1/admin/telemetry/status").get_json()["channels"]
        ping = next(each for each in channels if each["channel"] == "ping")
        return ping["last_success_at"], ping["last_error_at"], ping["last_error"]

    collector = Collector(runtime)
    assert told() == (None, None, None)
    root.post(f"{PING}/send")
    assert told() == (NOW, None, None)
    clock.advance(minutes=1)
    collector.answer = PostError("timeout")
    root.post(f"{PING}/send")
    assert told() == (NOW, "2026-03-02T08:01:00.000Z", "timeout")
    collector.answer = TAKEN
    root.post(f"{PING}/send")
    assert told() == ("2026-03-02T08:01:00.000Z", None, None)
