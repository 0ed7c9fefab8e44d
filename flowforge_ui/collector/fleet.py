"""The fleet in numbers: roll-ups read and shaped for the dashboards. Nothing here scans installations.

Every tile carries ``n`` (how many installations it speaks of) and its definition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from flowforge_ui.collector.ping import HOUR_MS, SIZE_ORDER, day_of, version_key
from flowforge_ui.collector.store import PingStore

SILENT_HOURS = 48
LOST_DAYS = 30
OTHERS = "others"
DISTRIBUTIONS = ("version", "os", "arch", "runtime", "driver", "users", "teams", "projects")
LABELS = {
    "version": "Version",
    "os": "Operating system",
    "arch": "Processor",
    "runtime": "Runtime",
    "driver": "Driver",
    "users": "Users",
    "teams": "Teams",
    "projects": "Projects",
}

DEFINITIONS = {
    "active_day": "Installations that sent a ping on the last complete UTC day. A copied database counts once.",
    "active_week": "Installations that sent at least one ping in the last complete week, Monday to Sunday, UTC.",
    "new_week": "Installations heard of for the first time in the last complete week.",
    "silent": f"Installations last heard of more than {SILENT_HOURS} hours and at most {LOST_DAYS} days ago.",
    "lost": f"Installations last heard of more than {LOST_DAYS} days ago.",
    "copies": "Installations with two copies alive on the last complete day: one identifier, two histories.",
    "lag": "Days from the first time a version was heard of anywhere to an installation's upgrade to it.",
    "distribution": "Installations active on the last complete day, by the value of their first ping of that day.",
    "adoption": "Installations active on each day, by the version of their first ping of that day.",
    "series": "Installations active on each day, and those heard of for the first time.",
    "weeks": "Installations active in each week, Monday to Sunday, UTC, and those heard of for the first time.",
}

Row = dict[str, object]


@dataclass(frozen=True)
class Fleet:
    """Answers from the roll-ups as they stand at ``now``."""

    store: PingStore
    now: datetime

    def dashboard(self, days: int = 90) -> Row:
        """Everything the page shows, for the last ``days`` complete days and today."""
        today = self.now.date()
        with self.store.reading() as tx:
            by_day = self._roll_up(tx, "day", today - timedelta(days=days))
            by_week = self._roll_up(tx, "week", today - timedelta(days=days + 7))
            silent, lost, heard, newest = self._heard(tx)
            lag = self._lag(tx)
            counters = self._counters(tx)
        this_week = today - timedelta(days=today.weekday())
        # A fleet that is a day old has no complete day yet: then it is today, and said so.
        day_over, week_over = any(each < today for each in by_day), any(each < this_week for each in by_week)
        last_day = today - timedelta(days=1) if day_over else today
        last_week = this_week - timedelta(days=7) if week_over else this_week
        day, week = by_day.get(last_day, {}), by_week.get(last_week, {})
        on, during = ("yesterday" if day_over else "today so far"), ("last week" if week_over else "this week so far")
        return {
            "now": self.now.isoformat(timespec="seconds"),
            "heard_until": newest,
            "last_day": last_day.isoformat(),
            "last_week": last_week.isoformat(),
            "complete": {"day": day_over, "week": week_over},
            "tiles": [
                _tile("active_day", f"Active {on}", _count(day, "all"), heard),
                _tile("active_week", f"Active {during}", _count(week, "all"), heard),
                _tile("new_week", f"New {during}", _count(week, "new"), _count(week, "all")),
                _tile("silent", f"Silent over {SILENT_HOURS} h", silent, heard),
                _tile("lost", f"Lost, over {LOST_DAYS} days", lost, heard),
                _tile("copies", "Copied", _count(day, "copied"), _count(day, "all")),
            ],
            "series": {
                "definition": DEFINITIONS["series"],
                "points": [
                    {"day": each.isoformat(), "active": _count(by_day[each], "all"), "new": _count(by_day[each], "new")}
                    for each in sorted(by_day)
                ],
            },
            "weeks": {
                "definition": DEFINITIONS["weeks"],
                "points": [
                    {
                        "week": each.isoformat(),
                        "active": _count(by_week[each], "all"),
                        "new": _count(by_week[each], "new"),
                    }
                    for each in sorted(by_week)
                ],
            },
            "adoption": {"definition": DEFINITIONS["adoption"], "points": _adoption(by_day)},
            "distributions": [
                {
                    "key": each,
                    "label": LABELS[each],
                    "definition": DEFINITIONS["distribution"],
                    "n": sum(day.get(each, {}).values()),
                    "values": _ordered(each, day.get(each, {})),
                }
                for each in DISTRIBUTIONS
            ],
            "lag": {"definition": DEFINITIONS["lag"], **lag},
            "counters": counters,
        }

    def _roll_up(self, tx: sa.Connection, grain: str, since: date) -> dict[date, dict[str, dict[str, int]]]:
        table = self.store.tables.roll_up
        rows = tx.execute(
            sa.select(table.c.start, table.c.dimension, table.c.value, table.c.n).where(
                table.c.grain == grain, table.c.start >= since
            )
        )
        found: dict[date, dict[str, dict[str, int]]] = {}
        for start, dimension, value, n in rows:
            found.setdefault(start, {}).setdefault(dimension, {})[value] = n
        return found

    def _heard(self, tx: sa.Connection) -> tuple[int, int, int, str | None]:
        hour = self.store.tables.last_heard
        now = int(self.now.timestamp() * 1000) // HOUR_MS
        gone, quiet = hour.c.hour < now - LOST_DAYS * 24, hour.c.hour < now - SILENT_HOURS
        asked = sa.select(
            sa.func.sum(sa.case((gone, hour.c.n), else_=0)),
            sa.func.sum(sa.case((quiet, hour.c.n), else_=0)),
            sa.func.sum(hour.c.n),
            sa.func.max(hour.c.hour),
        ).where(hour.c.n > 0)
        lost, over, total, newest = tx.execute(asked).one()
        until = None if newest is None else datetime.fromtimestamp(newest * 3600, UTC).isoformat(timespec="minutes")
        return int(over or 0) - int(lost or 0), int(lost or 0), int(total or 0), until

    def _lag(self, tx: sa.Connection) -> Row:
        table = self.store.tables.upgrade_lag
        per_version: dict[str, dict[int, int]] = defaultdict(dict)
        everywhere: dict[int, int] = defaultdict(int)
        for version, lag_days, n in tx.execute(sa.select(table.c.version, table.c.days, table.c.n)):
            per_version[version][lag_days] = n
            everywhere[lag_days] += n
        release = self.store.tables.release
        first = {
            each: day_of(ms).isoformat() for each, ms in tx.execute(sa.select(release.c.version, release.c.first_seen))
        }
        return {
            **_lag_row(everywhere),
            "versions": [
                {"version": each, "first_heard": first.get(each), **_lag_row(per_version[each])}
                for each in sorted(per_version, key=version_key, reverse=True)
            ],
        }

    def _counters(self, tx: sa.Connection) -> Row:
        table = self.store.tables.counter
        found: dict[str, dict[str, int]] = {"taken": {}, "repeated": {}, "refused": {}, "unknown_field": {}}
        for kind, name, n in tx.execute(sa.select(table.c.kind, table.c.name, table.c.n)):
            found[kind][name] = n
        return {
            "taken": found["taken"].get("", 0),
            "repeated": found["repeated"].get("", 0),
            "refused": found["refused"],
            "unknown_fields": found["unknown_field"],
        }


def percentile(histogram: Mapping[int, int], share: float) -> int | None:
    """The smallest value at or below which ``share`` of the histogram lies; None when it is empty."""
    total = sum(histogram.values())
    reached = 0
    for value in sorted(histogram):
        reached += histogram[value]
        if reached >= share * total and total:
            return value
    return None


def _lag_row(histogram: Mapping[int, int]) -> Row:
    return {
        "n": sum(histogram.values()),
        "p50_days": percentile(histogram, 0.5),
        "p90_days": percentile(histogram, 0.9),
    }


def _adoption(by_day: Mapping[date, Mapping[str, Mapping[str, int]]], top: int = 8) -> list[Row]:
    totals: dict[str, int] = defaultdict(int)
    for day in by_day.values():
        for version, n in day.get("version", {}).items():
            totals[version] += n
    named = set(sorted(totals, key=lambda each: (totals[each], each), reverse=True)[:top])
    points = []
    for each in sorted(by_day):
        cells: dict[str, int] = defaultdict(int)
        for version, n in by_day[each].get("version", {}).items():
            cells[version if version in named else OTHERS] += n
        points += [{"day": each.isoformat(), "version": version, "n": n} for version, n in sorted(cells.items())]
    return points


def _ordered(dimension: str, cells: Mapping[str, int]) -> list[Row]:
    if dimension in ("users", "teams", "projects"):
        keys: Iterable[str] = (each for each in SIZE_ORDER if each in cells)
    elif dimension == "version":
        keys = sorted(cells, key=version_key, reverse=True)
    else:
        keys = sorted(cells, key=lambda each: (-cells[each], each))
    return [{"value": each, "n": cells[each]} for each in keys]


def _tile(key: str, label: str, value: int, n: int) -> Row:
    return {"key": key, "label": label, "value": value, "n": n, "definition": DEFINITIONS[key]}


def _count(cells: Mapping[str, Mapping[str, int]], dimension: str) -> int:
    return sum(cells.get(dimension, {}).values())
