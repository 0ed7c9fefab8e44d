"""From the outbox to a sink, under every kind of trouble. The sink is in memory; HTTP has its own tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from flowforge_ui.telemetry import delivery as delivery_module
from flowforge_ui.telemetry.delivery import BACK_OFF_CAP_SECONDS, SUSPICIOUS_FAILURES, SUSPICIOUS_SILENCES, Delivery
from flowforge_ui.telemetry.event import Event
from flowforge_ui.telemetry.outbox import Batch, Claimed, Outbox
from flowforge_ui.telemetry.sinks import MemorySink, SinkError
from tests.conftest import FakeClock
from tests.support.ill_sink import PASSING, IllSink, most
from tests.support.outbox import add_up, an_event, record


@pytest.fixture
def sink() -> IllSink:
    return IllSink()


@pytest.fixture
def delivery(outbox: Outbox, sink: IllSink, clock: FakeClock) -> Delivery:
    return Delivery(outbox, sink, clock, uniform=most)


def until_settled(delivery: Delivery, clock: FakeClock, seconds: float = 24 * 3600) -> None:
    """Steps, with the clock put forward by what each step asks for, for a day."""
    end = clock.now.timestamp() + seconds
    while clock.now.timestamp() < end:
        clock.advance(seconds=max(delivery.step(), 0.001))
        if delivery.health().pending == 0:
            return


def test_everything_arrives_in_order_in_whole_batches(outbox: Outbox, sink: IllSink, delivery: Delivery) -> None:
    sink.batch = 4
    record(outbox, [an_event(number) for number in range(10)])
    assert [delivery.step(), delivery.step(), delivery.step() > 0] == [0.0, 0.0, True]
    assert sink.batches == [[an_event(n).uuid for n in part] for part in (range(4), range(4, 8), range(8, 10))]
    assert list(sink.events.values()) == [an_event(number) for number in range(10)]
    assert outbox.counts()["delivered"] == {"local": 10}
    assert (delivery.health().pending, outbox.backlog("posthog").pending) == (0, 10)


def test_a_passing_failure_changes_nothing_about_events(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    record(outbox, [an_event(1)])
    sink.error = PASSING
    pauses = []
    for _ in range(12):
        pauses.append(pause := delivery.step())
        clock.advance(seconds=pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert pauses[-1] == BACK_OFF_CAP_SECONDS
    assert outbox.counts() == {"accepted": {"server": 1}, "addressed": {"local": 1, "posthog": 1}}
    sink.error = None
    delivery.step()
    assert list(sink.events.values()) == [an_event(1)]


@pytest.mark.parametrize("trouble", ["the sink is ill", "another process delivers"])
def test_what_was_read_ahead_is_not_kept_while_nothing_is_delivered(
    outbox: Outbox, sink: IllSink, clock: FakeClock, trouble: str
) -> None:
    """Whoever opts out meanwhile is not told of afterwards."""
    allowed = True
    delivery = Delivery(outbox, sink, clock, may_run=lambda: allowed, uniform=most)
    sink.batch = 2
    record(outbox, [an_event(number) for number in range(6)], ["local"])
    assert delivery.step() == 0
    sink.error, allowed = (PASSING, True) if trouble == "the sink is ill" else (None, False)
    assert delivery.step() > 0
    sink.error, allowed = None, True
    with outbox.transaction() as tx:
        assert outbox.forget(tx, "u_alice") == 4
    clock.advance(seconds=1)
    assert delivery.step() > 0
    assert [*sink.events] == [an_event(0).uuid, an_event(1).uuid]


def test_whoever_opts_out_is_not_told_of_though_their_events_were_read_ahead(
    outbox: Outbox, sink: IllSink, delivery: Delivery
) -> None:
    sink.batch = 2
    record(outbox, [an_event(number, "u_alice" if number == 3 else "u_bob") for number in range(6)], ["local"])
    assert delivery.step() == 0
    with outbox.transaction() as tx:
        assert outbox.forget(tx, "u_alice") == 1
    assert [delivery.step(), delivery.step() > 0] == [0, True]
    assert [*sink.events] == [an_event(number).uuid for number in (0, 1, 2, 4, 5)]
    assert add_up(outbox) == {"local": 0, "posthog": 0}


def test_a_failure_to_read_ahead_is_a_failure_to_read(outbox: Outbox, sink: IllSink) -> None:
    class Fragile(Outbox):
        def fresh(self, sink: str, limit: int, after: int = 0) -> list[Claimed]:
            if after:
                raise OSError("disk I/O error")
            return super().fresh(sink, limit)

    delivery = Delivery(Fragile(outbox.transaction, outbox.reading), sink)
    sink.batch = 2
    record(outbox, [an_event(number) for number in range(3)])
    assert delivery.step() == 0
    with pytest.raises(OSError, match="disk I/O error"):
        delivery.step()
    assert delivery.step() > 0
    assert len(sink.events) == 3


def test_an_ill_sink_is_not_tried_before_its_time(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    record(outbox, [an_event(1)])
    sink.error = SinkError("busy", permanent=False, retry_after=40)
    assert delivery.step() == 40
    sink.error = None
    clock.advance(seconds=39)
    assert (delivery.step(), sink.calls) == (1.0, 1)
    clock.advance(seconds=1)
    delivery.step()
    assert sink.calls == 2
    assert list(sink.events.values()) == [an_event(1)]


@pytest.mark.parametrize("failures", [1, SUSPICIOUS_FAILURES + 2, SUSPICIOUS_SILENCES])
def test_what_waited_for_the_end_of_an_outage_arrives_in_order(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock, failures: int
) -> None:
    """Even where the outage ends in the middle of a step."""
    record(outbox, [an_event(number) for number in range(30)])
    sink.error = SinkError("no answer", permanent=False, silent=True)
    for _ in range(failures):
        clock.advance(seconds=delivery.step())
    assert (sink.calls, sink.events) == (failures, {})
    sink.heals_after = 1
    until_settled(delivery, clock)
    assert [*sink.events] == [an_event(number).uuid for number in range(30)]


def test_an_event_that_silences_the_sink_stops_nobody_for_ever(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    record(outbox, [an_event(number) for number in range(20)])
    sink.silencing = {an_event(0).uuid}
    for _ in range(SUSPICIOUS_SILENCES + 1):
        clock.advance(seconds=max(delivery.step(), 0.001))
    assert [*sink.events] == [an_event(number).uuid for number in range(1, 20)]
    assert delivery.health().pending == 1


@pytest.mark.parametrize("healthy_after", range(4))
def test_looking_for_the_ill_event_changes_the_order_of_one(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock, healthy_after: int
) -> None:
    """The sink is well again after so many of the events that are tried alone."""
    record(outbox, [an_event(number) for number in range(30)])
    sink.error = PASSING
    for _ in range(SUSPICIOUS_FAILURES):
        clock.advance(seconds=delivery.step())
    sink.heals_after = 1 + healthy_after
    until_settled(delivery, clock)
    early = [an_event(healthy_after).uuid] if healthy_after else []
    every = [an_event(number).uuid for number in range(30)]
    assert [*sink.events] == [*early, *(uuid for uuid in every if uuid not in early)]


def test_jitter_is_full(outbox: Outbox, sink: IllSink, clock: FakeClock) -> None:
    asked: list[tuple[float, float]] = []

    def least(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    record(outbox, [an_event(1)])
    sink.error = PASSING
    delivery = Delivery(outbox, sink, clock, uniform=least)
    for _ in range(3):
        clock.advance(seconds=delivery.step())
    assert asked == [(0, 1), (0, 2), (0, 4)]


@pytest.mark.parametrize("ill", [[0], [9], [3, 4], [0, 5, 9], [0, 1, 2, 3, 4, 5]], ids=str)
def test_poison_is_isolated_and_the_rest_delivered(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock, ill: list[int]
) -> None:
    record(outbox, [an_event(number) for number in range(10)])
    sink.poison = {an_event(number).uuid for number in ill}
    until_settled(delivery, clock)
    assert sorted(sink.events) == [an_event(number).uuid for number in range(10) if number not in ill]
    assert outbox.counts()["failed"] == {"local": len(ill)}
    assert add_up(outbox) == {"local": 0, "posthog": 0}


def test_a_failed_event_says_why(outbox: Outbox, sink: IllSink, delivery: Delivery) -> None:
    record(outbox, [an_event(1), an_event(2)])
    sink.poison = {an_event(2).uuid}
    delivery.step()
    assert delivery.health().last_error == f"refused {an_event(2).uuid}"


def test_an_event_alone_is_not_failed_before_the_sink_has_taken_another(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    """A host that refuses everything may be the wrong host; the event waits until that is known."""
    record(outbox, [an_event(1)])
    sink.poison = {an_event(1).uuid}
    for _ in range(20):
        clock.advance(seconds=max(delivery.step(), 1))
    assert outbox.recent()[0].sinks["local"] == "pending"
    clock.advance(hours=2)
    record(outbox, [an_event(2)])
    until_settled(delivery, clock)
    assert [recorded.sinks["local"] for recorded in outbox.recent()] == ["delivered", "failed"]


def test_a_sink_that_refuses_everything_burns_nothing(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    events = [an_event(number) for number in range(100)]
    record(outbox, events)
    sink.error = SinkError("nonsense", permanent=True)
    for _ in range(30):
        clock.advance(seconds=max(delivery.step(), 0.001))
    assert delivery.health().pending == 100
    assert sink.calls < 30 * 20  # it is not asked about each of them each time
    sink.error = None
    until_settled(delivery, clock)
    assert sorted(sink.events) == [event.uuid for event in events]


def test_an_event_the_sink_stumbles_over_is_laid_aside(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    record(outbox, [an_event(number) for number in range(20)])
    sink.stumble = {an_event(0).uuid, an_event(7).uuid}
    for _ in range(SUSPICIOUS_FAILURES + 1):
        clock.advance(seconds=max(delivery.step(), 0.001))
    assert sorted(sink.events) == [an_event(number).uuid for number in range(20) if number not in {0, 7}]
    assert delivery.health().pending == 2
    record(outbox, [an_event(20)])
    delivery.step()
    assert an_event(20).uuid in sink.events  # the two stop nobody
    sink.stumble = set()
    until_settled(delivery, clock)
    assert len(sink.events) == 21


def test_a_sink_that_is_down_for_long_has_nothing_laid_aside(
    outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock
) -> None:
    events = [an_event(number) for number in range(50)]
    record(outbox, events)
    sink.error = PASSING
    for _ in range(40):
        clock.advance(seconds=max(delivery.step(), 0.001))
    sink.error = None
    until_settled(delivery, clock)
    assert list(sink.events.values()) == events
    assert (outbox.counts()["delivered"], outbox.claim("local", 10).due) == ({"local": 50}, [])


def test_only_who_may_run_delivers(outbox: Outbox, sink: IllSink, clock: FakeClock) -> None:
    record(outbox, [an_event(1)])
    may = False
    delivery = Delivery(outbox, sink, clock, may_run=lambda: may)
    delivery.step()
    assert (sink.calls, delivery.health().state) == (0, "standby")
    may = True
    delivery.step()
    assert (sink.calls, delivery.health().state) == (1, "delivering")


def test_health_tells_what_is_the_matter(outbox: Outbox, sink: IllSink, delivery: Delivery, clock: FakeClock) -> None:
    record(outbox, [an_event(1), an_event(2)])
    sink.error = SinkError("busy", permanent=False, retry_after=30)
    delivery.step()
    now = an_event(0).timestamp
    health = delivery.health()
    assert (health.state, health.failures, health.next_attempt_at) == ("waiting", 1, now + 30_000)
    assert (health.last_error, health.last_error_at, health.last_success_at) == ("busy", now, None)
    assert (health.pending, health.oldest) == (2, an_event(1).recorded_at)
    sink.error = None
    clock.advance(seconds=30)
    delivery.step()
    delivery.step()
    health = delivery.health()
    assert (health.state, health.failures, health.next_attempt_at) == ("idle", 0, None)
    assert (health.last_success_at, health.pending, health.oldest) == (now + 30_000, 0, None)


# In real time, in threads


def wait_for(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_woken_delivery_does_not_wait_for_its_next_look(
    outbox: Outbox, sink: IllSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "IDLE_SECONDS", 60.0)
    delivery = Delivery(outbox, sink)
    delivery.start()
    try:
        wait_for(lambda: delivery.health().state == "idle")
        record(outbox, [an_event(1)])
        delivery.wake()
        wait_for(lambda: sink.events)
    finally:
        delivery.stop()
    assert delivery.health().state == "stopped"


def test_what_comes_while_the_last_of_many_is_read_ahead_does_not_wait(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(MemorySink):
        batch = 2

        def deliver(self, events: Sequence[Event]) -> None:
            if not self.events:
                wait_for(lambda: "delivery-ahead" not in {thread.name for thread in threading.enumerate()})
                record(outbox, [an_event(3)])
                woken.wake()
            super().deliver(events)

    monkeypatch.setattr(delivery_module, "IDLE_SECONDS", 60.0)
    sink = Slow("local")
    woken = Delivery(outbox, sink)
    record(outbox, [an_event(number) for number in range(3)])
    woken.start()
    try:
        wait_for(lambda: len(sink.events) == 4)
    finally:
        woken.stop()


def test_one_sinks_hanging_delays_neither_the_other_nor_the_end(outbox: Outbox) -> None:
    class HangingSink(MemorySink):
        release = threading.Event()

        def deliver(self, events: Sequence[Event]) -> None:
            self.release.wait(60)

    hanging, well = HangingSink("posthog"), MemorySink("local")
    deliveries = [Delivery(outbox, hanging), Delivery(outbox, well)]
    record(outbox, [an_event(number) for number in range(10)])
    for delivery in deliveries:
        delivery.start()
    wait_for(lambda: len(well.events) == 10)
    for delivery in deliveries:
        delivery.stop(timeout=0.1)
    assert outbox.backlog("posthog").pending == 10
    hanging.release.set()


def test_a_database_that_fails_for_a_while_does_not_end_the_delivery(outbox: Outbox, sink: IllSink) -> None:
    class Fragile(Outbox):
        broken = True

        def claim(self, sink: str, limit: int, fresh: Sequence[Claimed] = ()) -> Batch:
            if self.broken:
                raise OSError("disk I/O error")
            return super().claim(sink, limit, fresh)

    fragile = Fragile(outbox.transaction, outbox.reading)
    delivery = Delivery(fragile, sink, uniform=lambda _, __: 0.05)
    delivery.start()
    try:
        record(outbox, [an_event(1)])
        wait_for(lambda: delivery.health().failures > 1)
        fragile.broken = False
        wait_for(lambda: sink.events)
    finally:
        delivery.stop()
