"""The dashboards' numbers: a range of days in, the JSON of docs/api.md ("Insights") out.

Every function takes `now` and answers plain values. What each number means stands in `plan/dashboards/*.yml` and in
the questions themselves. On top of docs/api.md each answer says `demo`: whether demonstration data is in the store.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flowforge_ui.analytics.dashboards import dashboard, titles
from flowforge_ui.analytics.ranges import DateRange, chosen_range

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from flowforge_ui.analytics.store import Parameter, Row, Store

LIVE_MINUTES = 30
NOW_MINUTES = 5
_SERIES = ("users", "teams", "sessions", "views")
_COMPARED = ("users", "sessions", "views")


def overview(store: Store, first: date | None, last: date | None, now: datetime) -> dict[str, Any]:
    """How much the platform was used, beside the previous period. Raises InvalidRange."""
    span = chosen_range(first, last, now)
    current, previous = _bounds(span, now)
    about = dashboard("overview")
    return {
        **_ranges(span),
        "tiles": _tiles(_figures(store, current), _figures(store, previous)),
        "series": {**(about.series or {}), "points": _points(store, span, current, previous)},
        **_presence(store, fresh=True),
    }


def routes(store: Store, first: date | None, last: date | None, now: datetime) -> dict[str, Any]:
    """Which pages were used, by how many and for how long. Raises InvalidRange."""
    span = chosen_range(first, last, now)
    current, previous = _bounds(span, now)
    earlier = {row["route"]: row["views"] for row in store.ask("route_views", previous)}
    engaged = {row["route"]: row for row in store.ask("route_engaged", current)}
    entries, exits, sessions = _ends(store.ask("route_ends", current))
    unknown: Row = {"engaged_median_ms": None, "engaged_p75_ms": None}
    rows = [
        {
            "route": row["route"],
            "title": titles().get(row["route"], row["route"]),
            "views": row["views"],
            "previous_views": earlier.get(row["route"], 0),
            "users": row["users"],
            "teams": row["teams"],
            "engaged_median_ms": _rounded(engaged.get(row["route"], unknown)["engaged_median_ms"]),
            "engaged_p75_ms": _rounded(engaged.get(row["route"], unknown)["engaged_p75_ms"]),
            "entry_ratio": _ratio(entries.get(row["route"], 0), sessions),
            "exit_ratio": _ratio(exits.get(row["route"], 0), sessions),
            "load_p75_ms": _rounded(row["load_p75_ms"]),
        }
        for row in store.ask("routes", current)
    ]
    begun = store.ask("first_day", {**previous, "end": span.previous().end})
    return {
        **_ranges(span),
        "recorded_since": begun[0]["day"].isoformat() if begun else None,
        "definition": dashboard("routes").definition,
        "rows": rows,
        **_presence(store),
    }


def live(store: Store, now: datetime) -> dict[str, Any]:
    """What has happened during the last half hour, to the last event."""
    now = now.astimezone(UTC)
    this_minute = now.replace(second=0, microsecond=0)
    start = this_minute - timedelta(minutes=LIVE_MINUTES - 1)
    seen = {row["minute"]: row for row in store.ask("live_minutes", {"start": start, "end": _minute(this_minute, 1)})}
    users = store.ask("live_users", {"start": now - timedelta(minutes=NOW_MINUTES)})[0]["users"]
    return {
        "now": iso(now),
        "users_now": users,
        "minutes": [_live_minute(seen, _minute(start, index)) for index in range(LIVE_MINUTES)],
        "events": [_live_event(row) for row in store.ask("live_events", {"start": start})],
        **_presence(store),
    }


def iso(moment: datetime) -> str:
    """`2026-11-23T07:14:05.123Z`: UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bounds(span: DateRange, now: datetime) -> tuple[Mapping[str, Parameter], Mapping[str, Parameter]]:
    return (
        {"start": span.start, "end": span.end},
        {"start": span.previous().start, "end": span.previous_end(now)},
    )


def _ranges(span: DateRange) -> dict[str, Any]:
    before = span.previous()
    return {
        "range": {"from": span.first.isoformat(), "to": span.last.isoformat(), "days": span.days},
        "previous": {"from": before.first.isoformat(), "to": before.last.isoformat()},
    }


def _presence(store: Store, *, fresh: bool = False) -> dict[str, Any]:
    held = store.ask("presence", {})[0]
    until = {"fresh_until": iso(held["received_at"]) if held["events"] else None} if fresh else {}
    return {**until, "empty": held["events"] == 0, "demo": held["demo_events"] > 0}


def _figures(store: Store, bounds: Mapping[str, Parameter]) -> dict[str, tuple[int | None, int]]:
    """The value and the n of every tile."""
    totals = store.ask("overview_totals", bounds)[0]
    engaged = store.ask("engaged", bounds)[0]
    return {
        "active_users": (totals["users"], totals["acts"]),
        "active_teams": (totals["teams"], totals["team_acts"]),
        "sessions": (totals["sessions"], totals["member_views"]),
        "views": (totals["views"], totals["views"]),
        "engaged_median": (_rounded(engaged["median_ms"]), engaged["views_left"]),
    }


def _tiles(
    current: Mapping[str, tuple[int | None, int]], previous: Mapping[str, tuple[int | None, int]]
) -> list[dict[str, Any]]:
    return [
        {
            "key": tile.key,
            "label": tile.label,
            "unit": tile.unit,
            "value": current[tile.key][0],
            "previous": previous[tile.key][0],
            "n": current[tile.key][1],
            "definition": tile.definition,
        }
        for tile in dashboard("overview").tiles
    ]


def _points(
    store: Store, span: DateRange, current: Mapping[str, Parameter], previous: Mapping[str, Parameter]
) -> list[dict[str, Any]]:
    days = {row["day"]: row for row in store.ask("overview_days", current)}
    earlier = {row["day"] + span.shift: row for row in store.ask("overview_days", previous)}
    nothing: Row = dict.fromkeys(_SERIES, 0)
    points = []
    for offset in range(span.days):
        day = span.first + timedelta(days=offset)
        now, then = days.get(day, nothing), earlier.get(day, nothing)
        points.append(
            {
                "day": day.isoformat(),
                **{key: now[key] for key in _SERIES},
                **{f"previous_{key}": then[key] for key in _COMPARED},
            }
        )
    return points


def _ends(pairs: list[Row]) -> tuple[dict[str, int], dict[str, int], int]:
    """Sessions by their first route, by their last route, and all of them."""
    entries: dict[str, int] = {}
    exits: dict[str, int] = {}
    for row in pairs:
        entries[row["entry"]] = entries.get(row["entry"], 0) + row["sessions"]
        exits[row["exit"]] = exits.get(row["exit"], 0) + row["sessions"]
    return entries, exits, sum(entries.values())


def _live_minute(seen: Mapping[datetime, Row], minute: datetime) -> dict[str, Any]:
    row = seen.get(minute)
    return {"minute": iso(minute), "views": row["views"] if row else 0, "users": row["users"] if row else 0}


def _live_event(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "event": row["event"],
        "route": row["route"],
        "title": titles().get(row["route"], row["route"]),
        "nav_type": row["nav_type"],
        "at": iso(row["timestamp"]),
        "received_at": iso(row["received_at"]),
        "role": row["role"],
        "browser": row["browser"],
        "origin": row["origin"],
    }


def _minute(start: datetime, count: int) -> datetime:
    return start + timedelta(minutes=count)


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
