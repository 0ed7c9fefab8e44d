"""Pings carried over an air gap arrive as if they had been sent."""

from __future__ import annotations

import json

import sqlalchemy as sa

from tests.support.collector import House


def line(house: House, seq: int) -> bytes:
    return json.dumps(house.ping(envelope=house.envelope(seq))).encode()


def test_each_ping_of_a_bundle_is_answered_on_its_own(house: House) -> None:
    first, second = line(house, 1), line(house, 2)
    answer = house.client.post("/bundle", data=first + b"\n" + b"{\n" + second + b"\n")
    assert [each["status"] for each in answer.get_json()["pings"]] == [202, 400, 202]

    again = house.client.post("/bundle", data=first + b"\n")
    assert again.get_json()["pings"] == [answer.get_json()["pings"][0] | {"status": 200}]


def test_a_bundle_has_bounds(house: House) -> None:
    assert house.client.post("/bundle", data=b"x" * (256 * 1024 + 1)).status_code == 413
    assert house.client.post("/bundle", data=b"{}\n" * 101).status_code == 413
    assert house.client.post("/bundle", data=b"\n\n").status_code == 400


def test_a_bundle_is_no_way_round_the_limits(house: House) -> None:
    house.service.receiver.monotonic = lambda: 0.0
    bundle = b"\n".join([line(house, 1)] * 100)
    for _ in range(6):
        assert {each["status"] for each in house.client.post("/bundle", data=bundle).get_json()["pings"]} <= {200, 202}
    more = house.client.post("/bundle", data=bundle).get_json()["pings"]
    assert {(each["status"], each.get("code")) for each in more} == {(429, "too_many")}


def test_whoever_carries_a_bundle_is_not_its_sender(house: House) -> None:
    bodies = line(house, 1), line(house, 2)
    carried, sent = (json.loads(each)["envelope"] for each in bodies)
    house.client.post("/bundle", data=bodies[0])
    assert house.client.post("/ping", data=bodies[1]).status_code == 202
    raw = house.service.store.tables.raw
    with house.service.store.reading() as tx:
        tokens = tx.execute(sa.select(raw.c.period, raw.c.sender_token)).all()
    assert {period: token is None for period, token in tokens} == {carried["period"]: True, sent["period"]: False}
