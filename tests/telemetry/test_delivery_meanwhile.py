"""What happens between the beginning and the end of one step of a delivery."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from flowforge_ui.telemetry.delivery import SUSPICIOUS_FAILURES, Delivery
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.sinks import MemorySink, SinkError
from tests.conftest import FakeClock
from tests.support.ill_sink import PASSING, IllSink, most
from tests.support.outbox import add_up, an_event, outbox_on, record

EVENTS = range(16)
POISON = 13


@pytest.fixture
def sink(outbox: Outbox) -> IllSink:
    """Sixteen events wait for it; one of them has to be looked for by halves."""
    sink = IllSink()
    sink.poison = {an_event(POISON).uuid}
    record(outbox, [an_event(number, "u_bob" if number % 2 else "u_alice") for number in EVENTS], ["local"])
    return sink


def told(sink: MemorySink) -> list[int]:
    return [int(uuid[-12:], 16) for uuid in sink.events]


def test_who_opts_out_in_the_middle_of_a_step_is_not_told_of(outbox: Outbox, sink: IllSink, clock: FakeClock) -> None:
    def bob_opts_out() -> None:
        if sink.calls == 2:
            with outbox.transaction() as tx:
                outbox.forget(tx, "u_bob")

    sink.when_asked = bob_opts_out
    Delivery(outbox, sink, clock).step()
    # The second request was under way: what it had carried is with the sink.
    assert told(sink) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14]
    assert outbox.counts()["abandoned"] == {"local": 8}
    assert outbox.counts()["delivered"] == {"local": 4 + 4}


def test_who_may_no_longer_deliver_stops_in_the_middle_of_a_step(
    outbox: Outbox, sink: IllSink, clock: FakeClock
) -> None:
    delivery = Delivery(outbox, sink, clock, may_run=lambda: sink.calls < 2)
    delivery.step()
    assert told(sink) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert (sink.calls, outbox.backlog("local").pending) == (2, 8)
    delivery.step()
    assert (sink.calls, delivery.health().state) == (2, "standby")


@pytest.mark.parametrize("which", ["all", "bob"])
def test_whoever_has_opted_out_elsewhere_is_told_of_to_nobody(
    outbox: Outbox, sink: IllSink, clock: FakeClock, which: str
) -> None:
    """Another process may take events in for a moment after it."""
    sink.poison = set()
    gone = {"u_alice", "u_bob"} if which == "all" else {"u_bob"}
    delivery = Delivery(outbox, sink, clock, opted_out=gone.intersection)
    delivery.step()
    assert told(sink) == ([] if which == "all" else [number for number in EVENTS if number % 2 == 0])
    assert (outbox.backlog("local").pending, add_up(outbox)) == (0, {"local": 0, "posthog": 0})


@pytest.fixture
def aside(outbox: Outbox, sink: IllSink, clock: FakeClock) -> Delivery:
    """All of the sixteen are laid aside, and their time has come."""
    delivery = Delivery(outbox, sink, clock, uniform=most)
    for claimed in outbox.claim("local", 100).fresh:
        outbox.park("local", claimed, clock(), "busy")
    return delivery


def test_what_was_laid_aside_waits_as_long_as_the_sink_asks_for(
    aside: Delivery, sink: IllSink, clock: FakeClock
) -> None:
    sink.error = SinkError("too many", permanent=False, retry_after=3600)
    assert aside.step() == 3600
    assert (aside.health().state, aside.health().failures, sink.calls) == ("waiting", 1, 1)
    clock.advance(seconds=3599)
    aside.step()
    assert sink.calls == 1
    sink.error = None
    clock.advance(seconds=1)
    aside.step()
    assert len(told(sink)) == len(EVENTS) - 1


def test_what_was_laid_aside_is_tried_more_and_more_seldom_and_keeps_nobody_waiting(
    aside: Delivery, outbox: Outbox, sink: IllSink, clock: FakeClock
) -> None:
    sink.error = PASSING
    tried: list[int] = []
    for second in range(100):
        aside.step()
        if sink.calls > len(tried):
            tried.append(second)
        clock.advance(seconds=1)
    assert tried == [0, 1, 3, 7, 15, 31, 63]
    sink.error, sink.poison, sink.stumble = None, set(), {an_event(number).uuid for number in EVENTS}
    record(outbox, [an_event(20)], ["local"])
    aside.step()
    assert told(sink) == [20]


def test_a_lower_number_that_was_committed_later_does_not_wait_for_the_end_of_what_was_read_ahead(
    postgres_engine: Engine, clock: FakeClock
) -> None:
    outbox = outbox_on(postgres_engine, clock)
    sink = IllSink(batch=2)
    delivery = Delivery(outbox, sink, clock)
    with outbox.transaction() as late:
        outbox.record(late, an_event(0), ["local"])
        record(outbox, [an_event(number) for number in range(1, 7)], ["local"])
        delivery.step()
    delivery.step()
    delivery.step()
    delivery.stop()
    assert [[int(uuid[-12:], 16) for uuid in batch] for batch in sink.batches] == [[1, 2], [0, 3], [4, 5]]


def test_a_sink_that_is_ill_for_long_is_told_in_order_of_what_still_waits(
    outbox: Outbox, sink: IllSink, clock: FakeClock
) -> None:
    """Looked at one by one, what was dropped meanwhile is left out."""
    delivery = Delivery(outbox, sink, clock, uniform=most)
    sink.poison, sink.error = set(), PASSING
    for _ in range(SUSPICIOUS_FAILURES):
        clock.advance(seconds=delivery.step())
    calls = sink.calls

    def bob_opts_out() -> None:
        if sink.calls == calls + 2:
            sink.error = None
            with outbox.transaction() as tx:
                outbox.forget(tx, "u_bob")

    sink.when_asked = bob_opts_out
    delivery.step()
    assert told(sink) == [number for number in EVENTS if number % 2 == 0]
