"""Group commit: many requests, few transactions, every answer true."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, OperationalError

from flowforge_ui.database import open_engine
from flowforge_ui.telemetry.intake import Intake, Overloaded, Unavailable
from flowforge_ui.telemetry.outbox import InsertRow, Outbox
from tests.conftest import FakeClock
from tests.support.outbox import an_event, outbox_on


def row(outbox: Outbox, number: int) -> InsertRow:
    return outbox.row(an_event(number), 3)


class Watched(Outbox):
    """Counts transactions, can be made to fail, and can hold the first one until it is let go."""

    def __init__(self, outbox: Outbox, clock: FakeClock) -> None:
        self.transactions = 0
        self.error: Exception | None = None
        self.ill: set[str] = set()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

        @contextmanager
        def transaction() -> Iterator[Connection]:
            self.transactions += 1
            with outbox.transaction() as tx:
                self.begun.set()
                self.go_on.wait(30)
                if self.error:
                    raise self.error
                yield tx

        super().__init__(transaction, outbox.reading, clock)

    def write(self, tx, rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 -- as its parent's
        if self.ill & {row[0] for row in rows}:
            raise DataError("INSERT", {}, ValueError("ill"))
        return super().write(tx, rows)


@pytest.fixture
def watched(outbox: Outbox, clock: FakeClock) -> Watched:
    return Watched(outbox, clock)


def in_threads(intake: Intake, watched: Watched, numbers: range) -> dict[int, Exception | None]:
    """The first request's transaction is held until all the others wait."""
    results: dict[int, Exception | None] = {}

    def hand_in(number: int) -> None:
        try:
            intake.commit([row(watched, number)], Counter())
            results[number] = None
        except (Unavailable, Overloaded) as error:
            results[number] = error

    watched.go_on.clear()
    threads = [threading.Thread(target=hand_in, args=(number,)) for number in numbers]
    threads[0].start()
    watched.begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(intake._queue) + len(results) < len(numbers) - 1:
        threading.Event().wait(0.005)
    watched.go_on.set()
    for thread in threads:
        thread.join(30)
    return results


def test_what_waits_together_is_written_together(watched: Watched) -> None:
    woken: list[int] = []
    results = in_threads(Intake(watched, wake=lambda: woken.append(1)), watched, range(30))
    assert results == dict.fromkeys(range(30))
    assert watched.transactions == 2
    assert watched.counts()["accepted"] == {"server": 30}
    assert len(woken) == 30


def test_a_transaction_has_a_size(watched: Watched) -> None:
    in_threads(Intake(watched, group=10), watched, range(31))
    assert watched.transactions == 4
    assert watched.counts()["accepted"] == {"server": 31}


def test_a_lone_request_waits_for_nobody(watched: Watched) -> None:
    intake = Intake(watched)
    for number in range(3):
        intake.commit([row(watched, number)], Counter({("dropped", "too_old"): 2}))
    assert watched.transactions == 3
    assert watched.counts() == {
        "accepted": {"server": 3},
        "dropped": {"too_old": 6},
        "addressed": {"local": 3, "posthog": 3},
    }


def test_too_many_waiting_are_refused_at_once(watched: Watched) -> None:
    intake = Intake(watched, waiting=5)
    results = in_threads(intake, watched, range(12))
    refused = [number for number, error in results.items() if isinstance(error, Overloaded)]
    assert len(refused) == 12 - 6
    assert watched.counts()["accepted"] == {"server": 6}
    intake.commit([row(watched, number) for number in range(20, 40)], Counter())  # one large request alone may come


def test_a_failing_database_is_told_to_everybody(watched: Watched) -> None:
    watched.error = OperationalError("INSERT", {}, OSError("disk full"))
    intake = Intake(watched)
    intake.note("refused", "bad_json")
    results = in_threads(intake, watched, range(8))
    assert {type(error) for error in results.values()} == {Unavailable}
    assert watched.transactions == 2
    watched.error = None
    intake.commit([row(watched, 1)], Counter())
    assert watched.counts()["accepted"] == {"server": 1}
    assert watched.counts()["refused"] == {"bad_json": 1}


def test_an_error_of_any_kind_leaves_nobody_waiting(watched: Watched) -> None:
    watched.error = RuntimeError("unheard of")
    assert {type(error) for error in in_threads(Intake(watched), watched, range(4)).values()} == {Unavailable}


def test_one_that_cannot_be_stored_harms_only_itself(watched: Watched) -> None:
    watched.ill = {an_event(3).uuid}
    results = in_threads(Intake(watched), watched, range(6))
    assert [number for number, error in sorted(results.items()) if error] == [3]
    assert watched.counts()["accepted"] == {"server": 5}


def test_what_is_noted_goes_with_the_next_or_with_a_flush(watched: Watched) -> None:
    intake = Intake(watched)
    intake.note("refused", "bad_json")
    intake.note("refused", "bad_json", 2)
    assert watched.counts() == {}
    intake.flush()
    intake.flush()
    assert (watched.counts(), watched.transactions) == ({"refused": {"bad_json": 3}}, 1)


def test_what_cannot_be_written_now_stays_noted(watched: Watched) -> None:
    intake = Intake(watched)
    intake.note("refused", "bad_json")
    watched.error = OperationalError("INSERT", {}, OSError("disk full"))
    intake.flush()
    watched.error = None
    intake.flush()
    assert watched.counts() == {"refused": {"bad_json": 1}}


def test_two_processes_that_are_given_the_same_in_another_order_do_not_hinder_each_other(
    postgres_engine: Engine, clock: FakeClock
) -> None:
    """Without a common order each would wait for what the other has written, and one of them be turned away."""
    other = open_engine(postgres_engine.url)
    errors: list[Exception] = []

    def hand_in(intake: Intake, outbox: Outbox, order: int) -> None:
        for start in range(0, 6_000, 300):
            together.wait()
            rows = [outbox.row(replace(an_event(start + number), origin="browser"), 3) for number in range(300)]
            try:
                intake.commit(rows[::order], Counter())
            except Unavailable as error:
                errors.append(error)

    together = threading.Barrier(2)
    outboxes = [outbox_on(engine, clock) for engine in (postgres_engine, other)]
    threads = [
        threading.Thread(target=hand_in, args=(Intake(outbox), outbox, order))
        for outbox, order in zip(outboxes, (1, -1), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.dispose()
    assert errors == []
    assert outboxes[0].counts() == {
        "accepted": {"browser": 6_000},
        "addressed": {"local": 6_000, "posthog": 6_000},
        "dropped": {"duplicate": 6_000},
    }
