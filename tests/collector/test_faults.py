"""What no database could take costs itself and nothing else; what is merely long is taken."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from flowforge_ui.collector.ping import Ping
from flowforge_ui.collector.spool import Spool
from flowforge_ui.collector.writer import Unavailable, Writer
from flowforge_ui.telemetry.wire import MAX_INT, MAX_TEXT, Field
from tests.collector.test_keeping import START, a_ping
from tests.collector.test_spool import held, wait_for
from tests.support.collector import PLAN, House

Build = Callable[..., House]
HEX = "0123456789abcdef" * 4
LONGEST: dict[str, object] = {
    "version": "v" + "9" * (MAX_TEXT - 1),
    "int": MAX_INT,
    "bool": True,
    "enum": "x" * MAX_TEXT,
    "uuid": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "period": "9999-12-31T23-ffffffff",
    "sha256": HEX,
    "receipt": HEX[:32],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


def nested(fields: Sequence[Field], **changes: object) -> dict[str, object]:
    """A document with the longest value of each field."""
    found: dict[str, object] = {}
    for each in fields:
        *parents, name = each.path.split(".")
        into = found
        for parent in parents:
            into = into.setdefault(parent, {})  # type: ignore[assignment]
        into[name] = changes.get(each.path, LONGEST[each.type])
    return found


def test_the_longest_value_of_every_field_is_kept(build: Build, url: str | None) -> None:
    house = build(url=url)
    first = {**nested(PLAN.fields), "envelope": nested(PLAN.envelope, period="2026-01-01T00-00000000", seq=1)}
    last = {**nested(PLAN.fields, **{"env.flowforge": "9" * MAX_TEXT}), "envelope": nested(PLAN.envelope)}
    names = {"a" * 64: 1, "b" * 64: {"c" * 64: 2}}
    assert [house.client.post("/ping", json={**each, **names}).status_code for each in (first, last)] == [202, 202]
    wait_for(lambda: bool(house.fleet()["counters"]["unknown_fields"]))
    assert (held(house), house.service.writer.spooled()) == (2, False)
    assert house.fleet()["counters"]["unknown_fields"] == {"a" * 64: 2}


@pytest.mark.parametrize("path", sorted(each.path for each in PLAN.fields if each.type in {"version", "enum"}))
def test_a_character_more_is_refused(house: House, path: str) -> None:
    document = nested(PLAN.fields, **{path: "v" + "9" * MAX_TEXT})
    answer = house.client.post("/ping", json=document)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_ping")
    assert path in answer.get_json()["error"]


def some(number: int, *, bad: int | None = None) -> list[Ping]:
    """Pings of as many installations; one has a version that is too long for its column on PostgreSQL."""
    found = [replace(a_ping(str(uuid.uuid4()), START, "0.9.0"), expires_at=2**42) for _ in range(number)]
    if bad is not None:
        found[bad] = replace(found[bad], values={"env.flowforge": "9" * (MAX_TEXT + 1)})
    return found


def test_of_a_group_only_the_ping_at_fault_is_turned_away(build: Build, postgres_url: str) -> None:
    house = build(url=postgres_url)
    writer = Writer(house.service.store, house.service.spool)
    pings, outcomes = some(7, bad=4), [""] * 7

    def keep(index: int) -> None:
        try:
            outcomes[index] = writer.keep(pings[index], timeout=60).receipt
        except Unavailable:
            outcomes[index] = "turned away"

    threads = [threading.Thread(target=keep, args=(index,)) for index in range(7)]
    for each in threads:
        each.start()
    wait_for(lambda: len(writer._line) == 7)  # they become one group
    writer.start()
    for each in threads:
        each.join()
    writer.stop()
    assert outcomes == [ping.receipt if number != 4 else "turned away" for number, ping in enumerate(pings)]
    assert (held(house), house.service.spool.waiting()) == (6, False)


def test_a_bad_line_in_the_spool_stops_nothing(build: Build, postgres_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "one" / "collector-spool"
    pings = some(9, bad=2)
    Spool(folder).put(pings)
    (tmp_path / "one").mkdir(exist_ok=True)
    house = build(url=postgres_url, home=tmp_path / "one")
    wait_for(lambda: not house.service.spool.waiting())
    assert held(house) == 8
    (line,) = (folder / "pings.rejected").read_bytes().splitlines()
    assert json.loads(line)["receipt"] == pings[2].receipt
    # Nor anything later: an installation can be erased.
    assert house.client.delete(f"/installations/{pings[0].instance_id}").status_code == 404


def test_a_database_that_is_not_prepared_turns_nobody_away(build: Build, postgres_url: str) -> None:
    house = build(url=postgres_url)
    with house.service.store.writing() as tx:
        tx.execute(sa.text("ALTER TABLE ping_raw RENAME TO away"))
    assert house.client.post("/ping", json=house.ping()).status_code == 202
    assert house.service.spool.waiting()
    with house.service.store.writing() as tx:
        tx.execute(sa.text("ALTER TABLE away RENAME TO ping_raw"))
    wait_for(lambda: not house.service.spool.waiting())
    assert held(house) == 1


def test_what_was_set_apart_is_erased_and_forgotten_as_all_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    one, other, last = some(3)
    other, last = replace(other, expires_at=100_000), replace(last, expires_at=200_000)
    spool.put([one, other, last])
    with (tmp_path / "pings.spool").open("ab") as file:
        file.write(f'{{"instance_id":"{one.instance_id}'.encode())
    assert spool.load(lambda pings: pings) == 4
    files = [tmp_path / "pings.rejected", tmp_path / "pings.unreadable"]
    assert all(one.instance_id.encode() in each.read_bytes() for each in files)

    spool.forget(one.instance_id)
    spool.expire(150_000)
    assert [each.exists() for each in files] == [True, False]
    assert files[0].read_bytes().count(b"\n") == 1
    spool.expire(200_000)
    assert not files[0].exists()
