"""A ping that comes late (carried by hand, out of a spool, by a second receiver) is kept, and sets nothing back."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flowforge_ui.collector.ping import Chain, Ping, late
from flowforge_ui.collector.spool import Spool
from flowforge_ui.collector.store import PingStore
from flowforge_ui.collector.writer import Writer
from tests.collector.test_keeping import START, a_ping
from tests.collector.test_spool import held, wait_for
from tests.support.collector import PLAN, House

NOON = "2026-11-23T12-00000000"
BEFORE, AFTER = "2026-11-22T13-ffffffff", "2026-11-23T13-00000000"
NEVER = 2**42
ONE = Chain(0, "head", 5, 1_000, NOON)


def ping(seq: int | None, last: str | None, period: str, received: int = 2_000) -> Ping:
    return Ping("i", period, "s", "r", received, 0, None, None, seq, last, None, {})


@pytest.mark.parametrize(
    ("one", "known", "is_late"),
    [
        pytest.param(ping(4, "older", BEFORE), ONE, True, id="carried by hand"),
        pytest.param(ping(1, None, BEFORE), None, True, id="the first of all, carried by hand"),
        pytest.param(ping(4, "older", NOON, 999), ONE, True, id="out of a spool"),
        pytest.param(ping(6, "head", BEFORE), None, False, id="the next one, by a clock set back"),
        pytest.param(ping(4, "older", AFTER), ONE, False, id="a copy that was behind"),
        pytest.param(ping(5, "older", BEFORE), ONE, False, id="a number used twice"),
        pytest.param(ping(4, "gone", BEFORE), None, False, id="under a receipt that nobody knows"),
        pytest.param(ping(None, None, "older-2026", 999), None, True, id="an older platform, out of a spool"),
        pytest.param(ping(None, None, "older-2026", 1_000), None, False, id="an older platform"),
    ],
)
def test_what_is_late(one: Ping, known: Chain | None, *, is_late: bool) -> None:
    assert late([ONE], one, known) == (ONE if is_late else None)
    assert late([], one, None) is None


def body(house: House, seq: int, last: str | None, version: str, users: int) -> dict[str, object]:
    return house.ping(
        envelope=house.envelope(seq, last),
        env={"python": "3.12.4", "flowforge": version},
        platform={"counts": {"users": users, "teams": 2, "projects": 4}, "config": {"driver": "localfs"}},
    )


def post(house: House, document: dict[str, object]) -> str:
    answer = house.client.post("/ping", json=document)
    assert answer.status_code == 202
    return str(answer.get_json()["receipt"])


def state(house: House) -> dict[str, Any]:
    """Everything that a late ping must leave as it is."""
    store = house.service.store
    with store.reading() as tx:
        row, _ = store.held(tx, house.instance)
        counts = tx.execute(sa.select(store.tables.roll_up).order_by(*store.tables.roll_up.c)).all()
        heard = tx.execute(sa.select(store.tables.last_heard)).all()
        lag = tx.execute(sa.select(store.tables.upgrade_lag)).all()
        return {"row": row, "copies": store.copies(tx, house.instance), "counts": counts, "heard": heard, "lag": lag}


def test_one_that_is_carried_after_a_later_one_sets_nothing_back(house: House) -> None:
    first = post(house, body(house, 1, None, "0.9.0", 6))
    house.clock.forward(days=1)
    carried = body(house, 2, first, "0.9.0", 6)
    house.clock.forward(days=1)
    third = post(house, body(house, 3, first, "0.10.0", 50))
    house.clock.forward(hours=25)
    before = state(house)
    assert house.client.post("/bundle", json=carried).get_json()["pings"][0]["status"] == 202
    assert state(house) == before
    assert (before["row"]["users"], before["row"]["env_flowforge"], held(house)) == (50, "0.10.0", 3)

    # And the one after it knows nothing of it.
    post(house, body(house, 4, third, "0.10.0", 51))
    after = state(house)
    assert (after["row"]["copied_day"], [each["seq"] for each in after["copies"]]) == (None, [4])
    assert len(after["lag"]) == 1


def test_what_is_older_goes_in_first(house: House, tmp_path: Path) -> None:
    """Out of the spool before a newer one is committed."""
    store, spool = house.service.store, Spool(tmp_path / "spool")
    first = a_ping("a", START, "0.9.0")
    second = a_ping("a", START + 2, "0.9.0", seq=2, last=first.receipt)
    third = a_ping("a", START + 9, "0.10.0", seq=3, last=second.receipt)
    first, second, third = (replace(each, expires_at=NEVER) for each in (first, second, third))
    with store.writing() as tx:
        store.keep(tx, [first])
    spool.put([second])
    writer = Writer(store, spool)
    thread = threading.Thread(target=writer.keep, args=(third, 60.0))
    thread.start()
    wait_for(lambda: len(writer._line) == 1)
    writer.start()
    thread.join()
    wait_for(lambda: not spool.waiting())
    writer.stop()
    with store.reading() as tx:
        row, pings = store.held(tx, first.instance_id)
        copies = store.copies(tx, first.instance_id)
        counts = tx.execute(sa.select(store.tables.upgrade_lag)).all()
    assert row is not None
    assert (row["users"], row["env_flowforge"], row["copied_day"], len(pings)) == (3, "0.10.0", None, 3)
    assert ([(each["chain"], each["seq"]) for each in copies], len(counts)) == ([(0, 3)], 1)


def test_of_two_copies_the_one_heard_last_tells_the_values(house: House) -> None:
    """Another receiver's spool hands over what one copy said before the other one did; its own history goes on."""
    store, at = house.service.store, START
    first = a_ping("a", at, "0.9.0")
    original = a_ping("a", at + 1, "0.9.0", seq=2, last=first.receipt, word="o")
    copy = a_ping("a", at + 2, "0.9.0", seq=2, last=first.receipt, word="c")
    of_original = a_ping("a", at + 9, "0.10.0", seq=3, last=original.receipt, word="o")
    of_copy = a_ping("a", at + 5, "0.9.0", seq=3, last=copy.receipt, word="c")
    of_copy = replace(of_copy, values={**of_copy.values, "platform.counts.users": 99})
    for each in (first, original, copy, of_original, of_copy):
        with store.writing() as tx:
            store.keep(tx, [replace(each, expires_at=NEVER)])
    with store.reading() as tx:
        row, pings = store.held(tx, first.instance_id)
        copies = store.copies(tx, first.instance_id)
    assert row is not None
    assert (row["users"], row["env_flowforge"], row["last_seen"]) == (3, "0.10.0", at + 9)
    assert ([each["seq"] for each in copies], len(pings)) == ([3, 3], 5)


def lag(house: House) -> list[tuple[str, int, int]]:
    return [(each["version"], each["n"], each["p50_days"]) for each in house.fleet()["lag"]["versions"]]


def test_going_back_and_forth_is_no_upgrade(house: House) -> None:
    """Neither two copies of different versions, nor a platform that is set back and upgraded again."""
    newest = str(uuid.uuid4())
    post(house, {**body(house, 1, None, "1.0.0", 1), "instanceId": newest})
    house.clock.forward(days=3)
    last = post(house, body(house, 1, None, "0.9.0", 1))
    for number, version in enumerate(("0.10.0", "0.9.0", "1.0.0", "0.9.0", "v1.0.0", "1.0.0-rc.1", "1.0.0"), 2):
        house.clock.forward(days=1)
        last = post(house, body(house, number, last, version, 1))
    assert lag(house) == [("1.0.0", 1, 6), ("0.10.0", 1, 0)]


def test_an_upgrade_counts_from_what_an_older_collector_kept(house: House) -> None:
    last = post(house, body(house, 1, None, "0.9.0", 1))
    with house.service.store.writing() as tx:
        tx.execute(sa.text("UPDATE installation SET highest = NULL"))
        tx.execute(sa.text("UPDATE chain SET period = NULL"))
    house.clock.forward(days=1)
    last = post(house, body(house, 2, last, "0.8.0", 1))
    post(house, body(house, 3, last, "0.10.0", 1))
    assert lag(house) == [("0.10.0", 1, 0)]


def test_two_receivers_that_hear_of_an_installation_together_count_it_once(
    build: Callable[..., House], postgres_url: str
) -> None:
    """The copies of an image that is started twice at once; neither commits before the other has begun."""
    house = build(url=postgres_url)
    other = PingStore(postgres_url, PLAN)
    at = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp() * 1000)
    mine, theirs = (a_ping("a", at, "0.9.0", word=word) for word in "mt")

    def keep_theirs() -> None:
        with other.writing() as tx:
            other.keep(tx, [theirs])

    thread = threading.Thread(target=keep_theirs)
    with house.service.store.writing() as tx:
        house.service.store.keep(tx, [mine])
        thread.start()
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_for(lambda: tx.execute(waits).scalar_one() > 0)
    thread.join()
    other.close()
    assert held(house) == 2
    house.clock.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    tiles = {each["key"]: (each["value"], each["n"]) for each in house.fleet()["tiles"]}
    assert (tiles["active_day"], tiles["copies"]) == ((1, 1), (1, 1))
