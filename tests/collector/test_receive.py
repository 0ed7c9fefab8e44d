"""What is taken, what is refused, and what is kept of it."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.collector import House

OLDER = {
    "instanceId": "5db51f99-c6fb-4340-9c19-78adce58cc1b",
    "os": {"type": "Darwin", "release": "20.5.0", "arch": "x64"},
    "env": {"nodejs": "v16.19.1", "flowforge": "1.0.0"},
    "platform": {
        "counts": {
            "users": 6,
            "teams": 5,
            "projects": 4,
            "devices": 9,
            "projectSnapshots": 16,
            "projectTemplates": 7,
            "projectStacks": 2,
            "libraryEntries": 0,
            "sharedLibraryEntries": 2,
        },
        "config": {
            "driver": "localfs",
            "broker": {"enabled": True},
            "fileStore": {"enabled": True},
            "email": {"enabled": False},
        },
        "license": {"id": "4c105579-782b-4d53-af62-cf7fa69f6b43", "type": "DEV"},
    },
}


def rows(house: House, table: str) -> list[dict[str, object]]:
    with house.service.store.reading() as tx:
        found = tx.execute(sa.select(house.service.store.tables.metadata.tables[table]))
        return [dict(each) for each in found.mappings()]


def test_a_ping_is_answered_with_its_receipt_and_its_end(house: House) -> None:
    answer = house.client.post("/ping", json=house.ping(envelope=house.envelope(1)))

    assert answer.status_code == 202
    assert sorted(answer.get_json()) == ["expires_at", "receipt", "received_at", "sha256"]
    assert answer.get_json()["received_at"] == "2026-11-23T10:00:00.000Z"
    assert answer.get_json()["expires_at"] == "2027-02-21T10:00:00.000Z"


@pytest.mark.parametrize("body", [b"{", b'{"instanceId": "5db51f99-c6fb-4340-9c19-78adce58cc1b"}'])
def test_answers_to_pings_carry_what_every_answer_carries(house: House, body: bytes) -> None:
    """They are made without the framework."""

    def headers(answer: TestResponse) -> dict[str, str]:
        return {name: value for name, value in answer.headers if name != "Content-Length"}

    answer, other = house.client.post("/ping", data=body), house.client.get("/healthz")
    assert headers(answer) == headers(other)
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_repeat_has_the_same_receipt_and_counts_once(house: House) -> None:
    body = house.ping(envelope=house.envelope(1))
    first, again = house.client.post("/ping", json=body), house.client.post("/", json=body)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.get_json() == first.get_json()
    assert len(rows(house, "ping_raw")) == 1


def test_what_the_existing_fleet_sends_is_taken(house: House) -> None:
    assert house.client.post("/", json=OLDER).status_code == 202

    (installation,) = rows(house, "installation")
    assert (installation["env_nodejs"], installation["devices"], installation["broker_enabled"]) == (
        "v16.19.1",
        9,
        True,
    )
    assert installation["license_type"] == "DEV"


def test_a_licence_that_could_name_a_customer_is_never_stored(house: House) -> None:
    house.client.post("/", json=OLDER)
    house.service.stop()

    held = b"".join(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
    assert OLDER["platform"]["license"]["id"].encode() not in held  # type: ignore[index]


def test_unknown_fields_are_counted_by_name_and_not_stored(house: House) -> None:
    body = house.ping()
    body["platform"]["counts"]["secretThing"] = "MARK-7301"  # type: ignore[index]
    assert house.client.post("/", json=body).status_code == 202
    house.service.stop()

    held = b"".join(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
    assert b"MARK-7301" not in held
    assert b"platform.counts.secretThing" in held


def test_names_that_nobody_asked_for_end_somewhere(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one process brings, and what several bring one after the other."""
    for module in ("store", "writer"):
        monkeypatch.setattr(f"flowforge_ui.collector.{module}.MOST_NAMES", 3)
    for number in range(5):
        answer = house.client.post("/", json={**house.ping(), f"made_up_{number}": 1, "a": 1})
        assert answer.status_code in {200, 202}
    house.service.stop()
    for number in range(5):
        with house.service.store.writing() as tx:
            house.service.store.tally(tx, "unknown_field", {f"later_{number}": 1, "a": 1})
    names = {str(row["name"]): row["n"] for row in rows(house, "counter") if row["kind"] == "unknown_field"}
    assert (len(names), names["a"], sum(map(int, map(str, names.values())))) == (4, 10, 20)


def bad(change: dict[str, object]) -> dict[str, object]:
    return {"instanceId": str(uuid.uuid4()), **change}


REFUSED: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("no JSON", b"{"),
    ("no object", b"[]"),
    ("a word", b'"hello"'),
    ("no instance", b"{}"),
    ("NaN", b'{"instanceId": NaN}'),
    ("Infinity", b'{"instanceId": Infinity}'),
    ("a key twice", b'{"instanceId":"x","instanceId":"y"}'),
    ("not UTF-8", b'{"instanceId":"\xff\xfe"}'),
    ("a lone surrogate", b'{"instanceId":"\\ud800"}'),
    ("deep", b'{"a":' * 50 + b"1" + b"}" * 50),
    ("very deep", b"[" * 30_000 + b"]" * 30_000),
    ("too many fields", json.dumps({f"k{n}": n for n in range(2_000)}).encode()),
    ("no uuid", json.dumps(bad({"instanceId": "root"})).encode()),
    ("negative count", json.dumps(bad({"platform": {"counts": {"users": -1}}})).encode()),
    ("enormous count", json.dumps(bad({"platform": {"counts": {"users": 10**12}}})).encode()),
    ("enormous digits", b'{"a":' + b"9" * 5_000 + b"}"),
    ("a fraction", json.dumps(bad({"platform": {"counts": {"users": 1.5}}})).encode()),
    ("text for a number", json.dumps(bad({"platform": {"counts": {"users": "6"}}})).encode()),
    ("true for a number", json.dumps(bad({"platform": {"counts": {"users": True}}})).encode()),
    ("a list for a number", json.dumps(bad({"platform": {"counts": {"users": [1]}}})).encode()),
    ("a number for a version", json.dumps(bad({"env": {"flowforge": 1}})).encode()),
    ("words for a version", json.dumps(bad({"env": {"flowforge": "'; drop table"}})).encode()),
    ("a number for a flag", json.dumps(bad({"platform": {"config": {"broker": {"enabled": 1}}}})).encode()),
    ("a long word", json.dumps(bad({"os": {"type": "x" * 65}})).encode()),
    ("envelope no object", json.dumps(bad({"envelope": 5})).encode()),
    ("odd period", json.dumps(bad({"envelope": {"period": "2026"}})).encode()),
    ("negative number", json.dumps(bad({"envelope": {"seq": -1}})).encode()),
]


@pytest.mark.parametrize(("what", "body"), REFUSED, ids=[what for what, _ in REFUSED])
def test_garbage_is_refused_with_a_reason_and_leaves_nothing(house: House, what: str, body: bytes) -> None:
    answer = house.client.post("/ping", data=body, content_type="application/json")

    assert answer.status_code == 400, what
    assert answer.get_json()["code"] == "invalid_ping"
    assert answer.get_json()["error"].startswith("The ping cannot be taken: ")
    assert rows(house, "ping_raw") == []
    assert rows(house, "installation") == []


def test_the_answer_names_the_field_and_what_is_allowed(house: House) -> None:
    answer = house.client.post("/ping", json=house.ping(platform={"counts": {"users": -1}}))

    assert answer.get_json()["error"] == (
        "The ping cannot be taken: platform.counts.users: must be a whole number from 0 to 10000000."
    )


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b" " * (10 * 1024 * 1024), {}, 413, "too_large"),
        (gzip.compress(b" " * (10 * 1024 * 1024), mtime=0), {"Content-Encoding": "gzip"}, 413, "too_large"),
        (gzip.compress(b"{}", mtime=0)[:-6], {"Content-Encoding": "gzip"}, 400, "encoding"),
        (gzip.compress(b"{}", mtime=0) + b"more", {"Content-Encoding": "gzip"}, 400, "encoding"),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400, "encoding"),
        (b"{}", {"Content-Encoding": "br"}, 415, "encoding"),
        (b"{}", {"Content-Type": "application/json; charset=utf-16"}, 415, "charset"),
    ],
)
def test_what_is_too_large_or_oddly_packed(
    house: House, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = house.client.post("/ping", data=body, headers=headers)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_gzip_is_taken(house: House) -> None:
    body = gzip.compress(json.dumps(house.ping()).encode())
    assert house.client.post("/ping", data=body, headers={"Content-Encoding": "gzip"}).status_code == 202


def test_too_many_pings_of_one_sender_are_asked_to_wait(house: House) -> None:
    house.service.receiver.monotonic = lambda: 0.0
    statuses = [house.client.post("/ping", json=house.ping()).status_code for _ in range(601)]
    answer = house.client.post("/ping", json=house.ping())

    assert statuses[0] == 202
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    house.knock.address = "198.51.100.4"
    assert house.client.post("/ping", json=house.ping(instanceId=str(uuid.uuid4()))).status_code == 202


@pytest.mark.parametrize("address", ["127.0.0.1", "fe80::1", "unknown", None])
def test_who_has_no_address_of_their_own_share_one_limit(house: House, address: str | None) -> None:
    """They may be the world, behind a proxy that is not trusted."""
    limits = house.service.receiver.limiter
    for number in range(6_000):
        assert limits.wait(("::1", "169.254.9.9", "", "127.7.7.7")[number % 4], 0.0) == 0
    assert limits.wait(address, 0.0) > 0
    assert limits.wait(address, 1.0) == 0
    assert limits.wait("203.0.113.9", 0.0) == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "fe80::1", None])
def test_guessing_the_access_token_from_here_is_slowed_down_too(house: House, address: str | None) -> None:
    house.service.receiver.monotonic = lambda: 0.0
    house.knock.address = address
    statuses = [house.client.post("/access", json={"token": f"no{n}"}).status_code for n in range(61)]
    assert statuses == [403] * 60 + [429]


def test_what_is_asked_for_oddly_is_refused_plainly(house: House) -> None:
    for name in ("a" * 300, "a" * 5_000, "a%00b", "%ff" * 90):
        assert house.client.get(f"/assets/{name}").status_code == 404
    for body in (b"[" * 5_000, b'{"token":' * 2_000, b"\xff", b"null", b"", b'{"token":"\\ud800"}', b"x" * 100_000):
        house.knock.address = str(IPv4Address(0xCB007100 + len(body) % 199))
        answer = house.client.post("/access", data=body, content_type="application/json")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "wrong_token")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["instanceId", "os", "env", "platform", "counts", "users", "type", "envelope", "seq"])
                | st.text(max_size=8),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_no_document_brings_it_down(house: House, body: object) -> None:
    house.knock.address = None
    answer = house.client.post("/ping", data=json.dumps(body).encode())
    assert answer.status_code in {202, 200, 400}


def test_the_database_itself_refuses_an_address_for_a_token(build: Callable[..., House]) -> None:
    house = build()
    house.client.post("/ping", json=house.ping())
    table = house.service.store.tables.raw
    for wrong in ("203.0.113.77", "0" * 31, "0" * 33, "A" * 32, "203.0.113.77".ljust(32, "0"), "g" * 32):
        with pytest.raises(sa.exc.IntegrityError), house.service.store.writing() as tx:
            tx.execute(table.update().values(sender_token=wrong))


@pytest.mark.parametrize("path", ["/", "/ping", ""])
def test_what_nobody_expected_is_told_to_nobody(
    house: House, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("from 203.0.113.9")

    monkeypatch.setattr(house.service.receiver, "receive", fail)
    answer = house.client.post(path, json=house.ping())
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "203.0.113.9" not in answer.get_data(as_text=True) + caplog.text
