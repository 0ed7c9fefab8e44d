"""The platform's own acts on their way into the log."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from flowforge_ui.database import after_commit, transaction
from flowforge_ui.telemetry.event import Event, Subject
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.recorder import NullRecorder, OutboxRecorder
from flowforge_ui.telemetry.values import uuid_text
from tests.conftest import FakeClock

TEAM = "t_" + "a" * 26
ALICE = Subject("u_alice", role="admin")


def recorder(plan: Plan, outbox: Outbox, clock: FakeClock, *sinks: str, **options: Any) -> OutboxRecorder:
    return OutboxRecorder(plan, outbox, lambda: sinks, app_version="0.9.0", clock=clock, **options)


def stored(outbox: Outbox) -> list[Event]:
    return [recorded.event for recorded in reversed(outbox.recent())]


def test_an_act_is_recorded_with_it(any_outbox: Outbox, plan: Plan, clock: FakeClock) -> None:
    with any_outbox.transaction() as tx:
        recorder(plan, any_outbox, clock, "local").record(tx, "team created", ALICE, {"team": TEAM})
    (event,) = stored(any_outbox)
    now = int(clock.now.timestamp() * 1000)
    assert event == Event(
        event.uuid,
        "team created",
        "u_alice",
        now,
        {"team": TEAM, "app_version": "0.9.0", "role": "admin", "source": "server"},
        "server",
        now,
    )
    assert any_outbox.recent()[0].sinks == {"local": "pending"}


def test_each_act_is_an_event_of_its_own(outbox: Outbox, plan: Plan, clock: FakeClock) -> None:
    with outbox.transaction() as tx:
        for _ in range(3):
            recorder(plan, outbox, clock, "local").record(tx, "logged in", ALICE, {})
    assert len({event.uuid for event in stored(outbox)}) == 3


def test_who_opted_out_is_not_recorded(outbox: Outbox, plan: Plan, clock: FakeClock) -> None:
    with outbox.transaction() as tx:
        recorder(plan, outbox, clock, "local").record(tx, "logged in", Subject("u_alice", opted_out=True), {})
    assert (stored(outbox), outbox.counts()) == ([], {"dropped": {"opted_out": 1}})


def test_where_no_sink_is_on_nothing_is_written(outbox: Outbox, plan: Plan, clock: FakeClock) -> None:
    with outbox.transaction() as tx:
        recorder(plan, outbox, clock).record(tx, "logged in", ALICE, {})
        NullRecorder().record(tx, "logged in", ALICE, {})
    assert (stored(outbox), outbox.counts()) == ([], {})


@pytest.mark.parametrize(("name", "reason"), [("team deleted", "unknown_event"), ("$pageview", "wrong_side")])
def test_what_is_not_in_the_plan_harms_no_act(outbox: Outbox, plan: Plan, name: str, reason: str) -> None:
    with outbox.transaction() as tx:
        recorder(plan, outbox, FakeClock(), "local").record(tx, name, ALICE, {})
    assert (stored(outbox), outbox.counts()) == ([], {"dropped": {reason: 1}})


def test_what_is_not_in_the_plan_is_said_in_the_log(
    outbox: Outbox, plan: Plan, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with outbox.transaction() as tx:
        recorder(plan, outbox, clock, "local").record(tx, "team deleted", ALICE, {})
    assert caplog.messages == ["Event 'team deleted' is not in the plan: unknown_event"]


def test_nobody_is_identified_where_nobody_shall_be(outbox: Outbox, plan: Plan, clock: FakeClock) -> None:
    with outbox.transaction() as tx:
        for _ in range(2):
            recorder(plan, outbox, clock, "local", identity="anonymous").record(tx, "logged in", ALICE, {})
    subjects = [event.distinct_id for event in stored(outbox)]
    assert len(set(subjects)) == 2
    assert all(uuid_text(subject) for subject in subjects)


def test_delivery_is_woken_after_the_commit_and_only_then(
    engine: Engine, outbox: Outbox, plan: Plan, clock: FakeClock
) -> None:
    woken: list[int] = []
    waking = recorder(
        plan,
        outbox,
        clock,
        "local",
        after_commit=after_commit,
        wake=lambda: woken.append(outbox.backlog("local").pending),
    )

    def act(*, fails: bool) -> None:
        with transaction(engine) as tx:
            waking.record(tx, "logged in", ALICE, {})
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        act(fails=True)
    assert woken == []
    act(fails=False)
    assert woken == [1]
