"""Demonstration data on its way to the process that holds the store."""

from __future__ import annotations

import gzip
import json
import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flowforge_ui.analytics.duckdb_store import DuckDBStore
from flowforge_ui.analytics.errors import StoreUnavailable
from flowforge_ui.analytics.spool import Importer, Spool, held
from tests.analytics.events import ALICE, BOB, act, view

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    spool = tmp_path / "analytics-import"
    spool.mkdir()
    return spool


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore.open(f"duckdb:///{tmp_path}/analytics.duckdb")) as opened:
        yield opened


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_events_come_in_marked_whatever_the_file_says(directory: Path, store: DuckDBStore) -> None:
    spool, importer = Spool(directory), Importer(store, directory)
    store.append([act("2026-03-02 09:00", ALICE, "logged in")])
    spool.put([view("2026-03-02 10:00", BOB, 1, 1, "home", demo=False)])
    spool.put([view("2026-03-02 10:01", BOB, 1, 2, "team", title="Team 😀")])
    assert held(store) == {"real": 1, "demo": 0}
    assert importer.step() == 2
    assert names(directory) == []
    assert held(store) == {"real": 1, "demo": 2}


def test_a_file_taken_twice_counts_once(directory: Path, store: DuckDBStore) -> None:
    path = Spool(directory).put([view("2026-03-02 10:00", BOB, 1, 1, "home")])
    content = path.read_bytes()
    importer = Importer(store, directory)
    importer.step()
    path.write_bytes(content)
    importer.step()
    assert held(store) == {"real": 0, "demo": 1}


def test_ask_and_remove(directory: Path, store: DuckDBStore) -> None:
    spool, importer = Spool(directory), Importer(store, directory)
    store.append([act("2026-03-02 09:00", ALICE, "logged in")])
    spool.put([view("2026-03-02 10:00", BOB, 1, 1, "home")])
    before = spool.ask()
    spool.remove()
    after = spool.ask()
    assert importer.step() == 4
    answers = [json.loads(path.with_suffix(".answer").read_text()) for path in (before, after)]
    assert answers == [{"real": 1, "demo": 1}, {"real": 1, "demo": 0}]
    assert importer.step() == 0


def line(**changes: Any) -> bytes:
    event = {
        "uuid": "01a20758-7d19-7996-80bb-a42439a2791b",
        "name": "logged in",
        "distinct_id": ALICE,
        "timestamp": 1_772_445_600_000,
        "properties": {},
        "origin": "server",
        "recorded_at": 0,
    }
    return json.dumps({**event, **changes}).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(line())[:-9],
        gzip.compress(b"no json\n"),
        gzip.compress(b"[1]\n"),
        gzip.compress(b"{}\n"),
        gzip.compress(line(more=1)),
        gzip.compress(line(uuid="no uuid")),
        gzip.compress(line(timestamp="now")),
        gzip.compress(line(timestamp=10**17)),
        gzip.compress(line(properties=[])),
        gzip.compress(line(properties={"title": "x" * 70_000})),
    ],
    ids=["plain", "torn", "text", "array", "empty", "field", "uuid", "type", "time", "properties", "long"],
)
def test_what_is_no_request_is_put_aside(
    directory: Path, store: DuckDBStore, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / "1.events.ndjson.gz").write_bytes(content)
    good = Spool(directory).put([view("2026-03-02 10:00", BOB, 1, 1, "home")])
    importer = Importer(store, directory)
    with caplog.at_level(logging.WARNING):
        # The good one begins with a time of today and stands behind "1" in neither case.
        assert importer.step() == 2
    assert not good.exists()
    assert names(directory) == ["1.events.ndjson.gz.rejected"]
    assert "1.events.ndjson.gz, which is no request" in caplog.text
    assert held(store) == {"real": 0, "demo": 1}
    assert importer.step() == 0


def test_unfinished_and_foreign_files_are_left_alone(directory: Path, store: DuckDBStore) -> None:
    for name in (".1.events.ndjson.gz", "notes.txt", "1.answer"):
        (directory / name).write_bytes(b"")
    assert Importer(store, directory).step() == 0
    assert names(directory) == [".1.events.ndjson.gz", "1.answer", "notes.txt"]


def test_what_fails_in_passing_stays(directory: Path, store: DuckDBStore) -> None:
    path = Spool(directory).put([view("2026-03-02 10:00", BOB, 1, 1, "home")])
    store.close()
    with pytest.raises(StoreUnavailable):
        Importer(store, directory).step()
    assert path.exists()


def test_the_thread_takes_what_comes_and_ends(tmp_path: Path, store: DuckDBStore) -> None:
    directory = tmp_path / "new"
    importer = Importer(store, directory, every_seconds=0.01)
    importer.start()
    try:
        assert directory.stat().st_mode & 0o777 == 0o700
        spool = Spool(directory)
        requests = [spool.put([view("2026-03-02 10:00", BOB, 1, n, "home")]) for n in range(5)]
        while any(path.exists() for path in requests):
            time.sleep(0.01)
    finally:
        importer.stop()
    assert held(store) == {"real": 0, "demo": 5}
