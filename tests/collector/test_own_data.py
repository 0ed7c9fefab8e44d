"""Show and erase: with the secret, everything held; without it, not even whether there is anything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from flowforge_ui.collector import service, store
from tests.collector.test_spool import wait_for
from tests.support.collector import House

SECRET = "correct horse battery staple"
HASH = hashlib.sha256(SECRET.encode()).hexdigest()
OWNER = {"Authorization": f"Bearer {SECRET}"}


def send(house: House, seq: int, secret_hash: str = HASH) -> None:
    body = house.ping(envelope=house.envelope(seq, secret_hash=secret_hash))
    assert house.client.post("/ping", json=body).status_code == 202
    house.clock.forward(hours=1)


def test_the_owner_sees_everything_held(house: House) -> None:
    send(house, 1)
    send(house, 2)
    shown = house.client.get(f"/installations/{house.instance}", headers=OWNER).get_json()

    assert shown["installation"]["instance_id"] == house.instance
    assert shown["installation"]["first_seen"] == "2026-11-23T10:00:00.000Z"
    assert [each["received_at"] for each in shown["pings"]] == ["2026-11-23T10:00:00.000Z", "2026-11-23T11:00:00.000Z"]
    assert shown["pings"][0]["payload"]["platform.counts.users"] == 6
    assert [(each["seq"], each["head"]) for each in shown["copies"]] == [(2, shown["pings"][1]["receipt"])]


def test_no_table_holds_more_of_an_installation_than_is_shown(house: House) -> None:
    """Every row and every column under its identifier, whatever tables there will be."""
    send(house, 1)
    send(house, 2)
    send(house, 2)  # a copy
    shown = house.client.get(f"/installations/{house.instance}", headers=OWNER).get_json()
    listed = {"installation": [shown["installation"]], "ping_raw": shown["pings"], "chain": shown["copies"]}
    kept = house.service.store
    with kept.reading() as tx:
        for table in kept.tables.metadata.sorted_tables:
            if "instance_id" not in table.columns:
                continue
            rows = tx.execute(sa.select(table).where(table.c.instance_id == house.instance)).mappings().all()
            assert [sorted(map(str, each)) for each in rows] == [sorted(each) for each in listed[table.name]]
            listed.pop(table.name)
    assert listed == {}


def test_the_owner_erases_everything_held(house: House) -> None:
    send(house, 1)
    assert house.client.delete(f"/installations/{house.instance}", headers=OWNER).status_code == 204
    house.service.stop()

    import sqlite3

    connection = sqlite3.connect(house.home / "collector.db")
    dump = "\n".join(connection.iterdump())
    connection.close()
    assert house.instance not in dump
    assert HASH not in dump


def test_counts_hold_no_identifiers(house: House) -> None:
    for seq in range(1, 4):
        send(house, seq)
    tables = house.service.store.tables
    personal = {tables.raw.name, tables.installation.name, tables.chain.name}
    with house.service.store.reading() as tx:
        receipts = tx.execute(sa.select(tables.raw.c.receipt)).scalars().all()
        counts = [table for table in tables.metadata.sorted_tables if table.name not in personal]
        cells = [str(cell) for table in counts for row in tx.execute(sa.select(table)) for cell in row]
    assert len(cells) > 50
    assert [cell for cell in cells for each in (house.instance, HASH, *receipts) if each in cell] == []


def test_what_was_erased_is_on_the_disk_no_longer(house: House) -> None:
    """Not only unreachable: its bytes are in no file, though the collector goes on running."""

    def on_disk() -> list[str]:
        markers = (house.instance.encode(), HASH.encode())
        files = [path for path in house.home.rglob("*") if path.is_file()]
        return [path.name for path in files if any(each in path.read_bytes() for each in markers)]

    for seq in range(1, 30):
        send(house, seq)
    assert on_disk() != []
    assert house.client.delete(f"/installations/{house.instance}", headers=OWNER).status_code == 204
    assert on_disk() == []


def test_what_somebody_reads_meanwhile_leaves_the_disk_when_they_are_done(
    build: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_S", 1)
    monkeypatch.setattr(service, "SCRUB_EVERY_S", 0.05)
    house = build()
    send(house, 1)

    def on_disk() -> bool:
        return any(house.instance.encode() in path.read_bytes() for path in house.home.glob("collector.db*"))

    with house.service.store.reading() as tx:
        tx.execute(sa.text("SELECT count(*) FROM ping_raw")).scalar_one()
        assert house.client.delete(f"/installations/{house.instance}", headers=OWNER).status_code == 204
        assert on_disk()
    wait_for(lambda: not on_disk())


def test_what_waits_in_the_spool_does_not_bring_it_back(house: House) -> None:
    send(house, 1)
    waiting = house.home / "collector-spool" / "pings.spool.1"
    waiting.mkdir(parents=True)  # no file: it cannot be loaded, as while the database is away
    answer = house.client.delete(f"/installations/{house.instance}", headers=OWNER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    waiting.rmdir()
    assert house.client.delete(f"/installations/{house.instance}", headers=OWNER).status_code == 204


def test_nobody_else_learns_anything(house: House) -> None:
    send(house, 1)
    known, unknown = f"/installations/{house.instance}", "/installations/00000000-0000-4000-8000-000000000000"
    answers = [
        house.client.get(path, headers=headers)
        for path in (known, unknown, "/installations/odd")
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Bearer {HASH}"},
            {"Authorization": "Bearer \xe9"},
        )
    ]
    answers += [house.client.delete(known, headers={"Authorization": "Bearer wrong"})]

    assert {(each.status_code, each.get_data()) for each in answers} == {(404, answers[0].get_data())}
    assert house.client.get(known, headers=OWNER).status_code == 200


def test_an_installation_cannot_be_claimed_later(house: House) -> None:
    send(house, 1)
    send(house, 2, hashlib.sha256(b"thief").hexdigest())
    assert (
        house.client.get(f"/installations/{house.instance}", headers={"Authorization": "Bearer thief"}).status_code
        == 404
    )


def test_an_older_platform_without_a_secret_cannot_be_read_with_an_empty_one(house: House) -> None:
    house.client.post("/", json=house.ping())
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert house.client.get(f"/installations/{house.instance}", headers=headers).status_code == 404


def test_raw_pings_are_forgotten_when_their_time_is_over(house: House) -> None:
    send(house, 1)
    house.clock.forward(days=89)
    assert house.service.prune() == 0
    house.clock.forward(days=1)
    assert house.service.prune() == 1
    assert house.client.get(f"/installations/{house.instance}", headers=OWNER).get_json()["pings"] == []
