"""Export and retention: all of it, in types, a whole file or none."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from flowforge_ui.analytics.columns import NAMES
from flowforge_ui.analytics.export import days_held, export
from flowforge_ui.analytics.retention import prune
from flowforge_ui.telemetry.event import Event
from tests.analytics.events import ALICE, BOB, act, at, leave, view

if TYPE_CHECKING:
    from pathlib import Path

    from flowforge_ui.analytics.store import Store

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


@pytest.fixture
def events() -> list[Event]:
    return [
        act("2026-03-01 23:59:59.999", ALICE, "logged in"),
        view("2026-03-02 10:00:00.123", ALICE, 1, 1, "=1+1", title='"Team", 😀\nand more', load_ms=12, demo=True),
        leave("2026-03-02 10:01", ALICE, 1, 1, "team", 5_000, scroll_depth=0.25),
        view("2026-03-05 00:00", BOB, 2, 2, "home"),
    ]


def test_csv(store: Store, events: list[Event], tmp_path: Path) -> None:
    store.append(events)
    days = days_held(store, FIRST, LAST)
    assert days == [(date(2026, 3, 1), 1), (date(2026, 3, 2), 2), (date(2026, 3, 5), 1)]
    target, wrote = tmp_path / "events.csv", list[int]()
    assert export(store, days, target, "csv", wrote.append) == 4
    assert sum(wrote) == 4
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == NAMES
    assert [row["uuid"] for row in rows] == [event.uuid for event in events]
    assert {name: rows[1][name] for name in ("day", "timestamp", "route", "load_ms", "demo", "team", "properties")} == {
        "day": "2026-03-02",
        "timestamp": "2026-03-02T10:00:00.123Z",
        "route": "'=1+1",  # a sheet shows it and does not work it out
        "load_ms": "12",
        "demo": "True",
        "team": "",
        "properties": '{"title":"\\"Team\\", 😀\\nand more"}',
    }
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_parquet(store: Store, events: list[Event], tmp_path: Path) -> None:
    store.append(events)
    target = tmp_path / "it's.parquet"
    assert export(store, days_held(store, FIRST, date(2026, 3, 2)), target, "parquet", lambda _: None) == 3
    with duckdb.connect() as engine:
        result = engine.execute("SELECT * FROM read_parquet(?) ORDER BY timestamp", [str(target)])
        names = [column[0] for column in result.description or ()]
        rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    assert tuple(names) == NAMES
    assert rows[1]["timestamp"] == at("2026-03-02 10:00:00.123").replace(tzinfo=None)
    assert (rows[1]["route"], rows[1]["load_ms"], rows[1]["demo"], rows[1]["team"]) == ("=1+1", 12, True, None)
    assert rows[2]["scroll_depth"] == 0.25
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_failed_export_leaves_no_file(store: Store, events: list[Event], tmp_path: Path) -> None:
    store.append(events)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    for form in ("csv", "parquet"):
        with pytest.raises(KeyboardInterrupt):
            export(store, days_held(store, FIRST, LAST), tmp_path / f"events.{form}", form, stop)
    assert {path.name for path in tmp_path.iterdir()} <= {"analytics.duckdb", "analytics.duckdb.wal"}


def test_an_empty_export_has_its_columns(store: Store, tmp_path: Path) -> None:
    assert export(store, [], tmp_path / "none.csv", "csv", lambda _: None) == 0
    assert (tmp_path / "none.csv").read_bytes() == f"{','.join(NAMES)}\r\n".encode()
    assert export(store, [], tmp_path / "none.parquet", "parquet", lambda _: None) == 0


def test_retention_forgets_whole_days(store: Store, events: list[Event]) -> None:
    store.append(events)
    now = at("2026-03-05 15:00")
    assert prune(store, 5, now) == 0
    assert prune(store, 3, now) == 1  # days up to 1 March are gone, 2 March is the oldest kept
    assert prune(store, 3, now) == 0
    assert [day for day, _ in days_held(store, FIRST, LAST)] == [date(2026, 3, 2), date(2026, 3, 5)]
    assert prune(store, 0, now + timedelta(days=1)) == 3
