"""One session as the events it leaves behind: a view and a leave for each page, what the server records beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowforge_ui.analytics.demo.paths import HABITS, NEEDS_PROJECT, NEEDS_TEAM
from flowforge_ui.telemetry.event import Event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from flowforge_ui.analytics.demo.people import Person
    from flowforge_ui.telemetry.event import Origin, Scalar

_MOST_ENGAGED_MS = 1_800_000
_VARIANT = 0x8000000000000000
_HALF = 0x3FFFFFFFFFFFFFFF


@dataclass(frozen=True)
class Page:
    """What is known of a page beside its habit."""

    title: str
    pattern: str


@dataclass
class Session:
    """Builds the events of one session, one page after the other. `at` is the present moment in milliseconds."""

    random: Random
    person: Person
    pages: Mapping[str, Page]
    version: str
    speed: float
    at: int
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session_id = uuid7(self.random, self.at)
        self.visitor = "anon_" + f"{self.random.getrandbits(80):020x}"
        self.project = self.random.choice(self.person.team.projects)
        browser, release, system, kind, width, height = self.person.device
        self.device: dict[str, Scalar] = {
            "$browser": browser,
            "$browser_version": release,
            "$os": system,
            "$device_type": kind,
            "$screen_width": width,
            "$screen_height": height,
            "$browser_language": self.person.language,
            "$session_id": self.session_id,
        }
        self.index = 0
        self.before: str | None = None

    def walk(self, path: list[str], *, signs_in: bool) -> list[Event]:
        """Go through the routes in turn."""
        if signs_in:
            self._page("login", path[0], "load", anonymous=True)
            self._act("logged in")
            self.before = "login"
        for place, route in enumerate(path):
            following = path[place + 1] if place + 1 < len(path) else None
            self._page(route, following, self._nav(route, signs_in=signs_in))
            self._acts(route, following)
        if self.random.random() < 0.06:
            self._act("logged out")
        return self.events

    def _nav(self, route: str, *, signs_in: bool) -> str:
        if self.index == 0:
            return "load"
        if signs_in and self.before == "login":
            return "login"
        if route == self.before:
            return "reload"
        return "pop" if self.random.random() < 0.11 else "push"

    def _page(self, route: str, following: str | None, nav: str, *, anonymous: bool = False) -> None:
        random, habit, page = self.random, HABITS[route], self.pages[route]
        load = round(random.lognormvariate(math.log(habit.load_ms * self.speed * (3 if nav == "load" else 1)), 0.45))
        self.at += load
        shown: dict[str, Scalar] = {
            "route": route,
            "route_pattern": page.pattern,
            "nav_type": nav,
            "view_id": uuid7(random, self.at),
            "view_index": self.index,
            "load_ms": load,
            "title": page.title,
            "$pathname": page.pattern,
            **self.device,
            **self._subjects(route),
            **({"from_route": self.before} if self.before else {}),
        }
        who, role = (self.visitor, "anonymous") if anonymous else (self.person.pseudonym, self.person.role)
        self._record("$pageview", "browser", who, role, shown)
        engaged = min(_MOST_ENGAGED_MS, round(1000 * random.lognormvariate(math.log(habit.engaged_s), 0.95)))
        total = engaged + (0 if random.random() < 0.6 else round(random.expovariate(1 / 40_000)))
        self.at += total
        if random.random() < 0.975:  # some browsers die without a word
            left: dict[str, Scalar] = {"engaged_ms": engaged, "total_ms": total, "scroll_depth": self._scrolled()}
            if following:
                left["to_route"] = following
            self._record("$pageleave", "browser", who, role, {**shown, **left})
        self.at += random.randrange(4, 30)
        self.index += 1
        self.before = route

    def _acts(self, route: str, following: str | None) -> None:
        team = self.person.team.pseudonym
        if route == "project_create" and following == "project":
            self._act("project created", team=team, project=self.project)
        elif route == "project_flows" and self.random.random() < 0.08:
            nodes = 1 + int(self.random.expovariate(1 / 60))
            self._act("flows imported", team=team, project=self.project, tabs=1 + nodes // 30, nodes=nodes)
        elif route == "team_members" and self.random.random() < 0.12:
            self._act("invitation sent", team=team, member_role=self.random.choice(["member", "member", "viewer"]))
        elif route == "team_create" and following == "team":
            self._act("team created", team=team)

    def _act(self, name: str, **properties: Scalar) -> None:
        self._record(name, "server", self.person.pseudonym, self.person.role, properties)
        self.at += self.random.randrange(5, 60)

    def _subjects(self, route: str) -> dict[str, Scalar]:
        if route in NEEDS_PROJECT:
            return {"team": self.person.team.pseudonym, "project": self.project}
        return {"team": self.person.team.pseudonym} if route in NEEDS_TEAM else {}

    def _scrolled(self) -> float:
        return 1.0 if self.random.random() < 0.45 else round(self.random.random(), 2)

    def _record(self, name: str, origin: Origin, who: str, role: str, properties: Mapping[str, Scalar]) -> None:
        late = self.random.randrange(2, 9) if origin == "server" else 30 + int(self.random.expovariate(1 / 300))
        common: dict[str, Scalar] = {
            "app_version": self.version,
            "role": role,
            "source": "server" if origin == "server" else "router",
            "demo": True,
        }
        uuid = uuid7(self.random, self.at)
        self.events.append(Event(uuid, name, who, self.at, {**properties, **common}, origin, self.at + late))


def uuid7(random: Random, at: int) -> str:
    """A time-ordered uuid from the given source of chance."""
    high = (at << 16) | 0x7000 | random.getrandbits(12)
    low = _VARIANT | (random.getrandbits(64) & _HALF)
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
