"""Spans of days, and what they are compared with. Pure; every day is a day in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DEFAULT_DAYS = 28  # whole weeks, so that each weekday counts equally often
MOST_DAYS = 731
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)


class InvalidRange(ValueError):
    """No range of days that can be shown. `field` is `from` or `to`, `why` says what is wrong with it."""

    code = "invalid_range"

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        self.why = why
        super().__init__(f"{field}: {why}")


@dataclass(frozen=True)
class DateRange:
    """From the first day to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after the range."""
        return midnight(self.last + timedelta(days=1))

    @property
    def shift(self) -> timedelta:
        """How far back the previous period lies: whole weeks, so that each day is compared with its own weekday."""
        return timedelta(weeks=-(-self.days // 7))

    def previous(self) -> DateRange:
        """The period this one is compared with: as long, earlier by whole weeks, never overlapping."""
        return DateRange(self.first - self.shift, self.last - self.shift)

    def previous_end(self, now: datetime) -> datetime:
        """Where the comparison stops: a range that is still running is compared up to the same moment."""
        return min(self.end, max(now, self.start)) - self.shift


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def chosen_range(first: date | None, last: date | None, now: datetime) -> DateRange:
    """The range asked for: what is not said is filled up to 28 days, ending today.

    Raises InvalidRange when it ends before it begins or is longer than two years.
    """
    for field, day in (("from", first), ("to", last)):
        if day is not None and not _EARLIEST <= day <= _LATEST:
            raise InvalidRange(field, f"must lie between {_EARLIEST} and {_LATEST}")
    if last is None:
        today = now.astimezone(UTC).date()
        last = today if first is None else max(first, min(today, first + timedelta(days=MOST_DAYS - 1)))
    if first is None:
        first = max(_EARLIEST, last - timedelta(days=DEFAULT_DAYS - 1))
    if last < first:
        raise InvalidRange("to", "must not lie before the first day")
    if (last - first).days >= MOST_DAYS:
        raise InvalidRange("from", f"must be at most {MOST_DAYS} days before the last day")
    return DateRange(first, last)
