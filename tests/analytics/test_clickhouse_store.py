"""What only ClickHouse has to prove: repeats that two servers wrote at once, its words, its absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flowforge_ui.analytics import insights
from flowforge_ui.analytics.clickhouse_store import ClickHouseStore, _dialect
from flowforge_ui.analytics.errors import StoreTooNew, StoreUnavailable
from flowforge_ui.analytics.store import open_store, question
from tests.analytics.events import ALICE, at, leave, view
from tests.support.ports import free_port

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

URL = "clickhouse://localhost/analytics"


def test_what_two_servers_wrote_at_once_counts_once(clickhouse: Client) -> None:
    store = ClickHouseStore(clickhouse, URL)
    events = [view("2026-03-02 10:00", ALICE, 1, 1, "home"), leave("2026-03-02 10:01", ALICE, 1, 1, "home", 5_000)]
    # Neither has seen the other's when it looks for what is there.
    store._insert(events)
    store._insert(events)
    store._insert(events)
    assert clickhouse.query("SELECT count(*) FROM events").result_rows[0][0] > 2
    day = at("2026-03-02").date()
    tiles = insights.overview(store, day, day, at("2026-03-03"))["tiles"]
    assert [(tile["key"], tile["value"], tile["n"]) for tile in tiles] == [
        ("active_users", 1, 1),
        ("active_teams", 0, 0),
        ("sessions", 1, 1),
        ("views", 1, 1),
        ("engaged_median", 5_000, 1),
    ]
    assert len(store.ask("export_day", {"day": day})) == 2
    assert store.append(events) == 0


def test_a_second_opening_finds_the_same_store(clickhouse: Client) -> None:
    ClickHouseStore(clickhouse, URL).append([view("2026-03-02 10:00", ALICE, 1, 1, "home")])
    assert ClickHouseStore(clickhouse, URL).latest() == at("2026-03-02 10:00:00.040")


def test_a_newer_layout_is_refused(clickhouse: Client) -> None:
    ClickHouseStore(clickhouse, URL)
    clickhouse.insert("about", [["layout", "7"]], column_names=["name", "value"])
    with pytest.raises(StoreTooNew) as refused:
        ClickHouseStore(clickhouse, URL)
    assert refused.value.found == 7


def test_its_words_for_a_question() -> None:
    text, values = _dialect(question("engaged"), {"start": at("2026-03-02"), "end": at("2026-03-03")})
    assert "quantileExactInclusive(0.5)(engaged_ms)" in text
    assert "event = '$pageleave'" in text
    assert text.count("fromUnixTimestamp64Milli({start:Int64}, 'UTC')") == 2
    assert "$start" not in text
    assert values == {"start": 1_772_409_600_000, "end": 1_772_496_000_000}


def test_nobody_there_is_said_without_the_password() -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable) as refused:
        open_store(f"clickhouse://analyst:s3cr%20et@127.0.0.1:{port}/analytics")
    assert f"127.0.0.1:{port}" in str(refused.value)
    assert "s3cr" not in str(refused.value)
