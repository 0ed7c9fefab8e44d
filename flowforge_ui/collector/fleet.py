"""The fleet in numbers: roll-ups read and shaped for the dashboards. Nothing here scans installations.

Every tile carries ``n`` (how many installations it speaks of) and its definition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from flowforge_ui.collector.ping import HOUR_MS, SIZE_ORDER
from flowforge_ui.collector.store import PingStore

SILENT_HOURS = 48
LOST_DAYS = 30
SMALLEST_PUBLIC = 10
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
        last_day = today - timedelta(days=1)
        last_week = today - timedelta(days=today.weekday() + 7)
        day, week = by_day.get(last_day, {}), by_week.get(last_week, {})
        return {
            "now": self.now.isoformat(timespec="seconds"),
            "heard_until": newest,
            "last_day": last_day.isoformat(),
            "last_week": last_week.isoformat(),
            "tiles": [
                _tile("active_day", "Active yesterday", _count(day, "all"), heard),
                _tile("active_week", "Active last week", _count(week, "all"), heard),
                _tile("new_week", "New last week", _count(week, "new"), _count(week, "all")),
                _tile("silent", "Silent", silent, heard),
                _tile("lost", "Lost", lost, heard),
                _tile("copies", "Copied", _count(day, "copied"), _count(day, "all")),
            ],
            "series": {
                "definition": DEFINITIONS["series"],
                "points": [
                    {"day": each.isoformat(), "active": _count(by_day[each], "all"), "new": _count(by_day[each], "new")}
                    for each in sorted(by_day)
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
        silent = lost = total = 0
        newest: int | None = None
        for at, n in tx.execute(sa.select(hour.c.hour, hour.c.n).where(hour.c.n > 0)):
            total += n
            newest = max(at, newest or at)
            if now - at > LOST_DAYS * 24:
                lost += n
            elif now - at > SILENT_HOURS:
                silent += n
        until = None if newest is None else datetime.fromtimestamp(newest * 3600, UTC).isoformat(timespec="minutes")
        return silent, lost, total, until

    def _lag(self, tx: sa.Connection) -> Row:
        table = self.store.tables.upgrade_lag
        per_version: dict[str, dict[int, int]] = defaultdict(dict)
        everywhere: dict[int, int] = defaultdict(int)
        for version, lag_days, n in tx.execute(sa.select(table.c.version, table.c.days, table.c.n)):
            per_version[version][lag_days] = n
            everywhere[lag_days] += n
        return {
            **_lag_row(everywhere),
            "versions": [
                {"version": each, **_lag_row(per_version[each])}
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


def for_the_public(dashboard: Mapping[str, object]) -> Row:
    """The same without any cell under SMALLEST_PUBLIC, nor one that could be worked out from the others."""
    tiles = _rows(dashboard["tiles"])
    series, adoption, lag = (_mapping(dashboard[each]) for each in ("series", "adoption", "lag"))
    return {
        "now": dashboard["now"],
        "heard_until": dashboard["heard_until"],
        "last_day": dashboard["last_day"],
        "last_week": dashboard["last_week"],
        "smallest": SMALLEST_PUBLIC,
        "tiles": [{**each, "value": _shown(each["value"]), "n": _shown(each["n"])} for each in tiles],
        "series": {
            **series,
            "points": [
                {"day": each["day"], "active": _shown(each["active"]), "new": _shown(each["new"])}
                for each in _rows(series["points"])
            ],
        },
        "adoption": {
            **adoption,
            "points": [each for each in _rows(adoption["points"]) if _shown(each["n"]) is not None],
        },
        "distributions": [_public_distribution(each) for each in _rows(dashboard["distributions"])],
        "lag": {
            **(lag if _shown(lag["n"]) is not None else {**lag, "n": None, "p50_days": None, "p90_days": None}),
            "versions": [each for each in _rows(lag["versions"]) if _shown(each["n"]) is not None],
        },
    }


def _public_distribution(row: Mapping[str, object]) -> Row:
    values = sorted(_rows(row["values"]), key=lambda each: _int(each["n"]))
    hidden = [each for each in values if _int(each["n"]) < SMALLEST_PUBLIC]
    shown = values[len(hidden) :]
    # A single small cell could be had by taking the shown ones from the total: the smallest shown one joins it.
    while hidden and shown and sum(_int(each["n"]) for each in hidden) < SMALLEST_PUBLIC:
        hidden.append(shown.pop(0))
    names = {each["value"] for each in shown}
    kept = [each for each in _rows(row["values"]) if each["value"] in names]
    total = sum(_int(each["n"]) for each in values)
    return {**row, "n": _shown(total), "values": kept, "hidden": len(hidden)}


def percentile(histogram: Mapping[int, int], share: float) -> int | None:
    """The smallest value at or below which ``share`` of the histogram lies; None when it is empty."""
    total = sum(histogram.values())
    reached = 0
    for value in sorted(histogram):
        reached += histogram[value]
        if reached >= share * total and total:
            return value
    return None


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Sorts 0.10.0 after 0.9.0 and a release after its candidates."""
    main, dash, rest = version.removeprefix("v").partition("-")
    return tuple(int(each) if each.isdigit() else 0 for each in main.split(".")), not dash, rest


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
            cells[version if version in named else "others"] += n
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


def _shown(value: object) -> int | None:
    """None for a cell that is too small; nothing at all is no secret."""
    n = _int(value)
    return n if n == 0 or n >= SMALLEST_PUBLIC else None


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError("not a mapping")
    return value


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
