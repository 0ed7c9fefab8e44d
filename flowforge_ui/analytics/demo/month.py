"""The month: who comes on which day and when, and a release in its middle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from random import Random
from typing import TYPE_CHECKING

from flowforge_ui.analytics.demo.paths import walk
from flowforge_ui.analytics.demo.people import Person, make_people, make_teams
from flowforge_ui.analytics.demo.session import Page, Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from flowforge_ui.telemetry.event import Event

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_WEEKEND = 0.09  # of a working day's visits
_MONDAY, _FRIDAY = 1.06, 0.82


@dataclass(frozen=True)
class Month:
    """`days` up to `now`. The same seed and the same now give the same events."""

    now: datetime
    seed: int = 1
    days: int = 30
    teams: int = 40
    people: int = 1500
    versions: tuple[str, str] = ("0.8.2", "0.9.0")


def month(plan: Month, pages: Mapping[str, Page]) -> Iterator[list[Event]]:
    """The events of each day in turn, in the order in which they happened; none lies after `plan.now`.

    `pages` holds every route of `paths.HABITS`.
    """
    calendar = _Calendar(plan, pages)
    end = round(plan.now.timestamp() * 1000)
    late: list[Event] = []
    for day in range(plan.days):
        found = late + calendar.events(day)
        border = calendar.midnight(day + 1)
        late = [event for event in found if event.timestamp >= border]
        yield sorted(
            (event for event in found if event.timestamp < min(border, end)), key=lambda event: event.timestamp
        )


class _Calendar:
    """The people of the month and what they do on each of its days."""

    def __init__(self, plan: Month, pages: Mapping[str, Page]) -> None:
        self.plan, self.pages = plan, pages
        self.random = Random(plan.seed)  # noqa: S311  made-up use, nothing secret
        teams = make_teams(self.random, plan.teams, plan.days)
        self.people = make_people(self.random, teams, plan.people, plan.days)
        self.founders = {person.team.pseudonym: person for person in reversed(self.people) if person.team.begins >= 0}
        today = plan.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.first = today - timedelta(days=plan.days - 1)

    def midnight(self, day: int) -> int:
        """The beginning of a day in UTC, in milliseconds."""
        return round((self.first + timedelta(days=day)).timestamp() * 1000)

    def events(self, day: int) -> list[Event]:
        """What happens on that day, by the calendars of those who do it."""
        return [event for person in self.people for event in self._day_of(person, day)]

    def _day_of(self, person: Person, day: int) -> list[Event]:
        random = self.random
        founding = day == person.team.begins and self.founders[person.team.pseudonym] is person
        if not founding and not _comes(random, person, day, (self.first + timedelta(days=day)).weekday()):
            return []
        begin = self.midnight(day) - person.team.zone * _HOUR
        events: list[Event] = []
        for number in range(1 if founding else _visits(random, person)):
            start = begin + round(_hour(random) * _HOUR)
            new = start >= self.midnight(self.plan.days // 2) + 10 * _HOUR
            session = Session(random, person, self.pages, self.plan.versions[new], 0.78 if new else 1.0, start)
            path = ["home", "team_create", "team", "team_projects"] if founding else walk(random, person.role)
            events += session.walk(path, signs_in=number == 0 and (founding or random.random() < 0.3))
        return events


def _comes(random: Random, person: Person, day: int, weekday: int) -> bool:
    if not person.here(day) or day < person.team.begins:
        return False
    factor = _WEEKEND if weekday >= 5 else {0: _MONDAY, 4: _FRIDAY}.get(weekday, 1.0)
    return random.random() < person.habit * factor


def _visits(random: Random, person: Person) -> int:
    return 1 + sum(random.random() < person.habit * 0.6 for _ in range(2))


def _hour(random: Random) -> float:
    """The local time of day: a morning and an afternoon, with lunch between them, and a few late ones."""
    kind = random.random()
    if kind < 0.5:
        hour = random.gauss(9.6, 1.1)
    elif kind < 0.94:
        hour = random.gauss(14.6, 1.5)
    else:
        hour = random.gauss(20.5, 1.2)
    return min(23.5, max(5.0, hour))
