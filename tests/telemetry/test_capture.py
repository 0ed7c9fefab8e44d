"""What becomes of an event at the capture endpoint: time, identity, consent, plan, and the commit."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError

from flowforge_ui.telemetry.capture import CaptureRequest
from flowforge_ui.telemetry.identity import TICKET_LIFETIME_MS, Pseudonyms
from flowforge_ui.telemetry.intake import Intake, Overloaded
from flowforge_ui.telemetry.plan import Plan
from tests.conftest import FakeClock
from tests.support.capture import ALICE, ANONYMOUS, BOB, KEY, Endpoint, endpoint, ticket, view
from tests.support.outbox import add_up


@pytest.fixture
def site(engine: Engine, plan: Plan, clock: FakeClock) -> Endpoint:
    return endpoint(engine, plan, clock)


def uuids(site: Endpoint) -> list[str]:
    return [event.uuid for event in site.stored]


def batch(*events: object, **outer: object) -> dict[str, Any]:
    return {"api_key": KEY, "batch": list(events), **outer}


# Time


def at(site: Endpoint, body: object, clock: FakeClock, **options: Any) -> float:
    """Seconds between the event's time and now."""
    assert site.status(body, **options) == 200
    return (site.stored[-1].timestamp - clock.now.timestamp() * 1000) / 1000


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


YEARS_OFF = datetime(1999, 1, 1, tzinfo=UTC)


def test_the_senders_clock_tells_only_how_long_ago(site: Endpoint, clock: FakeClock) -> None:
    event = {**view(1), "timestamp": iso(YEARS_OFF)}
    sent = iso(YEARS_OFF + timedelta(seconds=12.5))
    assert at(site, batch(event, sent_at=sent), clock) == -12.5
    assert at(site, [{**event, "uuid": view(2)["uuid"], "sent_at": sent}], clock) == -12.5
    query = {"sent_at": str(int((YEARS_OFF.timestamp() + 12.5) * 1000))}
    assert at(site, [{**event, "uuid": view(3)["uuid"]}], clock, query=query) == -12.5
    assert at(site, [{**event, "uuid": view(4)["uuid"]}], clock, query={"_": query["sent_at"]}) == -12.5


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ({}, 0),
        ({"offset": 2500}, -2.5),
        ({"offset": 2500, "timestamp": "1999-01-01T00:00:00Z"}, -2.5),
        ({"timestamp": "2026-03-02T07:59:00Z"}, -60),
        ({"timestamp": "2026-03-02T08:59:00+01:00"}, -60),
        ({"timestamp": "2026-03-02T07:59:00"}, -60),
        ({"timestamp": "2026-03-03T06:59:00Z"}, 23 * 3600 - 60),
        ({"timestamp": "2026-03-03T07:00:01Z"}, 0),
        ({"timestamp": "9999-12-31T23:59:59Z"}, 0),
        ({"timestamp": "yesterday"}, 0),
        ({"timestamp": 5}, 0),
        ({"timestamp": None, "offset": "soon"}, 0),
        ({"offset": True}, 0),
        ({"offset": -86_400_000}, 0),
        ({"offset": 1e300}, 0),
    ],
)
def test_an_events_time(site: Endpoint, clock: FakeClock, stated: dict[str, Any], seconds: float) -> None:
    assert at(site, [{**view(1), **stated}], clock) == seconds


def test_what_is_too_old_is_refused(site: Endpoint, clock: FakeClock) -> None:
    days = [{**view(number), "timestamp": iso(clock.now - timedelta(days=number))} for number in (5, 6, 7, 8000)]
    assert site.status(days) == 200
    assert site.counts == {"accepted": {"browser": 2}, "dropped": {"too_old": 2}}


def test_a_repeat_after_pruning_is_never_taken_for_new(site: Endpoint, clock: FakeClock) -> None:
    """Even an event that lay as far ahead as is allowed is too old by the time its uuid is forgotten."""
    event = {**view(1), "timestamp": iso(clock.now + timedelta(hours=22, minutes=59))}
    site.post([event])
    for sink in ("local", "posthog"):
        site.outbox.done(sink, site.outbox.claim(sink, 10).fresh)
    clock.advance(days=7)
    assert site.outbox.prune(clock.now - timedelta(days=7)) == 0
    assert site.status([event]) == 200
    clock.advance(seconds=1)
    assert site.outbox.prune(clock.now - timedelta(days=7)) == 1
    assert site.status([event]) == 200
    assert site.counts == {"accepted": {"browser": 1}, "dropped": {"too_old": 2}}
    assert site.stored == []


# Repeats


def test_a_repeat_is_acknowledged_and_kept_once(site: Endpoint) -> None:
    for _ in range(3):
        assert site.status(batch(view(1), view(2))) == 200
    assert uuids(site) == [view(1)["uuid"], view(2)["uuid"]]
    assert site.counts == {"accepted": {"browser": 2}, "dropped": {"duplicate": 4}}
    assert add_up(site.outbox) == {"local": 0, "posthog": 0}


@pytest.mark.parametrize("given", [None, "", "x", "not-a-uuid" * 50, 7, ["x"], "00000000-0000-7000-8000-00000000000g"])
def test_a_uuid_that_is_none_gets_one_that_a_repeat_gets_too(site: Endpoint, given: object) -> None:
    event = {**view(1), "uuid": given, "timestamp": "2026-03-02T07:59:00Z"}
    other = {**view(1), "uuid": given, "timestamp": "2026-03-02T07:58:00Z"}
    site.post({"api_key": KEY, "batch": [event], "sent_at": "2026-03-02T08:00:00Z"})
    site.post({"api_key": KEY, "batch": [{**event, "offset": 9}], "sent_at": "2026-03-02T08:00:07Z"})
    site.post({"api_key": KEY, "batch": [other, {**other, "distinct_id": ANONYMOUS.upper()}]})
    assert all(len(uuid) == 36 for uuid in uuids(site))
    assert site.counts == {"accepted": {"browser": 3}, "dropped": {"duplicate": 1}}


def test_a_uuid_in_capitals_is_the_same(site: Endpoint) -> None:
    site.post([{**view(11), "uuid": view(11)["uuid"].upper()}, view(11)])
    assert uuids(site) == [view(11)["uuid"]]


# Identity


def test_the_signed_in_user_comes_from_the_ticket(site: Endpoint) -> None:
    site.post([view(1, distinct_id=ALICE, ticket=ticket(), role="admin")])
    (event,) = site.stored
    assert event.distinct_id == ALICE
    assert event.properties == {
        "route": "home",
        "nav_type": "push",
        "role": "user",
        "app_version": "0.9.0",
        "$is_identified": True,
        "$process_person_profile": True,
    }


def test_somebody_anonymous_is_who_they_say(site: Endpoint) -> None:
    site.post([view(1, distinct_id=ANONYMOUS.upper(), role="admin", **{"$process_person_profile": True})])
    (event,) = site.stored
    assert event.distinct_id == ANONYMOUS
    assert event.properties == {
        "route": "home",
        "nav_type": "push",
        "role": "anonymous",
        "app_version": "0.9.0",
        "$is_identified": False,
        "$process_person_profile": False,
    }


def test_a_ticket_identifies_what_the_sdk_still_calls_anonymous(site: Endpoint) -> None:
    site.post([view(1, distinct_id=ANONYMOUS, ticket=ticket())])
    assert site.stored[0].distinct_id == ALICE


@pytest.mark.parametrize(
    ("distinct_id", "proof"),
    [
        (ALICE, None),
        ("alice", None),
        ("", None),
        (7, None),
        (ALICE, ticket(BOB)),
        (BOB, ticket()),
        (ALICE, "x"),
        (ALICE, ""),
        (ALICE, ticket()[:-2]),
        (ALICE, ticket() + "A"),
        (ALICE, "é" * 20),
        (ALICE, "A" * 100_000),
        (ALICE, Pseudonyms(b"another installation's secret").ticket(ALICE, datetime(2026, 3, 2, tzinfo=UTC))),
        (ALICE, ticket(at=datetime(2026, 3, 2, 8, tzinfo=UTC) - timedelta(milliseconds=TICKET_LIFETIME_MS))),
        (ANONYMOUS, "forged.ticket"),
    ],
)
def test_nobody_speaks_for_another(site: Endpoint, distinct_id: Any, proof: str | None) -> None:
    assert site.status([view(1, distinct_id=distinct_id, ticket=proof)]) == 200
    assert site.counts == {"dropped": {"identity_unproven": 1}}


def test_a_late_event_counts_for_who_caused_it(site: Endpoint) -> None:
    """Sent in one batch: the leave of who logged out, the view of who came after on the same browser."""
    site.post([view(1, distinct_id=ALICE, ticket=ticket()), view(2, distinct_id=BOB, ticket=ticket(BOB))])
    assert [event.distinct_id for event in site.stored] == [ALICE, BOB]


def test_user_names_only_where_they_are_asked_for(engine: Engine, plan: Plan, clock: FakeClock) -> None:
    site = endpoint(engine, plan, clock, identity="username")
    site.post([view(1, distinct_id="alice", ticket=ticket("alice")), view(2, distinct_id="bob")])
    assert [event.distinct_id for event in site.stored] == ["alice"]


def test_anonymous_means_that_not_even_a_ticket_identifies(engine: Engine, plan: Plan, clock: FakeClock) -> None:
    site = endpoint(engine, plan, clock, identity="anonymous")
    site.post([view(1, ticket=ticket()), view(2, distinct_id=ALICE, ticket=ticket())])
    assert [event.distinct_id for event in site.stored] == [ANONYMOUS]
    assert site.stored[0].properties["$process_person_profile"] is False
    assert site.stored[0].properties["role"] == "user"


def test_what_the_sdk_captures_on_its_own_account_is_posthog_s_alone(site: Endpoint) -> None:
    site.post([view(1), view(2, source="router")])
    assert [sorted(recorded.sinks) for recorded in site.outbox.recent()] == [["local", "posthog"], ["posthog"]]

    site.sinks.remove("posthog")
    site.post([view(3), view(4, source="router")])
    assert [recorded.event.uuid[-1] for recorded in site.outbox.recent()] == ["4", "2", "1"]
    assert site.counts["dropped"] == {"no_channel": 1}


NEVER = ["$anon_distinct_id", "$set", "$set_once", "$unset", "$groups", "$group_0", "$ip", "$raw_user_agent"]
NEVER += ["$insert_id", "$time", "token"]


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("value", ["a@b.example", {"email": "a@b.example"}, ["a@b.example"], 7, True])
def test_what_never_passes(site: Endpoint, name: str, value: object) -> None:
    event = view(1, ticket=ticket())
    if name != "token":
        event["properties"][name] = value
    site.post([{**event, name: value, "ip": "192.0.2.1", "api_key": KEY}])
    (stored,) = site.stored
    assert sorted(stored.properties) == [
        "$is_identified",
        "$process_person_profile",
        "app_version",
        "nav_type",
        "role",
        "route",
    ]


# Consent


@pytest.mark.parametrize(("header", "reason"), [("sec-gpc", "gpc"), ("dnt", "dnt")])
def test_a_browsers_signal_is_honoured(site: Endpoint, header: str, reason: str) -> None:
    assert site.status([view(1), view(2)], headers={header: "1"}) == 200
    assert site.counts == {"dropped": {reason: 2}}
    assert site.status([view(3)], headers={header: "0"}) == 200
    assert site.counts["accepted"] == {"browser": 1}


@pytest.mark.parametrize("header", ["sec-gpc", "dnt"])
def test_a_browsers_signal_may_be_switched_off(engine: Engine, plan: Plan, clock: FakeClock, header: str) -> None:
    site = endpoint(engine, plan, clock, respect_gpc=False, respect_dnt=False)
    assert site.status([view(1)], headers={header: "1"}) == 200
    assert site.counts == {"accepted": {"browser": 1}}


def test_who_opted_out_is_not_recorded(engine: Engine, plan: Plan, clock: FakeClock) -> None:
    asked: list[str] = []

    def opted_out(subject: str) -> bool:
        asked.append(subject)
        return subject == ALICE

    site = endpoint(engine, plan, clock, opted_out=opted_out)
    events = [view(1, distinct_id=ALICE, ticket=ticket()), view(2, distinct_id=BOB, ticket=ticket(BOB)), view(3)]
    site.post([*events, *[view(number, distinct_id=ALICE, ticket=ticket()) for number in (4, 5)]])
    assert site.counts == {"accepted": {"browser": 2}, "dropped": {"opted_out": 3}}
    assert asked == [ALICE, BOB]  # once a request, and nobody anonymous


def test_with_no_channel_on_nothing_is_kept(site: Endpoint) -> None:
    site.sinks.clear()
    assert site.status([view(1)]) == 200
    assert (site.stored, site.counts) == ([], {"dropped": {"no_channel": 1}})


def test_events_are_addressed_to_the_channels_that_are_on(site: Endpoint) -> None:
    site.sinks.remove("posthog")
    site.post([view(1, source="router")])
    assert site.outbox.recent()[0].sinks == {"local": "pending"}


# The plan


def test_only_events_of_the_plan(site: Endpoint) -> None:
    names: list[Any] = ["$autocapture", "$identify", "$snapshot", "", "team created", "logged in", 7, None, "$pageview"]
    events = [{**view(number), "event": name} for number, name in enumerate(names)]
    assert site.status(batch(*events, "text", None, [], {"properties": {}}, {**view(50), "properties": "x"})) == 200
    assert site.counts == {
        "accepted": {"browser": 1},
        "dropped": {"unknown_event": 4, "wrong_side": 2, "malformed": 7},
    }


def test_one_bad_event_costs_only_itself(site: Endpoint) -> None:
    site.post(batch(view(1), {"event": "nonsense"}, None, view(2)))
    assert uuids(site) == [view(1)["uuid"], view(2)["uuid"]]


# When it cannot be written


class _Full(Intake):
    def commit(self, *_: object) -> None:
        raise Overloaded


def test_too_much_at_once_is_put_off(engine: Engine, plan: Plan, clock: FakeClock) -> None:
    site = endpoint(engine, plan, clock)
    object.__setattr__(site.capture, "intake", _Full(site.outbox))
    answer = site.post([view(1)])
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.body)["code"] == "overloaded"


def test_200_only_after_the_commit(site: Endpoint, engine: Engine, tmp_path: Path) -> None:
    """With the database locked by somebody else the answer is 503, nothing is stored, and the repeat is taken."""
    listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 20"))
    other = sqlite3.connect(tmp_path / "flowforge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = site.post([view(1)])
    other.execute("ROLLBACK")
    other.close()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert site.stored == []
    assert site.status([view(1)]) == 200
    assert (uuids(site), site.refused) == ([view(1)["uuid"]], {"unavailable": 1})


def test_trouble_when_asking_who_opted_out_is_trouble_with_the_database(
    engine: Engine, plan: Plan, clock: FakeClock
) -> None:
    def opted_out(_: str) -> bool:
        raise OperationalError("SELECT", {}, OSError("gone"))

    site = endpoint(engine, plan, clock, opted_out=opted_out)
    assert site.status([view(1, distinct_id=ALICE, ticket=ticket())]) == 503


def test_the_answer_says_nothing_of_the_request(site: Endpoint) -> None:
    marker = "m4rk3r"
    for body in ({"api_key": marker, "batch": [view(1)]}, marker.encode(), [marker], batch({"event": marker})):
        assert marker.encode() not in site.post(body).body


def test_a_request_needs_no_address() -> None:
    assert "address" not in CaptureRequest.__dataclass_fields__
