"""The made-up fleet: the same each time, shaped as fleets are, and taken away without a trace."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from flowforge_ui.cli import main
from flowforge_ui.collector import demo
from flowforge_ui.collector import demo_fleet as made_up
from flowforge_ui.collector.demo_fleet import DAYS, Fleet
from flowforge_ui.collector.fleet import Fleet as Numbers
from flowforge_ui.collector.ping import Ping
from flowforge_ui.collector.store import PingStore
from tests.support.collector import PLAN

END = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def pings() -> list[list[Ping]]:
    return list(Fleet(END, seed=3, size=300).days())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PingStore]:
    store = PingStore(f"sqlite:///{tmp_path}/collector.db", PLAN)
    store.prepare()
    yield store
    store.close()


def contents(store: PingStore) -> dict[str, list[tuple[Any, ...]]]:
    with store.reading() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.execute(sa.select(table))), key=repr)
            for table in store.tables.metadata.sorted_tables
        }


def real_pings() -> list[Ping]:
    """Some that are no demonstration: the first days of another fleet."""
    return [each for day in list(Fleet(END, seed=99, size=20).days())[-6:] for each in day]


def test_the_same_seed_makes_the_same_fleet(pings: list[list[Ping]]) -> None:
    assert list(Fleet(END, seed=3, size=300).days()) == pings
    assert next(Fleet(END, seed=4, size=300).days()) != pings[0]


def test_a_hundred_and_twenty_days_up_to_now_in_order(pings: list[list[Ping]]) -> None:
    assert len(pings) == DAYS
    assert pings[-1][-1].day == END.date()
    assert pings[0][0].day == END.date() - timedelta(days=DAYS - 1)
    times = [each.received_at for day in pings for each in day]
    assert times == sorted(times)
    assert times[-1] < END.timestamp() * 1000


def test_every_ping_is_one_the_collector_would_take(pings: list[list[Ping]]) -> None:
    known = {each.path: each for each in PLAN.fields if each.keep}
    seen = {(path, value) for day in pings for each in day for path, value in each.values.items()}
    assert [(path, value) for path, value in seen if known[path].check(value) != value] == []
    assert {"env.nodejs", "env.python"} <= {path for path, _ in seen}


def test_it_holds_what_fleets_hold(pings: list[list[Ping]]) -> None:
    born: Counter[int] = Counter()
    seen: set[str] = set()
    for number, day in enumerate(pings):
        fresh = {each.instance_id for each in day} - seen
        born[number] = len(fresh)
        seen |= fresh
    before = sum(born[day] for day in range(40, 68)) / 28
    after = sum(born[day] for day in range(made_up.BURST_DAY, made_up.BURST_DAY + 7)) / 7
    assert after > 2 * before  # the burst that follows a release

    lately = {each.instance_id for day in pings[-30:] for each in day}
    assert 0.05 < len(seen - lately) / len(seen) < 0.6  # some are lost

    numbers = Counter((each.instance_id, each.seq) for day in pings for each in day if each.seq is not None)
    assert any(n > 1 for n in numbers.values())  # a copied database numbers its pings once more


def test_upgrades_take_their_time_and_never_go_back(pings: list[list[Ping]]) -> None:
    order = [version for version, _ in made_up.RELEASES]
    runs: dict[str, list[int]] = {}
    for day in pings:
        for each in day:
            runs.setdefault(each.instance_id, []).append(order.index(str(each.values["env.flowforge"])))
    assert all(run == sorted(run) for run in runs.values())
    assert sum(run[0] < run[-1] for run in runs.values()) > 50


def test_it_fills_the_dashboards(store: PingStore) -> None:
    filled = demo.fill(store, Fleet(END, seed=3, size=300))
    board: Any = Numbers(store, END).dashboard()
    tiles = {each["key"]: each["value"] for each in board["tiles"]}
    assert demo.held(store) == demo.Held(real=0, made_up=filled.installations)
    assert filled.installations > 280
    assert all(tiles[name] > 0 for name in ("active_day", "active_week", "new_week", "silent", "lost"))
    assert len(board["series"]["points"]) == 91
    assert board["lag"]["n"] > 50
    assert board["counters"]["taken"] == filled.pings


def test_raw_pings_of_the_past_are_not_kept_and_the_roll_ups_stay(store: PingStore) -> None:
    demo.fill(store, Fleet(END, seed=3, size=300))
    before = contents(store)
    assert all(row[5] > END.timestamp() * 1000 for row in before["ping_raw"])
    with store.writing() as tx:
        store.expire(tx, int((END + timedelta(days=400)).timestamp() * 1000))
    after = contents(store)
    assert after.pop("ping_raw") == []
    before.pop("ping_raw")
    assert after == before


def test_it_is_taken_away_without_a_trace(store: PingStore) -> None:
    with store.writing() as tx:
        store.keep(tx, real_pings())
        tx.execute(store.tables.last_heard.delete().where(store.tables.last_heard.c.n == 0))
    before = contents(store)
    demo.fill(store, Fleet(END, seed=3, size=300))
    demo.fill(store, Fleet(END, seed=5, size=200))  # in place of the first
    assert contents(store) != before

    assert demo.remove(store) == demo_size(5, 200)
    assert contents(store) == before
    assert demo.remove(store) == 0


def demo_size(seed: int, size: int) -> int:
    return len({each.instance_id for day in Fleet(END, seed, size).days() for each in day})


def test_it_does_not_mix_with_real_data_unasked(
    store: PingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.writing() as tx:
        store.keep(tx, real_pings())
    known = demo.held(store).real
    settings = {"home": str(tmp_path), "collector": {"database_url": f"sqlite:///{tmp_path}/collector.db"}}
    (tmp_path / "flowforge.yml").write_text(json.dumps(settings), "utf-8")
    monkeypatch.chdir(tmp_path)

    refused = CliRunner().invoke(main, ["collector", "demo"])
    assert refused.exit_code == 1
    assert f"{known} real installations are known" in refused.output
    assert demo.held(store) == demo.Held(known, 0)

    done = CliRunner().invoke(main, ["collector", "demo", "--remove", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"removed": 0})
