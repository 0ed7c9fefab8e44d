"""When the ping is due: 30 s after start, then daily at a time picked at start, whatever the clock does."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_ui.telemetry.schedule import Schedule

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def run(schedule: Schedule, moments: list[datetime], *, initialised: bool = True) -> list[datetime]:
    due = []
    for now in moments:
        schedule, is_due = schedule.tick(now, initialised=initialised)
        if is_due:
            due.append(now)
    return due


def every(seconds: int, start: datetime, hours: float) -> list[datetime]:
    return [start + timedelta(seconds=n * seconds) for n in range(int(hours * 3600 / seconds) + 1)]


def test_thirty_seconds_after_start_then_daily_at_the_picked_time() -> None:
    half_past_three = Schedule(3 * 3600 + 30 * 60)
    assert run(half_past_three, every(10, START, 72)) == [
        datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC),
        datetime(2026, 11, 24, 3, 30, 0, tzinfo=UTC),
        datetime(2026, 11, 25, 3, 30, 0, tzinfo=UTC),
        datetime(2026, 11, 26, 3, 30, 0, tzinfo=UTC),
    ]


def test_nothing_before_the_platform_is_initialised() -> None:
    assert run(Schedule(0), every(10, START, 72), initialised=False) == []


def test_initialising_later_starts_the_thirty_seconds_then() -> None:
    schedule = Schedule(0)
    for now in every(10, START, 1):
        schedule, due = schedule.tick(now, initialised=False)
        assert not due
    later = START + timedelta(hours=1)
    assert run(schedule, every(10, later, 0.1)) == [later + timedelta(seconds=30)]


def test_a_laptop_that_slept_for_a_week_sends_once() -> None:
    schedule, _ = Schedule(3600).tick(START, initialised=True)
    schedule, first = schedule.tick(START + timedelta(seconds=31), initialised=True)
    woken = START + timedelta(days=7)
    assert (first, run(schedule, every(10, woken, 1))) == (True, [woken])


def test_a_clock_set_back_does_not_silence_the_ping() -> None:
    schedule, _ = Schedule(12 * 3600).tick(datetime(2030, 1, 1, tzinfo=UTC), initialised=True)
    assert run(schedule, every(60, START, 24)) == [datetime(2026, 11, 23, 12, tzinfo=UTC)]


def test_summer_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both nights on which the machine's own clock jumps: the pings stay 24 hours apart."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        for night in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
            assert time.localtime(night.timestamp()).tm_isdst != time.localtime(night.timestamp() + 172_800).tm_isdst
            due = run(Schedule(3600), every(10, night, 72))
            assert due[1:] == [night + timedelta(days=day, hours=1) for day in range(3)]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_daily_time_is_drawn_from_the_whole_day() -> None:
    drawn = {Schedule.pick(random.Random(seed)).second_of_day // 3600 for seed in range(1_000)}
    assert drawn == set(range(24))


@given(
    st.integers(0, 86_399),
    st.lists(st.integers(-3 * 86_400, 3 * 86_400), min_size=1, max_size=40),
)
def test_no_more_than_one_a_day_and_never_stuck_whatever_the_clock_does(second: int, jumps: list[int]) -> None:
    schedule, now = Schedule(second), START
    for jump in jumps:
        now += timedelta(seconds=jump)
        before = schedule.due
        schedule, due = schedule.tick(now, initialised=True)
        assert due == (before is not None and before <= now)
        assert schedule.due is not None
        assert timedelta(0) < schedule.due - now <= timedelta(hours=24)
        if before is not None and schedule.due != before:
            assert (schedule.due - START.replace(hour=0)) % timedelta(hours=24) == timedelta(seconds=second)
        _, twice = schedule.tick(now, initialised=True)
        assert not twice
