"""The durable log, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from flowforge_ui.database import reading, transaction
from flowforge_ui.telemetry.event import milliseconds
from flowforge_ui.telemetry.outbox import Outbox, SinkRecord
from flowforge_ui.telemetry.outbox import fresh as fresh_events
from tests.conftest import FakeClock
from tests.support.outbox import BOTH, add_up, an_event, outbox_on, record


def fresh(outbox: Outbox, sink: str, limit: int = 100) -> list[str]:
    return [claimed.event.uuid for claimed in outbox.claim(sink, limit).fresh]


def test_what_is_recorded_comes_out_as_it_went_in(any_outbox: Outbox) -> None:
    events = [an_event(number) for number in range(3)]
    record(any_outbox, events)
    assert [claimed.event for claimed in any_outbox.claim("posthog", 2).fresh] == events[:2]
    assert [claimed.event for claimed in any_outbox.claim("local", 100).fresh] == events


def test_an_act_that_is_rolled_back_leaves_nothing(any_outbox: Outbox) -> None:
    def act() -> None:
        with any_outbox.transaction() as tx:
            any_outbox.record(tx, an_event(1), BOTH)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert (fresh(any_outbox, "local"), any_outbox.counts()) == ([], {})


def test_the_drivers_error_comes_in_sqlalchemys_terms_and_undoes_the_act(any_outbox: Outbox) -> None:
    def act() -> None:
        with any_outbox.transaction() as tx:
            any_outbox.record(tx, an_event(1), BOTH)
            any_outbox.record(tx, replace(an_event(2), name=None), BOTH)  # type: ignore[arg-type]

    with pytest.raises(IntegrityError):
        act()
    assert (any_outbox.recent(), any_outbox.counts()) == ([], {})
    with any_outbox.reading() as tx, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        any_outbox.record(tx, an_event(3), BOTH)
    record(any_outbox, [an_event(4)])
    assert any_outbox.counts()["accepted"] == {"server": 1}


def test_a_connection_that_is_lost_is_given_up(postgres_engine: Engine, clock: FakeClock) -> None:
    outbox = outbox_on(postgres_engine, clock)

    def act() -> None:
        with outbox.transaction() as tx:
            lost = tx.scalar(text("SELECT pg_backend_pid()"))
            with postgres_engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:lost, 5000)"), {"lost": lost})
            outbox.record(tx, an_event(1), BOTH)

    with pytest.raises(OperationalError) as error:
        act()
    assert error.value.connection_invalidated is True
    record(outbox, [an_event(2)])
    assert fresh(outbox, "local") == [an_event(2).uuid]


def test_each_sink_has_its_own_progress(any_outbox: Outbox) -> None:
    record(any_outbox, [an_event(1), an_event(2)])
    record(any_outbox, [an_event(3)], ["local"])
    any_outbox.done("local", any_outbox.claim("local", 1).fresh)
    assert fresh(any_outbox, "local") == [an_event(2).uuid, an_event(3).uuid]
    assert fresh(any_outbox, "posthog") == [an_event(1).uuid, an_event(2).uuid]
    assert [recorded.sinks for recorded in any_outbox.recent()] == [
        {"local": "pending"},
        {"local": "pending", "posthog": "pending"},
        {"local": "delivered", "posthog": "pending"},
    ]


def test_a_repeated_uuid_is_counted_and_not_kept_twice(any_outbox: Outbox) -> None:
    sent = replace(an_event(1), origin="browser")
    record(any_outbox, [sent, sent])
    record(any_outbox, [sent])
    assert fresh(any_outbox, "local") == [sent.uuid]
    assert any_outbox.counts() == {
        "accepted": {"browser": 1},
        "dropped": {"duplicate": 2},
        "addressed": {"local": 1, "posthog": 1},
    }


def test_doing_it_twice_changes_nothing(any_outbox: Outbox) -> None:
    record(any_outbox, [an_event(1)])
    claimed = any_outbox.claim("local", 10).fresh
    any_outbox.done("local", claimed)
    any_outbox.done("local", claimed)
    any_outbox.failed("local", claimed[0], "too late")
    assert any_outbox.counts()["delivered"] == {"local": 1}
    assert "failed" not in any_outbox.counts()
    assert add_up(any_outbox) == {"local": 0, "posthog": 0}


def test_a_parked_event_comes_back_when_it_is_due(any_outbox: Outbox, clock: FakeClock) -> None:
    record(any_outbox, [an_event(1), an_event(2)])
    first = any_outbox.claim("local", 10).fresh[0]
    any_outbox.park("local", first, clock.now + timedelta(minutes=1), "stumbled")
    assert fresh(any_outbox, "local") == [an_event(2).uuid]
    assert any_outbox.claim("local", 10).due == []
    clock.advance(minutes=1)
    (due,) = any_outbox.claim("local", 10).due
    assert (due.event, due.attempts) == (an_event(1), 1)
    assert any_outbox.backlog("local").pending == 2
    any_outbox.done("local", [due])
    assert any_outbox.claim("local", 10).due == []


def test_a_failed_event_is_settled_for_that_sink_only(any_outbox: Outbox) -> None:
    record(any_outbox, [an_event(1)])
    any_outbox.failed("posthog", any_outbox.claim("posthog", 1).fresh[0], "refused")
    assert any_outbox.recent()[0].sinks == {"local": "pending", "posthog": "failed"}
    assert add_up(any_outbox) == {"local": 0, "posthog": 0}


def test_a_sink_that_is_switched_off_is_waited_for_no_more(any_outbox: Outbox) -> None:
    record(any_outbox, [an_event(1), an_event(2)])
    assert any_outbox.abandon("posthog", chunk=1) == 2
    assert any_outbox.abandon("posthog") == 0
    assert (fresh(any_outbox, "posthog"), fresh(any_outbox, "local")) == ([], [an_event(1).uuid, an_event(2).uuid])
    assert any_outbox.counts()["abandoned"] == {"posthog": 2}


def test_what_was_laid_aside_can_be_dropped(any_outbox: Outbox, clock: FakeClock) -> None:
    record(any_outbox, [an_event(1)])
    any_outbox.park("posthog", any_outbox.claim("posthog", 1).fresh[0], clock.now, "stumbled")
    assert any_outbox.abandon("posthog") == 1
    assert any_outbox.claim("posthog", 1).due == []
    assert any_outbox.recent()[0].sinks == {"local": "pending", "posthog": "abandoned"}
    assert add_up(any_outbox) == {"local": 0, "posthog": 0}


def test_what_is_dropped_while_a_sink_is_given_it_stays_dropped(any_outbox: Outbox, clock: FakeClock) -> None:
    """The counters have said so; what the log says of each event has to agree."""
    record(any_outbox, [an_event(1), an_event(2), an_event(3)], ["local"])
    claimed = any_outbox.claim("local", 3).fresh
    with any_outbox.transaction() as tx:
        any_outbox.forget(tx, "u_alice")
    any_outbox.done("local", claimed[:1])
    any_outbox.park("local", claimed[1], clock.now, "stumbled")
    any_outbox.failed("local", claimed[2], "refused")
    assert [recorded.sinks for recorded in any_outbox.recent()] == [{"local": "abandoned"}] * 3
    assert any_outbox.claim("local", 3).due == []
    assert {kind: found for kind, found in any_outbox.counts().items() if kind in {"delivered", "failed"}} == {}
    assert any_outbox.counts()["abandoned"] == {"local": 3}


def test_who_opts_out_is_forgotten_where_it_is_not_told_yet(any_outbox: Outbox) -> None:
    record(any_outbox, [an_event(1, "u_alice"), an_event(2, "u_bob"), an_event(3, "u_alice")])
    any_outbox.done("local", any_outbox.claim("local", 1).fresh)
    with any_outbox.transaction() as tx:
        assert any_outbox.forget(tx, "u_alice") == 3
    assert (fresh(any_outbox, "local"), fresh(any_outbox, "posthog")) == ([an_event(2).uuid], [an_event(2).uuid])
    assert any_outbox.counts()["abandoned"] == {"local": 1, "posthog": 2}
    assert add_up(any_outbox) == {"local": 0, "posthog": 0}


def test_pruning_takes_what_is_old_and_told_everywhere(any_outbox: Outbox, clock: FakeClock) -> None:
    record(any_outbox, [an_event(number) for number in range(5)])
    any_outbox.done("local", any_outbox.claim("local", 5).fresh)
    any_outbox.done("posthog", any_outbox.claim("posthog", 4).fresh)
    assert any_outbox.prune(clock.now) == 0
    counts = any_outbox.counts()
    assert any_outbox.prune(clock.now + timedelta(seconds=1), chunk=3) == 4
    assert [recorded.event for recorded in any_outbox.recent()] == [an_event(4)]
    assert any_outbox.counts() == counts


def test_pruning_goes_past_what_waits_and_what_a_wrong_clock_has_dated(any_outbox: Outbox, clock: FakeClock) -> None:
    ahead = milliseconds(clock.now + timedelta(days=3000))
    dated = [replace(an_event(number), recorded_at=ahead) for number in range(3, 9)]
    record(any_outbox, [*(an_event(number) for number in range(3)), *dated, an_event(9)], ["local"])
    record(any_outbox, [replace(an_event(10), recorded_at=milliseconds(clock.now))], ["local"])
    claimed = any_outbox.claim("local", 20).fresh
    any_outbox.done("local", claimed[1:])
    clock.advance(days=1)
    assert any_outbox.prune(clock.now - timedelta(hours=23), chunk=2) == 4
    assert [recorded.event.uuid for recorded in any_outbox.recent()] == [
        *(event.uuid for event in reversed(dated)),
        an_event(0).uuid,
    ]


def test_pruning_takes_what_is_known_of_a_failure_along(any_outbox: Outbox, any_engine: Engine) -> None:
    record(any_outbox, [an_event(1)], ["local"])
    any_outbox.failed("local", any_outbox.claim("local", 1).fresh[0], "refused")
    assert any_outbox.prune(any_outbox._clock() + timedelta(days=1)) == 1
    with reading(any_engine) as tx:
        assert tx.scalar(text("SELECT count(*) FROM outbox_trouble")) == 0


def test_backlog_and_health(any_outbox: Outbox, clock: FakeClock) -> None:
    assert any_outbox.sink_record("local") == SinkRecord()
    record(any_outbox, [an_event(5), an_event(6)])
    backlog = any_outbox.backlog("local")
    assert (backlog.pending, backlog.oldest) == (2, an_event(5).recorded_at)
    any_outbox.trouble("local", "disk full")
    at = an_event(0).timestamp
    assert any_outbox.sink_record("local") == SinkRecord(None, at, "disk full")
    clock.advance(seconds=1)
    any_outbox.done("local", any_outbox.claim("local", 5).fresh)
    assert any_outbox.sink_record("local") == SinkRecord(at + 1000, at, "disk full")
    assert any_outbox.backlog("local").pending == 0


def test_a_lower_id_that_commits_later_is_not_skipped(postgres_engine: Engine) -> None:
    """Why there is no cursor: two transactions, the first to begin is the last to commit."""
    outbox = outbox_on(postgres_engine, FakeClock())
    began, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction(postgres_engine) as tx:
            outbox.record(tx, an_event(1), BOTH)
            began.set()
            go_on.wait(30)

    thread = threading.Thread(target=slow)
    thread.start()
    began.wait(30)
    record(outbox, [an_event(2)])  # neither waits for the other: the counters are not locked
    claimed = outbox.claim("local", 10).fresh
    assert [item.event for item in claimed] == [an_event(2)]
    outbox.done("local", claimed)
    go_on.set()
    thread.join()
    assert fresh(outbox, "local") == [an_event(1).uuid]
    assert outbox.counts()["accepted"] == {"server": 2}
    outbox.prune(outbox._clock() - timedelta(days=1))  # adds up the counters' rows
    assert outbox.counts()["accepted"] == {"server": 2}


@pytest.mark.parametrize("sink", BOTH)
def test_the_backlog_of_one_sink_is_found_without_the_others(any_engine: Engine, sink: str) -> None:
    """A sink that has fallen far behind must not make the other's claims slow: neither searched nor sorted."""
    outbox = outbox_on(any_engine, FakeClock())
    record(outbox, [an_event(number) for number in range(50)])
    statement = fresh_events(sink, 10).compile(any_engine, compile_kwargs={"literal_binds": True})
    with transaction(any_engine) as tx:
        explain = "EXPLAIN QUERY PLAN" if any_engine.dialect.name == "sqlite" else "EXPLAIN"
        if any_engine.dialect.name == "postgresql":  # which finds other ways through so few rows
            for way in ("seqscan", "bitmapscan", "sort"):
                tx.execute(text(f"SET LOCAL enable_{way} = off"))
        plan = " ".join(str(row) for row in tx.exec_driver_sql(f"{explain} {statement}"))
    key = {
        "sqlite": "SEARCH outbox_pending USING PRIMARY KEY (sink=? AND outbox_id>?)",
        "postgresql": "using pk_outbox_pending",
    }
    assert key[any_engine.dialect.name] in plan
    assert not re.search("B-TREE FOR ORDER|Sort", plan)


def test_two_processes_writing_the_same_uuid_keep_one(any_engine: Engine) -> None:
    outbox = outbox_on(any_engine, FakeClock())
    events = [replace(an_event(number), origin="browser") for number in range(20)]
    threads = [threading.Thread(target=record, args=(outbox, events)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fresh(outbox, "local")) == 20
    counts = outbox.counts()
    assert (counts["accepted"], counts["dropped"]) == ({"browser": 20}, {"duplicate": 60})
