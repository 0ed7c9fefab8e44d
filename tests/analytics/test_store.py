"""What every store promises: each event once, at once, whatever is in it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from flowforge_ui.analytics.errors import EventRefused
from flowforge_ui.analytics.sink import LocalSink
from flowforge_ui.analytics.store import open_store
from flowforge_ui.telemetry.event import Event
from flowforge_ui.telemetry.sinks import SinkError
from flowforge_ui.telemetry.stored import StoredProperties
from tests.analytics.events import ALICE, BOB, act, at, leave, number, stamp, view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowforge_ui.analytics.store import Store


def day_of(store: Store, day: str = "2026-03-02") -> list[Mapping[str, Any]]:
    return store.ask("export_day", {"day": at(day).date()})


def held(store: Store) -> int:
    count: int = store.ask("presence", {})[0]["events"]
    return count


def test_a_full_event_stands_in_its_columns(store: Store) -> None:
    event = Event(
        uuid=number(3, 1),
        name="$pageleave",
        distinct_id=ALICE,
        timestamp=stamp("2026-03-02 10:00:00.123"),
        recorded_at=stamp("2026-03-02 10:00:00.456"),
        origin="browser",
        properties={
            "$session_id": number(2, 1),
            "route": "team",
            "route_pattern": "/team/:team",
            "from_route": "home",
            "to_route": "project",
            "nav_type": "push",
            "view_id": number(1, 1),
            "view_index": 3,
            "load_ms": 120,
            "engaged_ms": 4_000,
            "total_ms": 9_000_000_000,
            "scroll_depth": 0.5,
            "team": "t_one",
            "project": "p_one",
            "app_version": "0.9.0",
            "role": "user",
            "source": "router",
            "$browser": "Chrome",
            "$os": "Linux",
            "$device_type": "Desktop",
            "title": "Team — Fabrik 7 😀",
            "$screen_width": 1920,
            "$insert_id": "left out: the uuid says it",
            "$time": 1.5,
        },
    )
    assert store.append([event]) == 1
    (row,) = day_of(store)
    assert {name: value for name, value in row.items() if name != "properties"} == {
        "day": at("2026-03-02").date(),
        "uuid": number(3, 1),
        "event": "$pageleave",
        "origin": "browser",
        "distinct_id": ALICE,
        "session_id": number(2, 1),
        "timestamp": at("2026-03-02 10:00:00.123"),
        "received_at": at("2026-03-02 10:00:00.456"),
        "route": "team",
        "route_pattern": "/team/:team",
        "from_route": "home",
        "to_route": "project",
        "nav_type": "push",
        "view_id": number(1, 1),
        "view_index": 3,
        "load_ms": 120,
        "engaged_ms": 4_000,
        "total_ms": 9_000_000_000,
        "scroll_depth": 0.5,
        "team": "t_one",
        "project": "p_one",
        "app_version": "0.9.0",
        "role": "user",
        "source": "router",
        "browser": "Chrome",
        "os": "Linux",
        "device_type": "Desktop",
        "demo": False,
    }
    assert json.loads(row["properties"]) == {"title": "Team — Fabrik 7 😀", "$screen_width": 1920}
    assert store.latest() == at("2026-03-02 10:00:00.456")


def test_each_event_is_kept_once(store: Store) -> None:
    first = [act(f"2026-03-02 10:00:{second:02}", ALICE, "logged in") for second in range(10)]
    assert store.append([]) == 0
    assert store.append(first) == 10
    assert store.append(first) == 0
    new = act("2026-03-02 09:00", BOB, "logged in")
    assert store.append([first[3], new, new, first[9]]) == 1
    assert [row["uuid"] for row in day_of(store)] == [new.uuid, *(event.uuid for event in first)]


def test_the_first_of_two_with_one_uuid_is_kept(store: Store) -> None:
    event = act("2026-03-02 10:00", ALICE, "logged in")
    store.append([event, replace(event, distinct_id=BOB)])
    store.append([replace(event, distinct_id=BOB)])
    assert [row["distinct_id"] for row in day_of(store)] == [ALICE]


def test_a_batch_may_span_years(store: Store) -> None:
    events = [act(f"{year}-03-02 10:00", ALICE, "logged in") for year in (1999, 2026, 2031)]
    assert store.append(events[1:2]) == 1
    assert store.append(events) == 2
    assert held(store) == 3


def test_values_of_other_types_are_left_out_and_hostile_text_is_only_text(store: Store) -> None:
    nasty = "'); DROP TABLE events; --\u0000\u2028\"\\ </script> \U0001f600"
    event = view(
        "2026-03-02 10:00",
        ALICE,
        1,
        1,
        nasty,
        view_id="no uuid",
        load_ms="many",
        view_index=2**80,
        engaged_ms=True,
        total_ms=1.6,
        scroll_depth="deep",
        team=7,
        demo="yes",
        title="\ud800 half",
        huge=2**80,
        nan=float("nan"),
    )
    broken = view("2026-03-02 10:01", "u_\udfff", 1, 2, "\ud800")
    assert store.append([event, broken]) == 2
    row, other = day_of(store)
    names = ("route", "view_id", "load_ms", "view_index", "engaged_ms", "total_ms", "scroll_depth", "team", "demo")
    assert [row[name] for name in names] == [nasty, None, None, None, None, 2, None, None, False]
    assert (other["distinct_id"], other["route"]) == ("u_?", "?")
    assert store.append([event, broken]) == 0


def test_what_lies_in_the_log_as_text_is_kept_like_what_is_handed_over_as_values(store: Store) -> None:
    texts = {"title": 'Fabrik \u0000\u001e\u2028 "7" \\ 😀', "$current_url": "http://127.0.0.1/'); --", "nothing": None}
    columns = {
        "from_route": "home",
        "to_route": "project",
        "view_index": 2**53 - 1,
        "load_ms": 0,
        "total_ms": 9_000_000_000,
        "scroll_depth": 0.25,
        "team": "t_one",
        "$browser": "Chrome",
        "$insert_id": "left out",
        "$time": 1.5,
    }
    events = [
        act("2026-03-02 10:00", ALICE, "logged in"),
        replace(act("2026-03-02 10:01", ALICE, "logged in"), properties={}),
        view("2026-03-02 10:02", BOB, 1, 1, "a \u0000\u001e b"),
        view("2026-03-02 10:03", BOB, 1, 2, "team", **columns, **texts),  # type: ignore[arg-type]
        leave("2026-03-02 10:04", BOB, 1, 2, "team", 1200, scroll_depth=1, demo=True, screen=0.1),
    ]
    store.append(events)
    expected = day_of(store)
    assert store.prune(at("2027-01-01")) == 5
    log = [replace(event, properties=StoredProperties(orjson.dumps(event.properties).decode())) for event in events]
    assert store.append([*log[:3], log[0]]) == 3
    assert store.append(log) == 2
    assert day_of(store) == expected


@pytest.mark.parametrize("spoilt", [{"uuid": "no uuid"}, {"timestamp": 10**30}])
def test_an_event_that_can_never_be_kept_is_refused_and_takes_none_with_it(
    store: Store, spoilt: dict[str, Any]
) -> None:
    good, bad = act("2026-03-02 10:00", ALICE, "logged in"), act("2026-03-02 10:01", BOB, "logged in")
    with pytest.raises(EventRefused):
        store.append([good, replace(bad, **spoilt)])
    assert held(store) == 0
    assert store.append([good, bad]) == 2


def test_the_sink_tells_permanent_from_passing_trouble(store: Store) -> None:
    sink = LocalSink(store)
    good = act("2026-03-02 10:00", ALICE, "logged in")
    sink.deliver([good])
    sink.deliver([good])
    assert held(store) == 1
    with pytest.raises(SinkError) as refused:
        sink.deliver([replace(good, uuid="no uuid")])
    assert refused.value.permanent is True
    sink.close()
    assert held(store) == 1


def test_old_events_are_forgotten(store: Store) -> None:
    store.append([act(f"2026-03-{day:02} 10:00", ALICE, "logged in") for day in range(1, 11)])
    assert store.prune(at("2026-03-04 10:00")) == 3
    assert store.prune(at("2026-03-04 10:00")) == 0
    days = store.ask("days", {"first": at("2026-01-01").date(), "last": at("2026-12-31").date()})
    assert [(row["day"].day, row["events"]) for row in days] == [(day, 1) for day in range(4, 11)]


def test_demonstration_data_is_removed_exactly(store: Store) -> None:
    real = [view("2026-03-02 10:00", ALICE, 1, 1, "home"), leave("2026-03-02 10:01", ALICE, 1, 1, "home", 5)]
    demo = [view(f"2026-03-02 10:{minute:02}", BOB, 2, 10 + minute, "home", demo=True) for minute in range(20)]
    store.append([*real, *demo])
    assert store.ask("presence", {}) == [
        {
            "events": 22,
            "demo_events": 20,
            "received_at": at("2026-03-02 10:19:00.040"),
        }
    ]
    assert store.remove_demo() == 20
    assert store.remove_demo() == 0
    assert [row["uuid"] for row in day_of(store)] == [event.uuid for event in real]


def test_a_long_question_is_answered_in_pieces(store: Store) -> None:
    store.append([act(f"2026-03-02 10:{n // 60:02}:{n % 60:02}", ALICE, "logged in") for n in range(300)])
    pieces = list(store.scan("export_day", {"day": at("2026-03-02").date()}, rows=100))
    assert [row["timestamp"] for piece in pieces for row in piece] == [
        at("2026-03-02 10:00") + timedelta(seconds=second) for second in range(300)
    ]
    assert max(map(len, pieces)) <= 100 or len(pieces) > 1


def test_many_threads_read_while_one_writes(store: Store) -> None:
    """Every count a reader sees is that of whole batches, and never falls."""
    batches = [[view("2026-03-02 10:00", ALICE, n, n * 50 + k, "home") for k in range(50)] for n in range(12)]
    seen: list[list[int]] = [[] for _ in range(4)]
    done = False

    def read(into: list[int]) -> None:
        while not done:
            into.append(held(store))
            time.sleep(0.002)

    readers = [Thread(target=read, args=(into,)) for into in seen]
    for reader in readers:
        reader.start()
    try:
        for batch in batches:
            store.append(batch)
            assert held(store) % 50 == 0
    finally:
        done = True
        for reader in readers:
            reader.join()
    for counts in seen:
        assert counts
        assert counts == sorted(counts)
        assert {count % 50 for count in counts} == {0}
    assert held(store) == 600


def test_no_other_kind_of_store() -> None:
    with pytest.raises(ValueError, match="duckdb:///path or clickhouse://host"):
        open_store("sqlite:///somewhere")
