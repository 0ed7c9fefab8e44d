"""The fleet's numbers against hand-computed ones, and what the public may see of them."""

from __future__ import annotations

import stat
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_ui.collector.fleet import percentile
from flowforge_ui.collector.ping import version_key
from flowforge_ui.collector.public import for_the_public, hidden
from flowforge_ui.collector.service import own_access_token
from tests.support.collector import House


def at(house: House, day: int, hour: int = 9) -> None:
    house.clock.now = datetime(2026, 11, day, hour, tzinfo=UTC)


def send(
    house: House, name: str, version: str = "0.9.0", *, system: str = "Linux", users: int = 3, python: str = "3.12.4"
) -> None:
    body = house.ping(
        instanceId=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        os={"type": system, "release": "6.1", "arch": "x64"},
        env={"python": python, "flowforge": version},
        platform={"counts": {"users": users, "teams": 1, "projects": 0}, "config": {"driver": "localfs"}},
    )
    assert house.client.post("/ping", json=body).status_code == 202


@pytest.fixture
def fleet(house: House) -> House:
    """Ten days of five installations.

    ada   pings every day, upgrades to 0.10.0 on the 18th (the day it comes out: lag 0)
    ben   pings every day, upgrades on the 20th (lag 2)
    cleo  pings until the 17th, then no more (silent on the 23rd)
    dora  is new on the 19th, with 0.10.0 from the start (no upgrade), twice a day
    emil  pinged once, in October (lost)
    """
    house.clock.now = datetime(2026, 10, 10, 9, tzinfo=UTC)
    send(house, "emil", "0.8.0", system="Darwin", users=400)
    for day in range(14, 23):
        at(house, day, 9)
        send(house, "ada", "0.10.0" if day >= 18 else "0.9.0", users=1)
        at(house, day, 10)
        send(house, "ben", "0.10.0" if day >= 20 else "0.9.0", python="3.11.9")
        if day <= 17:
            at(house, day, 11)
            send(house, "cleo", system="Windows_NT", users=30)
        if day >= 19:
            at(house, day, 12)
            send(house, "dora", "0.10.0", users=6)
            at(house, day, 23)
            send(house, "dora", "0.10.0", users=7)
    at(house, 23, 12)
    return house


def tiles(house: House) -> dict[str, tuple[int, int]]:
    return {each["key"]: (each["value"], each["n"]) for each in house.fleet()["tiles"]}


def test_tiles(fleet: House) -> None:
    # The 22nd: ada, ben, dora. The week of the 16th: ada, ben, cleo, dora, of which dora is new.
    # Heard of ever: 5. cleo's last ping is six days old, emil's six weeks.
    assert tiles(fleet) == {
        "active_day": (3, 5),
        "active_week": (4, 5),
        "new_week": (1, 4),
        "silent": (1, 5),
        "lost": (1, 5),
        "copies": (0, 3),
    }


def test_series(fleet: House) -> None:
    points = {each["day"]: (each["active"], each["new"]) for each in fleet.fleet()["series"]["points"]}
    assert points == {
        "2026-10-10": (1, 1),
        "2026-11-14": (3, 3),
        "2026-11-15": (3, 0),
        "2026-11-16": (3, 0),
        "2026-11-17": (3, 0),
        "2026-11-18": (2, 0),
        "2026-11-19": (3, 1),
        "2026-11-20": (3, 0),
        "2026-11-21": (3, 0),
        "2026-11-22": (3, 0),
    }


def test_weeks(fleet: House) -> None:
    points = {each["week"]: (each["active"], each["new"]) for each in fleet.fleet()["weeks"]["points"]}
    assert points == {"2026-10-05": (1, 1), "2026-11-09": (3, 3), "2026-11-16": (4, 1)}


def test_the_first_day_of_a_fleet_is_today_and_said_so(house: House) -> None:
    at(house, 23, 9)
    send(house, "ada")
    at(house, 23, 12)
    fleet = house.fleet()
    assert (fleet["last_day"], fleet["last_week"]) == ("2026-11-23", "2026-11-23")
    assert fleet["complete"] == {"day": False, "week": False}
    labels = {each["key"]: (each["label"], each["value"]) for each in fleet["tiles"]}
    assert labels["active_day"] == ("Active today so far", 1)
    assert labels["active_week"] == ("Active this week so far", 1)
    assert {each["key"]: each["n"] for each in fleet["distributions"]}["os"] == 1


def test_nothing_heard_yet(house: House) -> None:
    fleet = house.fleet()
    assert (fleet["heard_until"], fleet["series"]["points"], fleet["weeks"]["points"]) == (None, [], [])
    assert {each["value"] for each in fleet["tiles"]} == {0}


def test_distributions_are_those_of_the_last_complete_day(fleet: House) -> None:
    found = {
        each["key"]: [(cell["value"], cell["n"]) for cell in each["values"]] for each in fleet.fleet()["distributions"]
    }
    assert found == {
        "version": [("0.10.0", 3)],
        "os": [("Linux", 3)],
        "arch": [("x64", 3)],
        "runtime": [("python 3.12", 2), ("python 3.11", 1)],
        "driver": [("localfs", 3)],
        "users": [("1", 1), ("2-5", 1), ("6-20", 1)],
        "teams": [("1", 3)],
        "projects": [("0", 3)],
    }


def test_adoption(fleet: House) -> None:
    points = [(each["day"][-2:], each["version"], each["n"]) for each in fleet.fleet()["adoption"]["points"]]
    assert [each for each in points if each[0] in {"17", "18", "19", "20"}] == [
        ("17", "0.9.0", 3),
        ("18", "0.10.0", 1),
        ("18", "0.9.0", 1),
        ("19", "0.10.0", 2),
        ("19", "0.9.0", 1),
        ("20", "0.10.0", 3),
    ]


def test_upgrade_lag_counts_upgrades_only(fleet: House) -> None:
    lag = fleet.fleet()["lag"]
    assert lag["versions"] == [{"version": "0.10.0", "first_heard": "2026-11-18", "n": 2, "p50_days": 0, "p90_days": 2}]
    assert (lag["n"], lag["p50_days"], lag["p90_days"]) == (2, 0, 2)


def test_freshness_says_when_the_last_ping_came(fleet: House) -> None:
    assert fleet.fleet()["heard_until"] == "2026-11-22T23:00+00:00"


def test_percentiles() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({3: 1}, 0.9) == 3
    assert percentile({0: 5, 1: 4, 30: 1}, 0.5) == 0
    assert percentile({0: 5, 1: 4, 30: 1}, 0.9) == 1
    assert percentile({0: 5, 1: 4, 30: 1}, 0.91) == 30


def test_versions_sort_by_number() -> None:
    versions = ["0.9.0", "0.10.0", "v1.0.0", "1.0.0-beta", "0.10.1"]
    assert sorted(versions, key=version_key) == ["0.9.0", "0.10.0", "0.10.1", "1.0.0-beta", "v1.0.0"]


# The public page ---------------------------------------------------------------------------------------------------


EMPTY: dict[str, Any] = {
    **dict.fromkeys(("now", "heard_until", "last_day", "last_week", "complete"), ""),
    "tiles": [],
    "series": {"points": []},
    "weeks": {"points": []},
    "distributions": [],
    "lag": {"n": 0, "versions": []},
}


def rows(public: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return list(public[key]["points"])


def crowd(house: House, counts: dict[str, int]) -> None:
    at(house, 22)
    for system, n in counts.items():
        for number in range(n):
            send(house, f"{system}{number}", system=system)
    at(house, 23)


def test_the_public_sees_nothing_unless_it_is_asked_for(build: Callable[..., House]) -> None:
    assert build().client.get("/public.json").status_code == 404
    assert build(public=True).client.get("/public.json").status_code == 200


@pytest.mark.parametrize(
    ("counts", "shown", "hidden"),
    [
        ({"Linux": 40, "Darwin": 12}, {"Linux": 40, "Darwin": 12}, 0),
        # Nine could be had from 61 - 40 - 12: the twelve are hidden with them.
        ({"Linux": 40, "Darwin": 12, "FreeBSD": 9}, {"Linux": 40}, 2),
        ({"Linux": 40, "Darwin": 6, "FreeBSD": 5}, {"Linux": 40}, 2),
        ({"Linux": 5}, {}, 1),
    ],
)
def test_small_cells_are_hidden_and_cannot_be_worked_out(
    build: Callable[..., House], counts: dict[str, int], shown: dict[str, int], hidden: int
) -> None:
    house = build(public=True)
    crowd(house, counts)
    found = {each["key"]: each for each in house.client.get("/public.json").get_json()["distributions"]}["os"]

    assert {cell["value"]: cell["n"] for cell in found["values"]} == shown
    assert found["hidden"] == hidden
    assert found["n"] == (sum(counts.values()) if sum(counts.values()) >= 10 else None)


@given(st.lists(st.integers(0, 40), max_size=12))
def test_what_is_hidden_is_never_a_small_number(cells: list[int]) -> None:
    gone = hidden(cells)
    kept = [n for index, n in enumerate(cells) if index not in gone]
    assert all(n == 0 or n >= 10 for n in kept)
    together = sum(cells[index] for index in gone)
    # Where everything is hidden the total may be small: then it is hidden, too.
    assert together == 0 or together >= 10 or not any(kept)


def test_the_versions_of_a_day_do_not_give_a_small_one_away(build: Callable[..., House]) -> None:
    house = build(public=True)
    at(house, 22)
    for number in range(30):
        send(house, f"i{number}", "0.10.0" if number < 14 else "0.9.0" if number < 26 else "0.8.0")
    at(house, 23)
    public = house.client.get("/public.json").get_json()
    # 30 are active: with 14 and 12 shown, four could be had. So the twelve are hidden with them, and both are one cell.
    assert public["series"]["points"] == [{"day": "2026-11-22", "active": 30, "new": 30}]
    cells = [(each["version"], each["n"]) for each in public["adoption"]["points"]]
    assert cells == [("0.10.0", 14), ("others", 16)]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.booleans())
def test_the_cells_of_a_day_still_add_up_to_what_is_known(cells: list[int], with_others: bool) -> None:
    names = [f"0.{index}.0" for index in range(len(cells))]
    if with_others:
        names[0] = "others"
    points = [{"day": "2026-11-22", "version": name, "n": n} for name, n in zip(names, cells, strict=True)]
    dashboard = {**EMPTY, "adoption": {"definition": "", "points": points}}
    shown = {each["version"]: each["n"] for each in rows(for_the_public(dashboard), "adoption")}
    assert all(n == 0 or n >= 10 for n in shown.values())
    assert sum(shown.values()) == (sum(cells) if sum(cells) >= 10 else 0)
    assert all(shown[name] == n for name, n in zip(names, cells, strict=True) if name in shown and name != "others")


def test_two_ways_of_cutting_the_versions_do_not_give_a_small_one_away(build: Callable[..., House]) -> None:
    """Hidden together with another cell here than there, a small one could be had by taking one from the other."""
    counts = {"0.1.0": 10, "0.2.0": 5, **{f"0.{minor}.0": 8 + minor for minor in range(3, 10)}}
    house = build(public=True)
    for day in (21, 22):
        at(house, day)
        for version, n in counts.items():
            for number in range(n if (version, day) != ("0.1.0", 21) else 0):
                send(house, f"{version} {number}", version)
    at(house, 23)
    public = house.client.get("/public.json").get_json()
    curve = {each["version"]: each["n"] for each in public["adoption"]["points"] if each["day"] == "2026-11-22"}
    listed = {each["key"]: each["values"] for each in public["distributions"]}["version"]
    assert {each["value"]: each["n"] for each in listed} == curve
    assert sum(curve.values()) == sum(counts.values())
    assert "0.2.0" not in curve


def test_those_that_say_nothing_cannot_be_worked_out(build: Callable[..., House]) -> None:
    """All are known, and those that say what they run on: three say nothing of it."""
    house = build(public=True)
    at(house, 22)
    for number in range(60):
        body = house.ping(instanceId=str(uuid.uuid4()))
        if number < 3:
            body["os"], body["env"] = {"release": "6.1", "arch": "x64"}, {"python": "3.12.4"}
        if number < 20:
            body["platform"] = {"counts": {"teams": 2}}
        assert house.client.post("/ping", json=body).status_code == 202
    at(house, 23)
    public = house.client.get("/public.json").get_json()
    found = {each["key"]: each for each in public["distributions"]}
    assert {each["n"] for each in found.values()} == {60}
    shown = {key: {cell["value"]: cell["n"] for cell in each["values"]} for key, each in found.items()}
    assert (shown["os"], found["os"]["hidden"]) == ({}, 2)
    assert (shown["arch"], shown["teams"]) == ({"x64": 60}, {"2-5": 60})
    assert shown["driver"] == {"localfs": 40, "not given": 20}
    assert shown["version"] == {"others": 60}
    assert [(each["version"], each["n"]) for each in public["adoption"]["points"]] == [("others", 60)]


def test_the_silent_and_the_lost_do_not_give_the_rest_away(build: Callable[..., House]) -> None:
    house = build(public=True)
    for day, first, last in ((1, 0, 30), (10, 30, 50), (22, 50, 55)):
        house.clock.now = datetime(2026, 11, day, 9, tzinfo=UTC)
        for number in range(first, last):
            send(house, f"i{number}")
    house.clock.now = datetime(2026, 12, 5, 9, tzinfo=UTC)
    tiles = {each["key"]: (each["value"], each["n"]) for each in house.client.get("/public.json").get_json()["tiles"]}
    assert (tiles["silent"], tiles["lost"]) == ((25, 55), (30, 55))
    house.clock.now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    tiles = {each["key"]: (each["value"], each["n"]) for each in house.client.get("/public.json").get_json()["tiles"]}
    # Five are neither silent nor lost: fifty that are would tell.
    assert (tiles["silent"], tiles["lost"]) == ((None, 55), (0, 55))


def test_the_days_of_a_week_do_not_give_a_small_one_away(build: Callable[..., House]) -> None:
    house = build(public=True)
    first = 0
    for day, n in ((17, 20), (18, 3), (19, 15)):
        at(house, day)
        for number in range(first, first + n):
            send(house, f"i{number}")
        first += n
    at(house, 23)
    public = house.client.get("/public.json").get_json()
    assert public["weeks"]["points"] == [{"week": "2026-11-16", "active": 38, "new": 38}]
    assert [each["new"] for each in public["series"]["points"]] == [20, None, None]


def test_no_small_number_is_anywhere_in_what_the_public_gets(fleet: House) -> None:
    def numbers(node: object) -> list[int]:
        if isinstance(node, dict):
            return [n for key, each in node.items() if key not in {"hidden", "smallest"} for n in numbers(each)]
        if isinstance(node, list):
            return [n for each in node for n in numbers(each)]
        return [node] if isinstance(node, int) and not isinstance(node, bool) else []

    assert {n for n in numbers(for_the_public(fleet.fleet())) if 0 < n < 10} == set()
    assert "counters" not in for_the_public(fleet.fleet())


def test_the_dashboards_need_the_access_token(house: House) -> None:
    assert house.client.get("/fleet.json").status_code == 401
    assert house.client.get("/fleet.json", headers={"Authorization": "Bearer no"}).status_code == 401
    assert house.client.post("/access", json={"token": "no"}).status_code == 403
    assert house.client.post("/access", json={"token": 5}).status_code == 403
    assert house.client.post("/access", data=b"x").status_code == 403

    assert house.client.post("/access", json={"token": house.service.access_token}).status_code == 200
    assert house.client.get("/fleet.json").status_code == 200


def test_guessing_the_access_token_is_slowed_down(house: House) -> None:
    house.service.receiver.monotonic = lambda: 0.0
    statuses = [house.client.post("/access", json={"token": f"no{n}"}).status_code for n in range(11)]
    assert statuses == [403] * 10 + [429]


def test_the_access_token_is_made_once_for_its_owner_only(build: Callable[..., House], tmp_path: Path) -> None:
    first = build(home=tmp_path / "one").service.access_token
    held = tmp_path / "one" / "collector.access"
    assert (held.read_text("ascii").strip(), stat.S_IMODE(held.stat().st_mode)) == (first, 0o600)
    assert len(first) >= 32
    assert list((tmp_path / "one").glob("collector.access*")) == [held]
    assert build(home=tmp_path / "one").service.access_token == first
    assert build(home=tmp_path / "two").service.access_token != first


@pytest.mark.parametrize("left", [b"", b"\n", b"abc", b"\xff" * 8])
def test_what_a_full_disk_left_of_the_access_token_lets_nobody_in(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "collector.access"
    path.write_bytes(left)
    token = own_access_token(path)
    assert len(token) >= 32
    assert path.read_text("ascii").strip() == token == own_access_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
