"""A person's way through the product, and the ground truth of it, kept by the script that walks it.

The script knows what it did: which view came up, from where, how, for whom, and between which two moments it was
entered and left. `Truth.check` holds what was received against that, event for event.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from playwright.sync_api import APIRequestContext, Page, StorageState, expect

from tests.support.product import PASSWORD

ANONYMOUS = "anonymous"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))"
# The server places an event by its own clock, less how long before sending the browser says it was: what a request
# takes to arrive is added.
FOLLOW = """(to) => {
  const link = document.createElement("a");
  link.href = to;
  document.body.append(link);
  link.click();
  link.remove();
}"""
RESTORED = "[window.mark, JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)]"
ON_ITS_WAY = 3.0
SLACK = 0.03


@dataclass(frozen=True)
class Span:
    """Something happened between these two moments (seconds, this machine's clock, which the browser shares)."""

    earliest: float
    latest: float


@dataclass
class View:
    """A view as the script knows it; `to` and `left` when it is over, `left` None when nobody is told of that."""

    route: str
    nav_type: str
    who: str
    role: str
    came: str | None
    index: int
    entered: Span
    redirected: str | None = None
    to: str | None = None
    left: Span | None = None
    unattended: Span = field(default_factory=lambda: Span(0, 0))
    """Between how long and how long it was not looked at."""
    skipped: float = 0
    """By how much the page's clock was set on."""

    @property
    def key(self) -> tuple[object, ...]:
        return (self.route, self.nav_type, self.who, self.role, self.came, self.redirected, self.index)

    @property
    def stay(self) -> Span:
        assert self.left is not None
        return Span(
            self.left.earliest - self.entered.latest + self.skipped,
            self.left.latest - self.entered.earliest + self.skipped,
        )


@dataclass
class Truth:
    """What happened; `people` gives the pseudonym of a name. `acts` are the server's own events."""

    people: dict[str, str]
    views: list[View] = field(default_factory=list)
    acts: list[tuple[str, str]] = field(default_factory=list)
    steps: int = 0

    def act(self, event: str, who: str) -> None:
        self.acts.append((event, who))

    @property
    def leaves(self) -> list[View]:
        return [view for view in self.views if view.left is not None]

    @property
    def events(self) -> int:
        return len(self.views) + len(self.leaves) + len(self.acts)

    def check(self, received: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """Every event once and nothing else, each saying what is true. Gives the event of each view, by its place."""
        assert len({each["uuid"] for each in received}) == len(received)
        named = {person: name for name, person in self.people.items()}

        def who(event: dict[str, Any]) -> str:
            name = named.get(event["distinct_id"], ANONYMOUS)
            assert name != ANONYMOUS or UUID(event["distinct_id"])
            return name

        acts = [(each["event"], who(each)) for each in received if not each["event"].startswith("$")]
        assert sorted(acts) == sorted(self.acts), f"{sorted(acts)} is not {sorted(self.acts)}"
        entered = sorted((each for each in received if each["event"] == "$pageview"), key=_time)
        left = [each for each in received if each["event"] == "$pageleave"]
        assert len(entered) + len(left) + len(acts) == len(received)
        found = self._match(entered, who)
        leaves = {each["properties"]["view_id"]: each for each in left}
        assert len(leaves) == len(left)
        expected = {each["properties"]["view_id"] for view, each in found if view.left}
        assert leaves.keys() == expected, [
            view.key for view, each in found if (each["properties"]["view_id"] in leaves) != (view.left is not None)
        ]
        for view, each in found:
            _check_view(view, each)
            if view.left:
                _check_leave(view, each, leaves[each["properties"]["view_id"]])
        _check_order(found)
        return dict(enumerate(each for _, each in found))

    def _match(
        self, entered: list[dict[str, Any]], who: Callable[[dict[str, Any]], str]
    ) -> list[tuple[View, dict[str, Any]]]:
        """Each view with its event. Two that say the same are told apart by when they were."""
        rest = [(_key(each, who(each)), each) for each in entered]
        found = []
        missing = []
        for view in self.views:
            place = next((index for index, (key, _) in enumerate(rest) if key == view.key), None)
            if place is None:
                missing.append(view.key)
            else:
                found.append((view, rest.pop(place)[1]))
        unknown = [key for key, _ in rest]
        assert (missing, unknown) == ([], []), f"missing {missing}, not expected {unknown}"
        return found


def _key(event: dict[str, Any], who: str) -> tuple[object, ...]:
    told = event["properties"]
    return (
        told["route"],
        told["nav_type"],
        who,
        told["role"],
        told.get("from_route"),
        told.get("redirected_from"),
        told["view_index"],
    )


def _time(event: dict[str, Any]) -> float:
    moment = event["timestamp"]
    if isinstance(moment, str):
        from datetime import datetime

        moment = datetime.fromisoformat(moment)
    return float(moment.timestamp())


def _within(value: float, span: Span, late: float, what: object) -> None:
    assert span.earliest - SLACK <= value <= span.latest + SLACK + late, (value, span, what)


def _check_view(view: View, event: dict[str, Any]) -> None:
    told = event["properties"]
    assert UUID(told["view_id"])
    assert told["view_id"] == event["uuid"] == told.get("$pageview_id", event["uuid"])
    assert told["source"] == "router"
    _within(_time(event), view.entered, ON_ITS_WAY, view)
    _within(told["load_ms"] / 1000, Span(0, view.entered.latest - view.entered.earliest), 0, view)


def _check_leave(view: View, entered: dict[str, Any], left: dict[str, Any]) -> None:
    told, of = left["properties"], entered["properties"]
    same = ("route", "nav_type", "from_route", "redirected_from", "view_index", "role", "load_ms", "team", "project")
    assert [told.get(name) for name in same] == [of.get(name) for name in same]
    assert left["distinct_id"] == entered["distinct_id"]
    assert told.get("to_route") == view.to, view
    assert view.left is not None
    _within(_time(left), view.left, ON_ITS_WAY, view)
    _within(told["total_ms"] / 1000, view.stay, 0, view)
    _within((told["total_ms"] - told["engaged_ms"]) / 1000, view.unattended, 0, view)


def _check_order(found: list[tuple[View, dict[str, Any]]]) -> None:
    """In the order in which they were, as far as requests that overtake each other allow."""
    times = [_time(each) for _, each in found]
    assert all(later >= earlier - ON_ITS_WAY for earlier, later in pairwise(times))


class Tab:
    """A browser's tab and what the script knows to be in it."""

    def __init__(self, page: Page, url: str, truth: Truth, who: str = ANONYMOUS, role: str = ANONYMOUS) -> None:
        self.page = page
        self.url = url
        self.truth = truth
        self.who = who
        self.role = role
        self.view: View | None = None
        self.recorded = True
        self._before: str | None = None
        self._index = 0
        self._since = time.time()

    # What brings a view up

    def load(
        self, act: Callable[[], object], route: str, title: str, nav: str = "load", redirected: str | None = None
    ) -> None:
        """A new document in this tab: nothing is known there of what was before."""
        self._change(act, route, title, nav, fresh=True, redirected=redirected)

    def go(
        self, act: Callable[[], object], route: str, title: str, nav: str = "push", redirected: str | None = None
    ) -> None:
        self._change(act, route, title, nav, redirected=redirected)

    def link(self, path: str, route: str, title: str) -> None:
        """Clicks the first link to a path."""
        self.go(self.page.locator(f'a[href="{path}"]').first.click, route, title)

    def wander(self, path: str, route: str, title: str, redirected: str | None = None) -> None:
        """Follows a link that the page does not have; the address tells apart views of one title."""

        def act() -> None:
            self.follow(path)
            if redirected is None:
                self.page.wait_for_url(self.url + path)

        self.go(act, route, title, redirected=redirected)

    def follow(self, path: str) -> None:
        self.page.evaluate(FOLLOW, path)

    def become(self, act: Callable[[], object], who: tuple[str, str], nav: str, route: str, title: str) -> None:
        """Signs in or out as somebody in a role: what was before is not tied to who is there now."""
        begun = time.time()
        act()
        ended = self._settled(title)
        self._leave(Span(begun, ended), route if nav == "login" else None)
        (self.who, self.role), self._before, self._index = who, None, 0
        self._enter(route, nav, Span(begun, ended))

    def restored(self, act: Callable[[], object], mark: str) -> None:
        """The page comes back out of the back/forward cache: its view is entered anew."""
        assert self._asleep is not None
        begun = time.time()
        act()
        expect(self.page).to_have_title(re.compile("FlowForge"))
        found = self.page.evaluate(RESTORED)
        assert found == [mark, "null"], found
        self.page.evaluate(PAINTED)
        self.view, self._before, self._index = None, None, self._asleep[1]
        self._enter(self._asleep[0], "bfcache", Span(begun, time.time()))

    def again(self, act: Callable[[], object], nav: str) -> None:
        """The same view as a new visit, in a page that has begun to record anew."""
        assert self.view is None
        begun = time.time()
        act()
        self.page.evaluate(PAINTED)
        self.recorded, self._before, self._index = True, None, 0
        self._enter(self._route, nav, Span(begun, time.time()))

    # What brings none

    def nothing(self, act: Callable[[], object], times: int = 1) -> None:
        """Something that is no view."""
        act()
        self.page.evaluate(PAINTED)
        self.truth.steps += times

    def fail(self, act: Callable[[], object]) -> None:
        """A view that does not come: the one before is over."""
        begun = time.time()
        act()
        expect(self.page).to_have_title("Not loaded · FlowForge")
        self._leave(Span(begun, time.time()), None)
        self.truth.steps += 1

    def away(self, act: Callable[[], object]) -> None:
        """The document goes. It may come back."""
        begun = self._since = time.time()
        act()
        assert self.view is not None
        self._asleep = (self.view.route, self._index)
        self._leave(Span(begun, time.time()), None)
        self.view = None
        self.truth.steps += 1

    def close(self) -> None:
        self.away(self.page.close)

    def unrecorded(self, act: Callable[[], object]) -> None:
        """From now on nothing is told, not even the end of the present view."""
        act()
        assert self.view is not None
        self._route = self.view.route
        self.view, self.recorded = None, False
        self.truth.steps += 1

    # How it is kept

    _asleep: tuple[str, int] | None = None
    _route = ""

    def _change(
        self,
        act: Callable[[], object],
        route: str,
        title: str,
        nav: str,
        *,
        fresh: bool = False,
        redirected: str | None = None,
    ) -> None:
        begun = self._since if fresh and self.view is None else time.time()
        act()
        ended = self._settled(title)
        self._leave(Span(begun, ended), None if fresh else route)
        if fresh:
            self._before, self._index = None, 0
        self._enter(route, nav, Span(begun, ended), redirected)

    def _settled(self, title: str) -> float:
        expect(self.page).to_have_title(f"{title} · FlowForge", timeout=20_000)
        # The server's own shell has the title, too, before there is anything to see.
        self.page.locator("main:not([aria-busy]) h1").first.wait_for()
        self.page.evaluate(PAINTED)
        return time.time()

    def _enter(self, route: str, nav: str, at: Span, redirected: str | None = None) -> None:
        self.truth.steps += 1
        self._route = route
        if not self.recorded:
            return
        self.view = View(route, nav, self.who, self.role, self._before, self._index, at, redirected)
        self.truth.views.append(self.view)
        self._index += 1

    def _leave(self, at: Span, to: str | None) -> None:
        if self.view is None or self.view.left is not None:
            return
        self.view.left, self.view.to = at, to
        self._before = self.view.route


class Caller:
    """Somebody who uses the API without a page."""

    def __init__(self, request: APIRequestContext, url: str) -> None:
        self._request = request
        self.url = url

    @property
    def state(self) -> StorageState:
        """The session, for a browser of theirs."""
        return self._request.storage_state()

    def sign_in(self, username: str) -> None:
        self.post("/account/login", {"username": username, "password": PASSWORD})

    def get(self, path: str) -> Any:
        answer = self._request.get(f"{self.url}/api/v1/{path}")
        assert answer.status == 200, answer.text()
        return answer.json()

    def post(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        token = self.get("csrf")["csrf"]
        answer = self._request.fetch(
            self.url + path,
            method=method,
            data=body,
            headers={"X-CSRF-Token": token, "Content-Type": "application/json"},
        )
        assert answer.status in {200, 201, 204}, answer.text()
        return answer.json() if answer.status != 204 else None

    def create_user(self, username: str, role: str = "user") -> None:
        self.post("/api/v1/users", {"username": username, "password": PASSWORD, "role": role})

    @property
    def pseudonym(self) -> str:
        return str(self.get("user/privacy")["pseudonym"])
