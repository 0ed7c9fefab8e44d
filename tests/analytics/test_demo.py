"""The made-up month: repeatable, plausible, of the plan, and never more than made up."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from flowforge_ui.analytics.dashboards import PLAN, patterns, titles
from flowforge_ui.analytics.demo import Month, month
from flowforge_ui.analytics.demo.paths import HABITS
from flowforge_ui.analytics.demo.session import Page
from flowforge_ui.telemetry.event import Refusal
from flowforge_ui.telemetry.plan import Plan
from tests.analytics.events import at

if TYPE_CHECKING:
    from flowforge_ui.telemetry.event import Event

NOW = at("2026-03-18 14:00")
PAGES = {name: Page(title, patterns()[name]) for name, title in titles().items()}


def small(seed: int = 1) -> list[Event]:
    return [event for day in month(Month(NOW, seed=seed, teams=8, people=120), PAGES) for event in day]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return small()


def when(event: Event) -> datetime:
    return datetime.fromtimestamp(event.timestamp / 1000, UTC)


def test_the_same_seed_makes_the_same_month(events: list[Event]) -> None:
    assert small() == events
    assert small(seed=2) != events


def test_each_event_is_of_the_plan_and_marked(events: list[Event]) -> None:
    plan = Plan.load(PLAN)
    sdk = set(plan.sdk)
    for event in events:
        assert event.properties["demo"] is True
        checked = plan.check(event)
        assert not isinstance(checked, Refusal)
        kept = {name: value for name, value in event.properties.items() if name not in {"demo", *sdk}}
        assert dict(checked.properties) == kept
    assert set(PAGES) - {"setup", "register"} == set(HABITS)


def test_thirty_days_up_to_now(events: list[Event]) -> None:
    assert max(event.timestamp for event in events) < NOW.timestamp() * 1000
    assert min(when(event) for event in events) > NOW - timedelta(days=32)
    assert len({event.uuid for event in events}) == len(events)
    by_weekday = Counter(when(event).weekday() for event in events)
    working, weekend = sum(by_weekday[day] for day in range(5)) / 5, sum(by_weekday[day] for day in (5, 6)) / 2
    assert working > 4 * weekend
    versions = [event.properties["app_version"] for event in sorted(events, key=lambda event: event.timestamp)]
    assert (versions[0], versions[-1]) == ("0.8.2", "0.9.0")


def test_views_and_leaves_belong_together(events: list[Event]) -> None:
    views = {event.properties["view_id"]: event for event in events if event.name == "$pageview"}
    leaves = {event.properties["view_id"]: event for event in events if event.name == "$pageleave"}
    assert set(leaves) <= set(views)
    assert 0.9 < len(leaves) / len(views) < 1
    for view_id, leave in leaves.items():
        view = views[view_id]
        assert leave.timestamp - view.timestamp == leave.properties["total_ms"]
        assert int(leave.properties["engaged_ms"]) <= int(leave.properties["total_ms"])
        assert leave.distinct_id == view.distinct_id
        assert leave.properties["route"] == view.properties["route"]


def test_sessions_are_paths(events: list[Event]) -> None:
    sessions: dict[object, list[Event]] = defaultdict(list)
    for event in events:
        if event.name == "$pageview":
            sessions[event.properties["$session_id"]].append(event)
    assert len(sessions) > 500
    for views in sessions.values():
        assert [view.properties["view_index"] for view in views] == list(range(len(views)))
        for before, after in pairwise(views):
            assert after.properties["from_route"] == before.properties["route"]
            assert after.timestamp > before.timestamp
