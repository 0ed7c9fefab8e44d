"""Every number of the dashboards, worked out by hand over a small set of events, on both engines."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from flowforge_ui.analytics import insights
from tests.analytics.events import ALICE, BOB, CHARLIE, act, at, leave, view

if TYPE_CHECKING:
    from flowforge_ui.analytics.store import Store

# The range is Monday 2 to Wednesday 4 March 2026; it has 3 days, so the previous period lies one week earlier,
# 23 to 25 February. "Now" is Friday 6 March.
FIRST, LAST, NOW = date(2026, 3, 2), date(2026, 3, 4), at("2026-03-06 12:00")

EVENTS = [
    # Previous period: one session of Alice's with two views, the second never left; the day before it and the day
    # after it (26 February) count for nothing.
    view("2026-02-22 23:59:59.999", BOB, 90, 90, "home"),
    view("2026-02-23 09:00", ALICE, 91, 91, "home", team="t_one"),
    leave("2026-02-23 09:01", ALICE, 91, 91, "home", 7_000, team="t_one"),
    view("2026-02-23 09:01", ALICE, 91, 92, "team", team="t_one"),
    view("2026-02-26 00:00", BOB, 93, 93, "home"),
    # Monday. Somebody signs in as Alice: the login page is seen as nobody, in the same session.
    view("2026-03-02 10:00:00", "anon", 1, 1, "login", role="anonymous", load_ms=400),
    leave("2026-03-02 10:00:20", "anon", 1, 1, "login", 20_000, role="anonymous"),
    act("2026-03-02 10:00:20", ALICE, "logged in"),
    view("2026-03-02 10:00:21", ALICE, 1, 2, "home", load_ms=100),
    leave("2026-03-02 10:00:31", ALICE, 1, 2, "home", 10_000),
    view("2026-03-02 10:00:31", ALICE, 1, 3, "team", load_ms=200, team="t_one"),
    leave("2026-03-02 10:01:11", ALICE, 1, 3, "team", 40_000, team="t_one"),
    view("2026-03-02 10:01:11", ALICE, 1, 4, "home", load_ms=300),
    leave("2026-03-02 10:01:41", ALICE, 1, 4, "home", 30_000),
    # Bob's session runs over midnight; its last view is left after the range has ended.
    view("2026-03-04 23:59:00", BOB, 2, 5, "team", load_ms=800, team="t_two"),
    leave("2026-03-04 23:59:30", BOB, 2, 5, "team", 25_000, team="t_two"),
    view("2026-03-04 23:59:30", BOB, 2, 6, "project", team="t_two"),
    leave("2026-03-05 00:10:00", BOB, 2, 6, "project", 60_000, team="t_two"),
    view("2026-03-05 00:10:00", BOB, 2, 7, "home"),
    # Charlie does one thing on the server and sees no page; the administrator sees a page that is never left.
    act("2026-03-04 08:00", CHARLIE, "project created", team="t_three"),
    view("2026-03-03 15:00", "u_root", 3, 8, "admin", role="admin", load_ms=50),
    # She signs out: the login page is seen in a new session, which is nobody's.
    view("2026-03-03 15:10", "anon", 4, 9, "login", role="anonymous"),
]


@pytest.fixture
def filled(store: Store) -> Store:
    assert store.append(EVENTS) == len(EVENTS)
    return store


def test_overview_tiles(filled: Store) -> None:
    tiles = insights.overview(filled, FIRST, LAST, NOW)["tiles"]
    assert [(tile["key"], tile["value"], tile["previous"], tile["n"], tile["unit"]) for tile in tiles] == [
        # Alice, Bob, Charlie, root; before: Alice. Rests on Alice's 3 views and her login, Bob's 2 views within the
        # range, Charlie's act, root's view: 3 + 1 + 2 + 1 + 1 = 8.
        ("active_users", 4, 1, 8, "count"),
        # t_one, t_two, t_three; before: t_one. One view, two views, one act: 4.
        ("active_teams", 3, 1, 4, "count"),
        # Alice's, Bob's, root's, and nobody's does not count; the views 2 3 4, 5 6, 8: 6. The sign-in page's view 1 is
        # nobody's, although the session is Alice's.
        ("sessions", 3, 1, 6, "count"),
        ("views", 8, 2, 8, "count"),
        # Views 1 2 3 4 5 6 were left after 20 10 40 30 25 60 s; in order 10 20 25 30 40 60, the middle (25 + 30) / 2.
        ("engaged_median", 27_500, 7_000, 6, "ms"),
    ]


def test_overview_series(filled: Store) -> None:
    answer = insights.overview(filled, FIRST, LAST, NOW)
    assert answer["range"] == {"from": "2026-03-02", "to": "2026-03-04", "days": 3}
    assert answer["previous"] == {"from": "2026-02-23", "to": "2026-02-25"}
    assert answer["series"]["points"] == [
        {
            "day": "2026-03-02",
            "users": 1,
            "teams": 1,
            "sessions": 1,
            "views": 4,
            "previous_users": 1,
            "previous_sessions": 1,
            "previous_views": 2,
        },
        {
            "day": "2026-03-03",
            "users": 1,
            "teams": 0,
            "sessions": 1,
            "views": 2,
            "previous_users": 0,
            "previous_sessions": 0,
            "previous_views": 0,
        },
        {
            "day": "2026-03-04",
            "users": 2,  # Bob, and Charlie who saw no page
            "teams": 2,
            "sessions": 1,
            "views": 2,
            "previous_users": 0,
            "previous_sessions": 0,
            "previous_views": 0,
        },
    ]
    assert set(answer["series"]) == {"label", "definition", "points"}
    assert (answer["fresh_until"], answer["empty"], answer["demo"]) == ("2026-03-05T00:10:00.040Z", False, False)


def test_routes(filled: Store) -> None:
    answer = insights.routes(filled, FIRST, LAST, NOW)
    names = ("route", "title", "views", "previous_views", "users", "teams")
    assert [tuple(row[name] for name in names) for row in answer["rows"]] == [
        ("home", "Home", 2, 1, 1, 0),
        ("login", "Sign in", 2, 0, 0, 0),
        ("team", "Team", 2, 1, 2, 2),
        ("admin", "Administration", 1, 0, 1, 0),
        ("project", "Project", 1, 0, 1, 1),
    ]
    times = ("engaged_median_ms", "engaged_p75_ms", "load_p75_ms")
    assert [(row["route"], *(row[name] for name in times)) for row in answer["rows"]] == [
        # 10 and 30 s: the middle 20; three quarters of the way from 10 to 30 is 25. Loads 100, 300: 250.
        ("home", 20_000, 25_000, 250),
        # The first was left, the second not; only the first's load is known.
        ("login", 20_000, 20_000, 400),
        # 40 and 25 s: 32.5, and 25 + 0.75 * 15 = 36.25. Loads 200, 800: 650.
        ("team", 32_500, 36_250, 650),
        ("admin", None, None, 50),
        # Its leave came after the range; its load is not known.
        ("project", 60_000, 60_000, None),
    ]
    third = 1 / 3
    assert [(row["route"], row["entry_ratio"], row["exit_ratio"]) for row in answer["rows"]] == [
        # Three sessions: login ... home, team ... project (its view of home lies beyond the range), admin ... admin;
        # nobody's session is none.
        ("home", 0, third),
        ("login", third, 0),
        ("team", third, 0),
        ("admin", third, third),
        ("project", 0, third),
    ]
    # The period before begins with Alice's view on its first day.
    assert answer["recorded_since"] == "2026-02-23"
    assert set(answer) == {"range", "previous", "recorded_since", "definition", "rows", "empty", "demo"}


def test_days_before_the_first_record_are_told_from_days_without_use(filled: Store) -> None:
    # Of 16 February to 1 March compared with 2 to 15 February, nothing; of 9 to 22 February, the last evening.
    assert insights.routes(filled, date(2026, 2, 16), date(2026, 3, 1), NOW)["recorded_since"] is None
    assert insights.routes(filled, date(2026, 2, 23), date(2026, 3, 8), NOW)["recorded_since"] == "2026-02-22"


def test_a_running_range_is_compared_up_to_the_same_moment(filled: Store) -> None:
    # On Monday 2 March at 09:00:30 the comparison of that day stops at 09:00:30 on 23 February: one view, not two.
    answer = insights.overview(filled, FIRST, FIRST, at("2026-03-02 09:00:30"))
    assert {tile["key"]: tile["previous"] for tile in answer["tiles"]} == {
        "active_users": 1,
        "active_teams": 1,
        "sessions": 1,
        "views": 1,
        "engaged_median": 7_000,  # the view of 09:00 counts, with its leave
    }
    assert answer["series"]["points"][0]["previous_views"] == 1


def test_live(filled: Store) -> None:
    answer = insights.live(filled, at("2026-03-05 00:10:30.250"))
    assert answer["now"] == "2026-03-05T00:10:30.250Z"
    assert answer["users_now"] == 1  # Bob; his leave at 00:10 counts as being there
    # The window begins at 23:41; the minute 23:59 is its 19th, 00:10 its 30th.
    assert [minute["minute"] for minute in answer["minutes"]][::29] == [
        "2026-03-04T23:41:00.000Z",
        "2026-03-05T00:10:00.000Z",
    ]
    assert [
        (index, m["views"], m["users"]) for index, m in enumerate(answer["minutes"]) if m["views"] or m["users"]
    ] == [
        (18, 2, 1),
        (29, 1, 1),
    ]
    assert [(event["event"], event["route"]) for event in answer["events"]] == [
        ("$pageview", "home"),
        ("$pageleave", "project"),
        ("$pageview", "project"),
        ("$pageleave", "team"),
        ("$pageview", "team"),
    ]
    assert answer["events"][-1] == {
        "uuid": EVENTS[14].uuid,
        "event": "$pageview",
        "route": "team",
        "title": "Team",
        "nav_type": None,
        "at": "2026-03-04T23:59:00.000Z",
        "received_at": "2026-03-04T23:59:00.040Z",
        "role": "user",
        "browser": None,
        "origin": "browser",
    }


def test_empty(store: Store) -> None:
    overview = insights.overview(store, None, None, NOW)
    assert overview["empty"] is True
    assert overview["fresh_until"] is None
    assert [(tile["value"], tile["previous"], tile["n"]) for tile in overview["tiles"]] == [
        *[(0, 0, 0)] * 4,
        (None, None, 0),
    ]
    assert overview["range"] == {"from": "2026-02-07", "to": "2026-03-06", "days": 28}
    assert overview["previous"] == {"from": "2026-01-10", "to": "2026-02-06"}
    assert [point["views"] for point in overview["series"]["points"]] == [0] * 28
    routes = insights.routes(store, None, None, NOW)
    assert (routes["rows"], routes["empty"], routes["recorded_since"]) == ([], True, None)
    live = insights.live(store, NOW)
    assert (live["users_now"], live["events"], live["empty"], len(live["minutes"])) == (0, [], True, 30)
