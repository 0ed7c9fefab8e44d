"""`plan/ping.yml` is the one list: payload, preview, schema, page, the collector's validation and its columns agree."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from flowforge_ui.collector import ping as rules
from flowforge_ui.collector.store import PingStore
from flowforge_ui.telemetry.wire import MAX_INT, Field, PingPlan, WireError, encode

ROOT = Path(__file__).parents[2]
PLAN = PingPlan.load(ROOT / "flowforge_ui" / "plan" / "ping.yml")
SCHEMA = PLAN.schema()
VALIDATOR = Draft202012Validator(SCHEMA)
PAGE = (ROOT / "docs" / "ping.md").read_text("utf-8")
SENT = PLAN.sent()
INSTANCE = "5db51f99-c6fb-4340-9c19-78adce58cc1b"
GOOD: dict[str, list[object]] = {
    "int": [0, 7, MAX_INT],
    "version": ["3", "3.12.4", "v16.19.1", "6.1.0-18", "1.0.0-rc.1+build_7~2", "9" * 64],
    "uuid": [INSTANCE, str(uuid.UUID(int=0))],
}
BAD: list[object] = [
    None,
    -1,
    MAX_INT + 1,
    1.5,
    True,
    [],
    {},
    "",
    "x y",
    "1 2",
    "ä",
    "1" * 66,
    "203.0.113.9, 1",
    "'; --",
]


def good(field: Field) -> list[object]:
    return [*sorted(field.values), "other"] if field.type == "enum" else GOOD[field.type]


def nested(path: str, value: object) -> dict[str, object]:
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def leaves(node: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def properties(node: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    found = node["properties"]
    assert isinstance(found, dict)
    assert node["additionalProperties"] is False
    for key, value in found.items():
        if "properties" in value:
            yield from properties(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_all_have_the_same_fields(tmp_path: Path) -> None:
    paths = [each.path for each in SENT]
    payload = PLAN.build({each.path: good(each)[0] for each in SENT}).payload
    assert list(leaves(payload)) == list(properties(SCHEMA)) == paths
    sent, _, received = PAGE.partition("## What is only received")
    assert re.findall(r"^\| `([\w.]+)` \|", sent.partition("## What travels beside it")[0], re.MULTILINE) == paths
    assert json.loads(re.findall(r"```json\n(.*?)```", received, re.DOTALL)[-1]) == SCHEMA
    store = PingStore(f"sqlite:///{tmp_path}/collector.db", PLAN)
    columns = set(store.tables.installation.columns.keys())
    store.close()
    assert {each.column for each in PLAN.fields if each.keep} <= columns
    own = {"first_seen", "last_seen", "secret_hash", "copied_day", "highest"}
    assert columns - own == {each.column for each in PLAN.fields if each.keep}


@pytest.mark.parametrize("field", SENT, ids=lambda field: field.path)
def test_what_one_takes_all_take(field: Field, tmp_path: Path) -> None:
    store = PingStore(f"sqlite:///{tmp_path}/collector.db", PLAN)
    store.prepare()
    for value in good(field):
        built = PLAN.build({"instanceId": INSTANCE, field.path: value})
        body = encode(built.payload)
        assert field.path not in built.left_out
        assert VALIDATOR.is_valid(json.loads(body)), value
        reading = PLAN.read(body)
        assert (reading.values[field.path], reading.unknown) == (value, ())
        ping = rules.make(reading, body, now=datetime(2026, 11, 23, tzinfo=UTC), retention_days=1, token=None)
        with store.writing() as tx:
            store.keep(tx, [ping])
            row, _ = store.held(tx, ping.instance_id)
            store.erase(tx, ping.instance_id)
        assert row is not None
        assert row[field.column] == value
    store.close()


@pytest.mark.parametrize("field", SENT, ids=lambda field: field.path)
def test_what_one_refuses_all_refuse(field: Field) -> None:
    # A word that an enumeration does not have is no error: it arrives as "other".
    for value in (each for each in BAD if field.type != "enum" or not isinstance(each, str) or len(each) > 64):
        assert field.path in PLAN.build({field.path: value}).left_out, value
        document = {"instanceId": INSTANCE, **nested(field.path, value)}
        assert not VALIDATOR.is_valid(document), value
        if value != {}:  # an object has no value of its own
            with pytest.raises(WireError):
                PLAN.read(json.dumps(document).encode())
