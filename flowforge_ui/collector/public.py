"""The fleet as the public may see it: no cell that speaks of a few installations, nor one that could be worked out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from flowforge_ui.collector.fleet import OTHERS
from flowforge_ui.collector.ping import week_of

SMALLEST = 10
# A cell like the others: whoever knows how many there are in all could work out how many say nothing.
NOT_GIVEN = "not given"

Row = dict[str, object]


def for_the_public(dashboard: Mapping[str, object]) -> Row:
    """The dashboard without any cell from 1 to SMALLEST - 1, and without what we count about ourselves."""
    series, weeks, adoption, lag = (_mapping(dashboard[each]) for each in ("series", "weeks", "adoption", "lag"))
    active = {str(each["day"]): _int(each["active"]) for each in _rows(series["points"])}
    on_last_day = active.get(str(dashboard["last_day"]), 0)
    versions = _adoption(_rows(adoption["points"]), active)
    return {
        **{name: dashboard[name] for name in ("now", "heard_until", "last_day", "last_week", "complete")},
        "smallest": SMALLEST,
        "tiles": _tiles(_rows(dashboard["tiles"])),
        "series": {**series, "points": _series(_rows(series["points"]))},
        "weeks": {
            **weeks,
            "points": [
                {**each, "active": _shown(each["active"]), "new": _shown(each["new"])}
                for each in _rows(weeks["points"])
            ],
        },
        "adoption": {**adoption, "points": versions},
        "distributions": [
            _versions(each, [one for one in versions if one["day"] == dashboard["last_day"]], on_last_day)
            if each["key"] == "version"
            else _distribution(each, on_last_day)
            for each in _rows(dashboard["distributions"])
        ],
        "lag": _lag(lag),
    }


def hidden(cells: Sequence[int]) -> frozenset[int]:
    """Indices of the cells to hide where the total is known. Nothing at all is no secret.

    The small ones, and as many of the next larger ones as it takes for what is hidden to be no small number itself.
    """
    order = sorted((index for index, n in enumerate(cells) if n), key=lambda index: (cells[index], index))
    gone: list[int] = []
    for index in order:
        so_far = sum(cells[each] for each in gone)
        if cells[index] < SMALLEST or 0 < so_far < SMALLEST:
            gone.append(index)
    return frozenset(gone)


def _tiles(tiles: Sequence[Mapping[str, object]]) -> list[Row]:
    """The silent, the lost and the rest make up all that were ever heard of: of the three none may be worked out."""
    found = {str(each["key"]): _int(each["value"]) for each in tiles}
    heard = next((_int(each["n"]) for each in tiles if each["key"] == "silent"), 0)
    silent, lost = found.get("silent", 0), found.get("lost", 0)
    gone = {("silent", "lost", "rest")[index] for index in hidden([silent, lost, heard - silent - lost])}
    return [
        {**each, "value": None if each["key"] in gone else _shown(each["value"]), "n": _shown(each["n"])}
        for each in tiles
    ]


def _series(points: Sequence[Mapping[str, object]]) -> list[Row]:
    """Active by day stands alone (who is active today may be tomorrow); the new of a week add up to the week's new."""
    by_week: dict[date, list[int]] = defaultdict(list)
    for index, each in enumerate(points):
        by_week[week_of(date.fromisoformat(str(each["day"])))].append(index)
    without_new: set[int] = set()
    for indices in by_week.values():
        without_new |= {indices[each] for each in hidden([_int(points[index]["new"]) for index in indices])}
    return [
        {**each, "active": _shown(each["active"]), "new": None if index in without_new else _int(each["new"])}
        for index, each in enumerate(points)
    ]


def _adoption(points: Sequence[Mapping[str, object]], active: Mapping[str, int]) -> list[Row]:
    """A day's versions add up to the day's active installations; what is hidden of them is one cell."""
    by_day: dict[object, list[Mapping[str, object]]] = defaultdict(list)
    for each in points:
        by_day[each["day"]].append(each)
    shown: list[Row] = []
    for day, cells in by_day.items():
        silent = active.get(str(day), 0) - sum(_int(each["n"]) for each in cells)
        if silent > 0:
            cells.append({"day": day, "version": NOT_GIVEN, "n": silent})
        gone = hidden([_int(each["n"]) for each in cells])
        kept = [dict(each) for index, each in enumerate(cells) if index not in gone]
        together = sum(_int(cells[index]["n"]) for index in gone)
        if together >= SMALLEST:
            others = next((each for each in kept if each["version"] == OTHERS), None)
            if others is None:
                kept.append({"day": cells[0]["day"], "version": OTHERS, "n": together})
            else:
                others["n"] = _int(others["n"]) + together
        shown += kept
    return shown


def _distribution(row: Mapping[str, object], active: int) -> Row:
    values = [*_rows(row["values"])]
    silent = active - sum(_int(each["n"]) for each in values)
    if silent > 0:
        values.append({"value": NOT_GIVEN, "n": silent})
    gone = hidden([_int(each["n"]) for each in values])
    kept = [each for index, each in enumerate(values) if index not in gone]
    return {**row, "n": _shown(active), "values": kept, "hidden": len(gone)}


def _versions(row: Mapping[str, object], shown: Sequence[Mapping[str, object]], active: int) -> Row:
    """The cells that the adoption curve shows of that day: cut in another way, the two would give a small one away."""
    cells = {str(each["version"]): each["n"] for each in shown}
    values = _rows(row["values"])
    names = [*(str(each["value"]) for each in values if each["value"] != OTHERS), NOT_GIVEN, OTHERS]
    kept = [{"value": each, "n": cells[each]} for each in names if each in cells]
    return {**row, "n": _shown(active), "values": kept, "hidden": 0 if OTHERS in cells else len(values) - len(kept)}


def _lag(lag: Mapping[str, object]) -> Row:
    versions = _rows(lag["versions"])
    gone = hidden([_int(each["n"]) for each in versions])
    whole = lag if _shown(lag["n"]) is not None else {**lag, "n": None, "p50_days": None, "p90_days": None}
    return {**whole, "versions": [each for index, each in enumerate(versions) if index not in gone]}


def _shown(value: object) -> int | None:
    """None for a cell that is too small."""
    n = _int(value)
    return n if n == 0 or n >= SMALLEST else None


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
