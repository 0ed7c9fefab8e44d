"""Keeping pings in groups comes to the same as keeping them one by one, on both databases."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flowforge_ui.collector import versions
from flowforge_ui.collector.ping import DAY_MS, HOUR_MS, Ping, day_of, dimensions, receipt_of
from flowforge_ui.collector.store import PingStore
from flowforge_ui.telemetry.wire import Field, Value
from tests.support.collector import PLAN

START = int(datetime(2026, 11, 2, 6, tzinfo=UTC).timestamp() * 1000)


def a_ping(
    instance: str, at: int, version: str, *, seq: int | None = 1, last: str | None = None, word: str = ""
) -> Ping:
    period = f"{at}-{word}"
    return Ping(
        instance_id=str(uuid.uuid5(uuid.NAMESPACE_OID, instance)),
        period=period,
        sha256="0" * 64,
        receipt=receipt_of(str(uuid.uuid5(uuid.NAMESPACE_OID, instance)), period),
        received_at=at,
        expires_at=at + DAY_MS,
        token=None,
        token_epoch=None,
        seq=seq,
        last_receipt=last,
        secret_hash=f"{len(instance):064x}",
        values={"env.flowforge": version, "os.type": "Linux", "platform.counts.users": seq or 0},
    )


def some_weeks(seed: int) -> list[Ping]:
    """Six installations for three weeks: upgrades, repeats, one that was copied, one without numbers, silence."""
    chance = random.Random(seed)
    heads: dict[tuple[str, int], tuple[int, str | None]] = {}
    found: list[Ping] = []
    for day in range(21):
        for name in "abcdef":
            if chance.random() < 0.15:
                continue
            for copy in (0, 1) if name == "c" and day > 7 else (0,):
                seq, last = heads.get((name, copy), heads.get((name, 0), (0, None)))
                at = START + day * DAY_MS + chance.randrange(10) * HOUR_MS + copy
                ping = a_ping(
                    name,
                    at,
                    "0.9.0" if day < chance.randrange(5, 15) else "0.10.0",
                    seq=None if name == "f" else seq + 1,
                    last=None if name == "f" or chance.random() < 0.1 else last,
                    word=str(copy),
                )
                heads[name, copy] = (seq + 1, ping.receipt)
                found += [ping, ping] if chance.random() < 0.2 else [ping]
    return sorted(found, key=lambda each: each.received_at)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two empty databases of one kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/one.db", f"sqlite:///{tmp_path}/two.db"
    else:
        cluster = request.getfixturevalue("postgres_cluster")
        yield cluster.create(), cluster.create()


def contents(url: str, pings: list[Ping], group: int) -> dict[str, list[tuple[Any, ...]]]:
    store = PingStore(url, PLAN)
    store.prepare()
    for start in range(0, len(pings), group):
        with store.writing() as tx:
            store.keep(tx, pings[start : start + group])
    with store.reading() as tx:
        found = {
            # An hour in which nobody was heard last is the same with a row and without.
            table.name: sorted((tuple(row) for row in tx.execute(sa.select(table)) if row[-1] != 0), key=repr)
            for table in store.tables.metadata.sorted_tables
        }
    store.close()
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_groups_come_to_the_same_as_one_by_one(url: tuple[str, str], seed: int) -> None:
    pings = some_weeks(seed)
    single, grouped = contents(url[0], pings, 1), contents(url[1], pings, 40)
    assert single == grouped
    assert len(single["ping_raw"]) == len({each.receipt for each in pings}) > 80
    assert ("day", "copied") in {(row[0], row[2]) for row in single["roll_up"]}


def test_one_that_comes_late_moves_nothing_back(tmp_path: Path) -> None:
    """Out of the spool after a later one: it was heard when it was heard last, and its day counts once."""
    early = a_ping("a", START, "0.9.0")
    late = a_ping("a", START + 3 * DAY_MS, "0.9.0", seq=2)
    found = contents(f"sqlite:///{tmp_path}/late.db", [late, early, early], 1)
    assert found["last_heard"] == [((START + 3 * DAY_MS) // HOUR_MS, 1)]
    assert sum(row[4] for row in found["roll_up"] if (row[0], row[2]) == ("day", "all")) == 1


def test_the_first_to_carry_a_version_dates_its_release(tmp_path: Path) -> None:
    """Within a group, too, where installations stand in another order than their pings came."""
    names = sorted("abcdefgh", key=lambda each: str(uuid.uuid5(uuid.NAMESPACE_OID, each)))
    pings = [a_ping(name, START - number * DAY_MS, "0.9.0") for number, name in enumerate(names)]
    found = contents(f"sqlite:///{tmp_path}/releases.db", pings, 100)
    assert found["release"] == [("0.9.0", START - 7 * DAY_MS, day_of(START))]


def test_versions_that_anybody_makes_up_end_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are kept for good: an installation beyond the bound counts, its version has no name."""
    monkeypatch.setattr(versions, "MOST_VERSIONS", 2)
    named = ["0.9.0", "0.10.0", "9.9.1", "9.9.2", "0.9.0"]
    pings = [a_ping(f"i{number}", START + number, version) for number, version in enumerate(named)]
    upgrade = a_ping("i0", START + DAY_MS, "9.9.3", seq=2)
    found = contents(f"sqlite:///{tmp_path}/versions.db", [*pings, upgrade], 2)
    first = datetime.fromtimestamp(START / 1000, UTC).date()
    days = {row[3]: row[4] for row in found["roll_up"] if row[:3] == ("day", first, "version")}
    assert days == {"0.9.0": 2, "0.10.0": 1, "other": 2}
    assert [row[0] for row in found["release"]] == ["0.10.0", "0.9.0"]
    assert found["upgrade_lag"] == []


def test_versions_that_were_made_up_once_make_room_for_real_ones(
    url: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who fills the list has to go on; a release is told apart the day after they end, one that is in use stays."""
    monkeypatch.setattr(versions, "MOST_VERSIONS", 3)
    pings = [a_ping("a", START, "0.9.0"), a_ping("x", START, "9.9.1"), a_ping("y", START, "9.9.2")]
    for day, version in ((1, "0.10.0"), (2, "0.10.0")):
        at = START + day * DAY_MS
        pings += [a_ping("a", at, "0.9.0", seq=day + 1), a_ping(f"b{day}", at, version), a_ping(f"c{day}", at, version)]
    for turn, size in enumerate((1, 3)):
        found = contents(url[turn], pings, size)
        assert [row[0] for row in found["release"]] == ["0.10.0", "0.9.0", "9.9.2"]
        counted = {(row[1], row[3]): row[4] for row in found["roll_up"] if row[0] == "day" and row[2] == "version"}
        first = day_of(START)
        assert counted[first + timedelta(days=1), "other"] == 2
        assert counted[first + timedelta(days=2), "0.10.0"] == 2
        assert counted[first + timedelta(days=2), "0.9.0"] == 1


@pytest.mark.parametrize(
    ("path", "version", "runtime"),
    [
        ("env.python", "3.12.4", "python 3.12"),
        ("env.python", "3.9", "python 3.9"),
        ("env.python", "3.123.1", "other"),
        ("env.python", "31.1", "other"),
        ("env.nodejs", "v16.19.1", "node 16"),
        ("env.nodejs", "8", "node 8"),
        ("env.nodejs", "1600.1", "other"),
    ],
)
def test_runtimes_are_told_apart_by_what_changes_them(path: str, version: str, runtime: str) -> None:
    assert dimensions({path: version})["runtime"] == runtime


def test_a_field_that_comes_to_the_plan_comes_to_a_database_that_is_there(url: tuple[str, str]) -> None:
    """Of every type; what is there stays, and what an older program keeps afterwards is kept."""
    old = [a_ping("a", START, "0.9.0"), a_ping("b", START, "0.9.0")]
    before = contents(url[0], old[:1], 1)
    fields: dict[str, Value] = {"version": "3.4.1", "enum": "ants", "bool": True, "int": 7}
    added = [Field(f"new.{each}", each, "why", frozenset({"ants"}), column=f"new_{each}") for each in fields]
    larger = replace(PLAN, fields=(*PLAN.fields, *added))
    for _ in range(2):  # at each start
        store = PingStore(url[0], larger)
        store.prepare()
        with store.writing() as tx:
            new = a_ping("a", START + DAY_MS, "0.9.0", seq=2)
            new = replace(new, values={**new.values, **{f"new.{key}": value for key, value in fields.items()}})
            store.keep(tx, [new])
            row, pings = store.held(tx, new.instance_id)
        store.close()
    assert row is not None
    assert [row[f"new_{each}"] for each in fields] == list(fields.values())
    assert len(pings) == 2
    after = contents(url[0], old[1:], 1)
    assert len(after["installation"]) == len(before["installation"]) + 1
