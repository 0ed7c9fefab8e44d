"""When the core ping is due. Pure: a schedule and ``now`` in, the next schedule and "due" out.

Times are aware UTC datetimes, so that summer time changes nothing. A laptop that slept through its time sends once
when it wakes; a clock set back does not silence the ping until it has caught up. Each process has a schedule; which
of them sends, and when the next ping is due for all of them, the database decides (`archive.claim`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FIRST = timedelta(seconds=30)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Schedule:
    """``second_of_day``: the daily time, picked at start. ``due`` is None until the platform is initialised.

    ``first``: from then to the first ping; ``started``: its time has come.
    """

    second_of_day: int
    due: datetime | None = None
    first: timedelta = FIRST
    started: bool = False

    @staticmethod
    def pick(chance: random.Random, first: timedelta = FIRST) -> Schedule:
        """A schedule whose daily time is drawn at random."""
        return Schedule(chance.randrange(24 * 3600), first=first)

    def tick(self, now: datetime, *, initialised: bool) -> tuple[Schedule, bool]:
        """The schedule as it stands at ``now`` and whether a ping is due."""
        if not initialised:
            return replace(self, due=None, started=False), False
        if self.due is None:
            return replace(self, due=now + self.first), False
        if self.due - now > DAY:  # the clock was set back
            return replace(self, due=self.daily_after(now)), False
        if now < self.due:
            return self, False
        return replace(self, due=self.daily_after(now), started=True), True

    def at(self, due: datetime) -> Schedule:
        """The same from ``due`` on, daily: what all processes on the database have agreed on."""
        second = due.hour * 3600 + due.minute * 60 + due.second
        return replace(self, due=due, second_of_day=second)

    def daily_after(self, now: datetime) -> datetime:
        """The next daily time strictly after ``now``."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = midnight + timedelta(seconds=self.second_of_day)
        return today if today > now else today + DAY
