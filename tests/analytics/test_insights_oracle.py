"""The questions agree with a plain count over random events: late leaves, repeats, visitors, many sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from flowforge_ui.analytics import insights
from flowforge_ui.analytics.ranges import DateRange
from flowforge_ui.telemetry.event import Event, Scalar
from tests.analytics.events import number
from tests.analytics.oracle import Oracle

if TYPE_CHECKING:
    from flowforge_ui.analytics.store import Store

ROUTES = ("home", "team", "project", "login", "account", "a page of no plan")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def random_events(random: Random, count: int) -> list[Event]:
    """Views and leaves of people on 40 days, with all that may be missing, and acts of the server beside them."""
    events: list[Event] = []
    for index in range(count):
        when = round(BEGIN.timestamp() * 1000) + random.randrange(40 * 86_400_000)
        who = f"u_{random.randrange(12)}"
        common: dict[str, Scalar] = {"role": random.choice(["anonymous", "user", "user", "admin"])}
        if random.random() < 0.5:
            common["team"] = f"t_{random.randrange(4)}"
        if random.random() < 0.2:
            events.append(Event(number(5, index), "logged in", who, when, common, "server", when))
            continue
        page: dict[str, Scalar] = {
            **common,
            "route": random.choice(ROUTES),
            "view_id": number(1, index),
            "$session_id": number(2, random.randrange(30)),
        }
        loading = {"load_ms": random.randrange(3000)} if random.random() < 0.8 else {}
        events.append(Event(number(3, index), "$pageview", who, when, {**page, **loading}, "browser", when))
        for nth in range(random.choice([0, 1, 1, 1, 2])):
            later = when + random.randrange(10 ** random.randrange(3, 9))
            spent = {"engaged_ms": random.randrange(1_800_000)} if random.random() < 0.9 else {}
            events.append(Event(number(6 + nth, index), "$pageleave", who, later, {**page, **spent}, "browser", later))
    return events


@pytest.mark.parametrize("seed", range(3))
def test_numbers_agree_with_a_plain_count(store: Store, seed: int) -> None:
    random = Random(seed)
    events = random_events(random, 400)
    repeated = events + random.sample(events, 50)
    random.shuffle(repeated)
    for index in range(0, len(repeated), 61):
        store.append(repeated[index : index + 61])
    oracle = Oracle(events)
    for _ in range(4):
        first = date(2026, 3, 1) + timedelta(days=random.randrange(40))
        span = DateRange(first, first + timedelta(days=random.randrange(25)))
        now = BEGIN + timedelta(seconds=random.randrange(45 * 86_400))
        check(store, oracle, span, now)


def check(store: Store, oracle: Oracle, span: DateRange, now: datetime) -> None:
    previous = span.previous().start, span.previous_end(now)
    overview = insights.overview(store, span.first, span.last, now)
    assert {tile["key"]: tile["value"] for tile in overview["tiles"]} == oracle.totals(span.start, span.end)
    assert {tile["key"]: tile["previous"] for tile in overview["tiles"]} == oracle.totals(*previous)
    days = oracle.days(span.start, span.end)
    assert [point["day"] for point in overview["series"]["points"]] == list(days)
    for point, day in zip(overview["series"]["points"], days.values(), strict=True):
        assert (point["users"], point["teams"]) == (day["active_users"], day["active_teams"])
        assert (point["sessions"], point["views"]) == (day["sessions"], day["views"])
    earlier = [day["views"] for day in oracle.days(*previous).values()]
    assert [point["previous_views"] for point in overview["series"]["points"]][: len(earlier)] == earlier

    expected = oracle.routes(span.start, span.end)
    before = {row["route"]: row["views"] for row in oracle.routes(*previous)}
    rows = insights.routes(store, span.first, span.last, now)["rows"]
    assert [{name: row[name] for name in row if name not in {"title", "previous_views"}} for row in rows] == expected
    assert [row["previous_views"] for row in rows] == [before.get(row["route"], 0) for row in expected]
    if rows and overview["tiles"][2]["value"]:
        assert sum(row["entry_ratio"] for row in rows) == pytest.approx(1)
        assert sum(row["exit_ratio"] for row in rows) == pytest.approx(1)
