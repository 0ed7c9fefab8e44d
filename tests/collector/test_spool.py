"""With the database away pings go to the spool and from there into the database, each once."""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from flowforge_ui.collector import ping as rules
from flowforge_ui.collector.ping import Ping
from flowforge_ui.collector.spool import Spool
from flowforge_ui.collector.store import PingStore, StoreTooNew
from flowforge_ui.collector.writer import Unavailable, Writer
from tests.support.collector import PLAN, House, parts


def held(house: House) -> int:
    with house.service.store.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(house.service.store.tables.raw)).scalar_one())


def wait_for(truth: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_none_is_lost_while_the_database_is_away(house: House) -> None:
    assert house.client.post("/ping", json=house.ping()).status_code == 202
    table = house.service.store.tables.raw.name
    with house.service.store.writing() as tx:
        tx.execute(sa.text(f"ALTER TABLE {table} RENAME TO away"))

    bodies = [house.ping(instanceId=str(uuid.uuid4()), envelope=house.envelope(1)) for _ in range(5)]
    answers = [house.client.post("/ping", json=body) for body in bodies]
    assert [each.status_code for each in answers] == [202] * 5
    assert house.service.spool.waiting()

    with house.service.store.writing() as tx:
        tx.execute(sa.text(f"ALTER TABLE away RENAME TO {table}"))
    assert house.client.post("/ping", json=house.ping(instanceId=str(uuid.uuid4()))).status_code == 202
    wait_for(lambda: not house.service.spool.waiting())
    assert held(house) == 7
    # A repeat of a spooled one is a repeat, under the receipt the spool gave.
    again = house.client.post("/ping", json=bodies[0])
    assert (again.status_code, again.get_json()) == (200, answers[0].get_json())


def test_what_an_earlier_process_spooled_is_loaded_at_start(build: Callable[..., House], tmp_path: Path) -> None:
    first = build(home=tmp_path / "one")
    body = first.ping(envelope=first.envelope(1))
    first.service.stop()
    reading = PLAN.read_document(body)
    ping = rules.make(reading, b"x", now=first.clock(), retention_days=90, token=None)
    spool = Spool(tmp_path / "one" / "collector-spool")
    spool.put([ping, ping])
    with (tmp_path / "one" / "collector-spool" / "pings.spool").open("ab") as file:
        file.write(b'{"instance_id":"half')  # killed while writing; never acknowledged

    second = build(home=tmp_path / "one")
    wait_for(lambda: not second.service.spool.waiting())
    assert held(second) == 1


def test_without_disk_and_database_a_ping_is_turned_away_not_lost(house: House) -> None:
    with house.service.store.writing() as tx:
        tx.execute(sa.text("ALTER TABLE ping_raw RENAME TO away"))
    (house.home / "collector-spool").write_text("no directory")

    answer = house.client.post("/ping", json=house.ping())
    assert (answer.status_code, answer.get_json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "60")


def test_more_than_can_be_kept_in_time_is_asked_to_come_back(house: House) -> None:
    house.service.receiver.writer = Writer(house.service.store, house.service.spool, room=0)
    answer = house.client.post("/ping", json=house.ping())
    assert (answer.status_code, answer.get_json()["code"], answer.headers["Retry-After"]) == (503, "overloaded", "5")


def test_a_database_that_hangs_is_no_ping_that_hangs(house: House) -> None:
    nobody_writes = Writer(house.service.store, house.service.spool)
    ping = rules.make(PLAN.read_document(house.ping()), b"x", now=house.clock(), retention_days=90, token=None)
    with pytest.raises(Unavailable):
        nobody_writes.keep(ping, timeout=0.01)


def test_what_nobody_foresaw_costs_one_group_and_not_the_thread(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("from 203.0.113.9")

    with monkeypatch.context() as broken:
        broken.setattr(house.service.store, "keep", fail)
        answer = house.client.post("/ping", json=house.ping())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert house.client.post("/ping", json=house.ping()).status_code == 202
    assert "203.0.113.9" not in caplog.text


def test_a_database_of_a_newer_collector_is_refused(build: Callable[..., House]) -> None:
    house = build()
    with house.service.store.writing() as tx:
        tx.execute(sa.text("UPDATE collector_about SET value = '99'"))
    store = PingStore(parts(house.home, house.clock, house.knock).database_url, PLAN)
    with pytest.raises(StoreTooNew):
        store.prepare()
    store.close()


def test_a_database_that_is_no_place_for_one_is_said_and_waited_for(
    build: Callable[..., House], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    house = build(url=f"sqlite:///{tmp_path}/file/collector.db")
    assert f"File exists: '{tmp_path}/file'" in caplog.text
    assert house.client.post("/ping", json=house.ping()).status_code == 202
    assert house.service.spool.waiting()


def test_several_receivers_share_one_postgresql(build: Callable[..., House], postgres_url: str) -> None:
    first, second = build(url=postgres_url), build(url=postgres_url)
    body = first.ping(envelope=first.envelope(1))
    one, other = first.client.post("/ping", json=body), second.client.post("/ping", json=body)

    assert (one.status_code, other.status_code) == (202, 200)
    assert one.get_json() == other.get_json()
    assert held(first) == 1
    tiles = {each["key"]: each["n"] for each in second.fleet()["tiles"]}
    assert tiles["silent"] == 1


def test_processes_that_share_a_spool_lose_nothing(tmp_path: Path) -> None:
    """A mounted collector of several workers: some put while others set aside and load."""
    context = multiprocessing.get_context("fork")
    loaded = context.SimpleQueue()
    count, each_puts = 4, 60

    def hand_over(pings: Sequence[Ping]) -> list[Ping]:
        loaded.put([ping.receipt for ping in pings])
        return []

    def work(number: int) -> None:
        spool = Spool(tmp_path)
        for turn in range(each_puts):
            spool.put([a_ping(number * 1_000 + turn)])
            if turn % 3 == 0:
                spool.load(hand_over)
        spool.close()
        loaded.put(None)

    running = [context.Process(target=work, args=(number,)) for number in range(count)]
    for each in running:
        each.start()
    found: set[str] = set()
    ended = 0
    while ended < count:
        group = loaded.get()
        ended += group is None
        found |= set(group or ())
    for each in running:
        each.join()
    loaded.close()
    found |= everything_in(tmp_path)
    assert found == {a_ping(number * 1_000 + turn).receipt for number in range(count) for turn in range(each_puts)}


def test_what_another_process_loads_is_left_to_it(tmp_path: Path) -> None:
    """One has read a file, a second loads it, a third sets the next aside: nobody removes what was not kept."""
    one, second, third = Spool(tmp_path), Spool(tmp_path), Spool(tmp_path)
    kept: list[str] = []
    one.put([a_ping(1)])

    def keep(pings: Sequence[Ping]) -> list[Ping]:
        kept.extend(ping.receipt for ping in pings)
        return []

    def away(_: Sequence[Ping]) -> list[Ping]:
        raise OSError("away")

    def keep_slowly(pings: Sequence[Ping]) -> list[Ping]:
        assert second.load(keep) == 0
        one.put([a_ping(2)])
        with pytest.raises(OSError, match="away"):
            third.load(away)
        return keep(pings)

    assert one.load(keep_slowly) == 1
    third.close()
    assert second.load(keep) == 1
    assert kept == [a_ping(1).receipt, a_ping(2).receipt]
    assert not one.waiting()


def test_half_a_line_costs_nobody_else_anything(tmp_path: Path) -> None:
    """Left by a process that was killed while writing; the next ping is acknowledged after it."""
    spool = Spool(tmp_path)
    spool.put([a_ping(1)])
    with (tmp_path / "pings.spool").open("ab") as file:
        file.write(b'{"instance_id":"half')
    spool.put([a_ping(2)])
    assert everything_in(tmp_path) == {a_ping(1).receipt, a_ping(2).receipt}
    assert (tmp_path / "pings.unreadable").read_bytes() == b'{"instance_id":"half\n'


def test_a_large_spool_is_loaded_a_group_at_a_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put([a_ping(number) for number in range(7)])
    groups: list[int] = []

    def keep(pings: Sequence[Ping]) -> list[Ping]:
        groups.append(len(pings))
        return []

    spool.load(keep, most=3)
    spool.put([a_ping(9)])  # meanwhile
    while spool.load(keep, most=3):
        pass
    assert groups == [3, 3, 1, 1]
    assert not spool.waiting()


def everything_in(folder: Path) -> set[str]:
    """The receipts of all that waits there."""
    found: set[str] = set()

    def keep(pings: Sequence[Ping]) -> list[Ping]:
        found.update(ping.receipt for ping in pings)
        return []

    spool = Spool(folder)
    while spool.load(keep):
        pass
    return found


def a_ping(number: int) -> Ping:
    instance = str(uuid.UUID(int=number))
    receipt = rules.receipt_of(instance, "p")
    return Ping(instance, "p", "0" * 64, receipt, 1, 2, None, None, 1, None, None, {"instanceId": instance})
