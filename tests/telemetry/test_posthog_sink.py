"""The PostHog sink against a server on loopback that plays PostHog, as ill as the network gets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flowforge_ui.telemetry.delivery import Delivery
from flowforge_ui.telemetry.event import Event
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.posthog import PostHogSink
from flowforge_ui.telemetry.sinks import SinkError
from tests.conftest import FakeClock
from tests.support.outbox import add_up, an_event, record
from tests.support.posthog_server import FakePostHog, Handler, Mode


@pytest.fixture
def sink(posthog_server: FakePostHog) -> Iterator[PostHogSink]:
    sink = PostHogSink(posthog_server.key, posthog_server.url, timeout=1)
    yield sink
    sink.close()


def failing(sink: PostHogSink, events: list[Event]) -> tuple[bool, float | None, str]:
    with pytest.raises(SinkError) as raised:
        sink.deliver(events)
    return raised.value.permanent, raised.value.retry_after, str(raised.value)


def test_an_event_arrives_as_it_was_recorded(sink: PostHogSink, posthog_server: FakePostHog) -> None:
    sink.deliver([an_event(7)])
    assert posthog_server.taken == [
        {
            "event": "team created",
            "uuid": "00000000-0000-7000-8000-000000000007",
            "distinct_id": "u_alice",
            "timestamp": "2026-03-02T08:00:00.007+00:00",
            "properties": {
                "role": "user",
                "$lib": "flowforge",
                "$process_person_profile": True,
                "$geoip_disable": True,
            },
        }
    ]
    (headers,) = posthog_server.headers
    assert headers["content-encoding"] == "gzip"
    assert "cookie" not in headers
    assert "authorization" not in headers


def test_somebody_anonymous_gets_no_profile(sink: PostHogSink, posthog_server: FakePostHog) -> None:
    sink.deliver([an_event(1, "01a20757-10ab-7eec-ad5c-9c58e2135fef")])
    assert posthog_server.taken[0]["properties"]["$process_person_profile"] is False


def test_a_batch_is_one_request(sink: PostHogSink, posthog_server: FakePostHog) -> None:
    sink.deliver([an_event(number) for number in range(200)])
    assert (posthog_server.requests, len(posthog_server.taken)) == (1, 200)


@pytest.mark.parametrize(
    ("status", "permanent", "retry_after"),
    [
        (400, True, None),
        (413, True, None),
        (401, False, 300),  # the key is wrong, not the events
        (403, False, 300),
        (404, False, 300),  # not PostHog
        (405, False, 300),
        (201, False, 300),
        (204, False, 300),
        (408, False, None),
        (429, False, None),
        (500, False, None),
        (503, False, None),
    ],
)
def test_every_status_has_its_meaning(
    sink: PostHogSink, posthog_server: FakePostHog, status: int, permanent: bool, retry_after: float | None
) -> None:
    posthog_server.status = status
    assert failing(sink, [an_event(1)])[:2] == (permanent, retry_after)


@pytest.mark.parametrize(("header", "seconds"), [("17", 17), ("0", 0), ("soon", None)])
def test_what_posthog_asks_for_is_passed_on(
    sink: PostHogSink, posthog_server: FakePostHog, header: str, seconds: float | None
) -> None:
    posthog_server.status, posthog_server.retry_after = 429, header
    assert failing(sink, [an_event(1)])[:2] == (False, seconds)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("garbage", "without PostHog's confirmation"),
        ("hang", "No answer within 1 seconds"),
        ("half", "cannot be reached"),
        ("redirect", "answers 302; is it PostHog?"),
    ],
)
def test_trouble_on_the_way_passes(sink: PostHogSink, posthog_server: FakePostHog, mode: Mode, text: str) -> None:
    posthog_server.mode = mode
    permanent, _, said = failing(sink, [an_event(1)])
    assert (permanent, posthog_server.taken) == (False, [])
    assert text in said


def test_a_host_that_is_down_and_back(sink: PostHogSink, posthog_server: FakePostHog) -> None:
    sink.deliver([an_event(1)])
    posthog_server.down()
    assert failing(sink, [an_event(2)])[0] is False
    posthog_server.up()
    sink.deliver([an_event(2)])
    assert list(posthog_server.events) == [an_event(2).uuid, an_event(1).uuid]


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (b'{"status":1}', True),
        (b'{"status":"Ok"}', True),
        (b'{"status":0}', False),
        (b'{"status":1,"quota_limited":["events"]}', False),
        (b'{"status":1,"quota_limited":["recordings"]}', True),
        (b"[]", False),
        (b"1", False),
        (b"", False),
        (b"\xff", False),
        (b"{" * 200_000, False),
    ],
)
def test_only_posthogs_word_is_a_confirmation(answer: bytes, taken: bool) -> None:
    class Saying(FakePostHog):
        def receive(self, handler: Handler) -> None:
            handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.answer(200, answer)

    with Saying() as server:
        sink = PostHogSink(server.key, server.url, timeout=2)
        if taken:
            sink.deliver([an_event(1)])
        else:
            assert failing(sink, [an_event(1)])[0] is False
        sink.close()


def test_the_proxy_is_used(posthog_server: FakePostHog) -> None:
    """Through a proxy the request names the whole address; the fake then knows no such path."""
    sink = PostHogSink("phc_test", "http://posthog.example", proxy=posthog_server.url, timeout=1)
    assert "is it PostHog?" in failing(sink, [an_event(1)])[2]
    sink.close()


def test_a_proxy_of_the_environment_is_not(
    sink: PostHogSink, posthog_server: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings decide; they have looked at the environment already."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    sink.deliver([an_event(1)])
    assert posthog_server.requests == 1


@pytest.mark.parametrize(
    ("configured", "used"),
    [
        ("https://us.posthog.com", "https://us.i.posthog.com"),
        ("https://app.posthog.com/", "https://us.i.posthog.com"),
        ("https://eu.posthog.com", "https://eu.i.posthog.com"),
        ("https://eu.i.posthog.com", "https://eu.i.posthog.com"),
        ("https://posthog.plant.example", "https://posthog.plant.example"),
    ],
)
def test_the_clouds_are_told_apart(configured: str, used: str) -> None:
    sink = PostHogSink("phc_test", configured)
    assert sink._host == used
    sink.close()


def test_the_sdk_starts_no_thread_of_its_own(sink: PostHogSink) -> None:
    sink.deliver([an_event(1)])
    names = {thread.name for thread in threading.enumerate()}
    assert not [name for name in names if "posthog" in name.lower() or "consumer" in name.lower()]


# Together with the outbox


@pytest.fixture
def delivery(outbox: Outbox, sink: PostHogSink, clock: FakeClock) -> Delivery:
    return Delivery(outbox, sink, clock, uniform=lambda _, high: high)


def deliver(delivery: Delivery, clock: FakeClock, steps: int = 30) -> None:
    for _ in range(steps):
        clock.advance(seconds=max(delivery.step(), 0.001))
        if delivery.health().pending == 0:
            return


def test_a_wrong_key_costs_no_event(
    outbox: Outbox, delivery: Delivery, posthog_server: FakePostHog, clock: FakeClock
) -> None:
    events = [an_event(number) for number in range(450)]
    record(outbox, events)
    posthog_server.key, key = "phc_other", posthog_server.key
    for _ in range(10):
        clock.advance(seconds=delivery.step())
    assert delivery.health().last_error == "PostHog refuses the project key (401)"
    assert (delivery.health().pending, posthog_server.requests) == (450, 10)
    posthog_server.key = key
    deliver(delivery, clock)
    assert [event["uuid"] for event in posthog_server.taken] == [event.uuid for event in events]


def test_a_batch_too_large_is_halved(
    outbox: Outbox, delivery: Delivery, posthog_server: FakePostHog, clock: FakeClock
) -> None:
    record(outbox, [an_event(number) for number in range(200)])
    posthog_server.max_body = 800
    deliver(delivery, clock)
    assert sorted(posthog_server.events) == [an_event(number).uuid for number in range(200)]


def test_poison_fails_alone(outbox: Outbox, delivery: Delivery, posthog_server: FakePostHog, clock: FakeClock) -> None:
    record(outbox, [an_event(number) for number in range(64)])
    posthog_server.poison = {an_event(40).uuid}
    deliver(delivery, clock)
    assert len(posthog_server.events) == 63
    assert outbox.counts()["failed"] == {"posthog": 1}
    assert add_up(outbox) == {"local": 0, "posthog": 0}


def test_taken_but_not_confirmed_is_sent_again_as_the_same(
    outbox: Outbox, delivery: Delivery, posthog_server: FakePostHog, clock: FakeClock
) -> None:
    """The answer is lost: PostHog sees the same uuid, time and subject twice, and keeps one."""
    record(outbox, [an_event(1), an_event(2)])
    posthog_server.mode = "swallow"
    clock.advance(seconds=delivery.step())
    posthog_server.mode = "ok"
    deliver(delivery, clock)
    first, second = posthog_server.taken[:2], posthog_server.taken[2:]
    assert first == second
    assert len(posthog_server.events) == 2
    assert outbox.counts()["delivered"] == {"posthog": 2}


def test_down_for_a_while_then_everything_in_order(
    outbox: Outbox, delivery: Delivery, posthog_server: FakePostHog, clock: FakeClock
) -> None:
    posthog_server.down()
    events = [an_event(number) for number in range(500)]
    record(outbox, events)
    for _ in range(12):
        clock.advance(seconds=delivery.step())
    posthog_server.up()
    clock.advance(minutes=6)
    deliver(delivery, clock)
    assert [event["uuid"] for event in posthog_server.taken] == [event.uuid for event in events]


def test_every_kind_of_trouble_in_turn(
    outbox: Outbox, delivery: Delivery, posthog_server: FakePostHog, clock: FakeClock
) -> None:
    modes: list[Mode] = ["garbage", "half", "swallow", "redirect", "ok"]
    for number, mode in enumerate(modes * 3):
        record(outbox, [replace(an_event(number), name="logged in")])
        posthog_server.mode = mode
        clock.advance(seconds=max(delivery.step(), 0.001))
    posthog_server.mode = "ok"
    clock.advance(minutes=6)
    deliver(delivery, clock)
    assert sorted(posthog_server.events) == [an_event(number).uuid for number in range(15)]
    assert outbox.counts()["delivered"] == {"posthog": 15}
    assert add_up(outbox) == {"local": 0, "posthog": 0}
