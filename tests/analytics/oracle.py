"""The dashboards' numbers, worked out the slow and plain way: what the questions must agree with."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowforge_ui.telemetry.event import Event


def moment(event: Event) -> datetime:
    return datetime.fromtimestamp(event.timestamp / 1000, UTC)


def signed_in(event: Event) -> bool:
    return event.properties.get("role", "anonymous") != "anonymous"


class Oracle:
    """Answers about events; each uuid counts once."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list({event.uuid: event for event in reversed(list(events))}.values())
        self.engaged: dict[str, list[int]] = defaultdict(list)
        for event in self.events:
            if event.name == "$pageleave" and "engaged_ms" in event.properties:
                self.engaged[str(event.properties["view_id"])].append(int(event.properties["engaged_ms"]))

    def between(self, start: datetime, end: datetime) -> list[Event]:
        return [event for event in self.events if start <= moment(event) < end]

    def totals(self, start: datetime, end: datetime) -> dict[str, float | None]:
        acts = [event for event in self.between(start, end) if event.name != "$pageleave"]
        views = [event for event in acts if event.name == "$pageview"]
        spent = self.spent(views)
        return {
            "active_users": len({e.distinct_id for e in acts if signed_in(e)}),
            "active_teams": len({e.properties["team"] for e in acts if "team" in e.properties}),
            "sessions": len({e.properties["$session_id"] for e in views if signed_in(e)}),
            "views": len(views),
            "engaged_median": round(median(spent)) if spent else None,
        }

    def spent(self, views: Sequence[Event]) -> list[int]:
        ids = [str(view.properties["view_id"]) for view in views]
        return [spent for view in ids for spent in self.engaged.get(view, ())]

    def routes(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        views = [event for event in self.between(start, end) if event.name == "$pageview"]
        by_route: dict[str, list[Event]] = defaultdict(list)
        by_session: dict[str, list[Event]] = defaultdict(list)
        for view in sorted(views, key=moment):
            by_route[str(view.properties["route"])].append(view)
            by_session[str(view.properties["$session_id"])].append(view)
        by_session = {name: seen for name, seen in by_session.items() if any(map(signed_in, seen))}
        entries = Counter(session[0].properties["route"] for session in by_session.values())
        exits = Counter(session[-1].properties["route"] for session in by_session.values())
        rows = [
            {
                "route": route,
                "views": len(seen),
                "users": len({e.distinct_id for e in seen if signed_in(e)}),
                "teams": len({e.properties["team"] for e in seen if "team" in e.properties}),
                "engaged_median_ms": percentile(self.spent(seen), 0.5),
                "engaged_p75_ms": percentile(self.spent(seen), 0.75),
                "load_p75_ms": percentile(
                    [int(e.properties["load_ms"]) for e in seen if "load_ms" in e.properties], 0.75
                ),
                "entry_ratio": entries[route] / len(by_session) if by_session else None,
                "exit_ratio": exits[route] / len(by_session) if by_session else None,
            }
            for route, seen in by_route.items()
        ]
        return sorted(rows, key=lambda row: (-int(str(row["views"])), str(row["route"])))

    def days(self, start: datetime, end: datetime) -> dict[str, dict[str, float | None]]:
        found = {}
        day = start
        while day < end:
            totals = self.totals(day, min(end, day + timedelta(days=1)))
            found[day.date().isoformat()] = totals
            day += timedelta(days=1)
        return found


def percentile(values: Sequence[int], share: float) -> int | None:
    """Between the two neighbours, in proportion: the definition of PERCENTILE_CONT in SQL."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below))
