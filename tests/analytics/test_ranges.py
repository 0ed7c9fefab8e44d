"""Which days are shown, and which they are compared with."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_ui.analytics.ranges import DateRange, InvalidRange, chosen_range
from tests.analytics.events import at

NOW = at("2026-11-23 07:14")


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ("2026-10-27", "2026-11-23")),
        ("2026-11-01", None, ("2026-11-01", "2026-11-23")),
        (None, "2026-11-10", ("2026-10-14", "2026-11-10")),
        ("2026-12-24", None, ("2026-12-24", "2026-12-24")),  # not begun yet
        ("2026-11-23", "2026-11-23", ("2026-11-23", "2026-11-23")),
        ("2020-01-01", None, ("2020-01-01", "2021-12-31")),
        (None, "2000-01-05", ("2000-01-01", "2000-01-05")),
    ],
)
def test_what_is_not_said_is_filled(first: str | None, last: str | None, expected: tuple[str, str]) -> None:
    begin, end = (date.fromisoformat(text) if text else None for text in (first, last))
    found = chosen_range(begin, end, NOW)
    assert (found.first.isoformat(), found.last.isoformat()) == expected


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), "to"),
        (date(2024, 1, 1), date(2026, 1, 1), "from"),
        (date(1, 1, 1), date(1, 1, 2), "from"),
        (date(2099, 12, 1), date(2100, 1, 1), "to"),
        (None, date(9999, 12, 31), "to"),
        (None, date(1, 1, 1), "to"),
    ],
)
def test_what_cannot_be_shown_is_refused(first: date | None, last: date, field: str) -> None:
    with pytest.raises(InvalidRange) as refused:
        chosen_range(first, last, NOW)
    assert refused.value.field == field


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(0, 730), st.integers(-40, 800))
def test_the_previous_period_is_as_long_on_the_same_weekdays_and_apart(first: date, more: int, hours: int) -> None:
    span = DateRange(first, first + timedelta(days=more))
    before = span.previous()
    assert before.days == span.days
    assert before.first.weekday() == span.first.weekday()
    assert before.last < span.first
    assert (span.first - before.last).days <= 7
    now = span.start + timedelta(hours=hours)
    assert before.start <= span.previous_end(now) <= before.end
    if span.start <= now <= span.end:
        assert span.previous_end(now) == now - span.shift
