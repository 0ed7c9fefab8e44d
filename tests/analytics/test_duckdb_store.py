"""The embedded store as a file: who may hold it, what a damaged one does, what it may reach, what survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

import duckdb
import pytest

from flowforge_ui.analytics.duckdb_store import DuckDBStore
from flowforge_ui.analytics.errors import (
    EventRefused,
    StoreDamaged,
    StoreError,
    StoreInUse,
    StoreTooNew,
    StoreUnavailable,
)
from flowforge_ui.analytics.store import open_store
from flowforge_ui.telemetry.stored import StoredProperties
from tests.analytics.events import ALICE, act, at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOLD = """
import sys
from flowforge_ui.analytics.store import open_store
from flowforge_ui.telemetry.stored import StoredProperties
from tests.analytics.events import act
store = open_store(sys.argv[1])
for number in range(20):
    store.append([act(f"2026-03-02 10:00:{number:02}", "u_alice", "logged in")])
    print(number, flush=True)
sys.stdin.read()
"""


def hold(url: str) -> subprocess.Popen[str]:
    """Another process that has appended twenty events, one transaction each, and keeps the store open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for expected in range(20):
        assert process.stdout.readline() == f"{expected}\n"
    return process


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.communicate()


def count(store: DuckDBStore) -> int:
    events: int = store.ask("presence", {})[0]["events"]
    return events


def test_a_second_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/analytics.duckdb"
    process = hold(url)
    try:
        with pytest.raises(StoreInUse) as refused:
            open_store(url)
        assert refused.value.holder == process.pid
        assert f"held by process {process.pid}" in str(refused.value)
        assert "stop that process first" in str(refused.value)
    finally:
        end(process, signal.SIGTERM)


def test_what_was_appended_survives_sigkill(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/analytics.duckdb"
    end(hold(url), signal.SIGKILL)
    with closing(DuckDBStore.open(url)) as store:
        assert count(store) == 20


def test_a_torn_log_loses_only_its_end(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/analytics.duckdb"
    end(hold(url), signal.SIGKILL)
    log = tmp_path / "analytics.duckdb.wal"
    log.write_bytes(log.read_bytes()[:-7])
    with closing(DuckDBStore.open(url)) as store:
        assert count(store) == 19


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"hello" * 5000, b"SQLite format 3\0" + bytes(4080)],
    ids=["empty", "short", "text", "SQLite"],
)
def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "analytics.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="Nothing in it was changed"):
        open_store(f"duckdb:///{path}")
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["analytics.duckdb"]


@pytest.mark.parametrize(("where", "length"), [(4096, 64), (12_288 + 1000, 64), (12_288, 2 * 262_144)])
def test_a_damaged_file_is_left_alone(tmp_path: Path, where: int, length: int) -> None:
    path = tmp_path / "analytics.duckdb"
    with closing(open_store(f"duckdb:///{path}")) as store:
        store.append([act("2026-03-02 10:00", ALICE, "logged in")])
    content = bytearray(path.read_bytes())
    content[where : where + length] = b"\xff" * length
    path.write_bytes(content)
    try:
        with closing(open_store(f"duckdb:///{path}")) as store, pytest.raises(StoreError):
            store.ask("export_day", {"day": at("2026-03-02").date()})
    except StoreDamaged as error:
        assert str(path) in str(error)  # noqa: PT017  some damage shows on opening, some on reading
    assert path.read_bytes() == bytes(content)


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "analytics.duckdb"
    open_store(f"duckdb:///{path}").close()
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("UPDATE about SET value = '7' WHERE name = 'layout'")
    content = path.read_bytes()
    with pytest.raises(StoreTooNew) as refused:
        open_store(f"duckdb:///{path}")
    assert refused.value.found == 7
    assert path.read_bytes() == content


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not exist"):
        open_store(f"duckdb:///{tmp_path}/nowhere/analytics.duckdb")


def test_it_reaches_nothing_but_its_own_file(tmp_path: Path) -> None:
    other = tmp_path / "secret.csv"
    other.write_text("secret\n")
    with closing(DuckDBStore.open(f"duckdb:///{tmp_path}/analytics.duckdb")) as store:
        engine = store._root
        for attempt in (
            f"SELECT * FROM read_csv('{other}')",
            f"COPY events TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '64GB'",
        ):
            with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
                engine.execute(attempt)
        values = engine.execute(
            "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', "
            "'autoload_known_extensions', 'enable_external_access', 'lock_configuration', 'memory_limit') ORDER BY name"
        ).fetchall()
    assert values == [
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("enable_external_access", "false"),
        ("lock_configuration", "true"),
        ("memory_limit", "488.2 MiB"),
    ]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    open_store(f"duckdb:///{tmp_path}/analytics.duckdb").close()
    assert (tmp_path / "analytics.duckdb").stat().st_mode & 0o777 == 0o600


def test_closed_is_closed(tmp_path: Path) -> None:
    store = open_store(f"duckdb:///{tmp_path}/analytics.duckdb")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="has been closed"):
        store.append([act("2026-03-02 10:00", ALICE, "logged in")])
    with pytest.raises(StoreUnavailable, match="has been closed"):
        store.latest()


def test_closing_waits_for_nobody_forever(tmp_path: Path) -> None:
    """Somebody writes and somebody reads while it is closed: both are told, and all three end."""
    store = DuckDBStore.open(f"duckdb:///{tmp_path}/analytics.duckdb")
    told: list[str] = []
    kept: list[int] = []

    def work(act: Callable[[], object]) -> None:
        try:
            while True:
                act()
        except StoreUnavailable as error:
            told.append(str(error))

    acts: list[Callable[[], object]] = [
        lambda: kept.append(store.append([act("2026-03-02 10:00", ALICE, "logged in")])),
        store.latest,
    ]
    threads = [Thread(target=work, args=(one,), daemon=True) for one in acts]
    for thread in threads:
        thread.start()
    while store.latest() is None:
        pass
    store.close()
    for thread in threads:
        thread.join(timeout=30)
    assert told == [f"The analytics store {store.path} has been closed."] * 2
    # What stood before is there again for whoever opens it next.
    with closing(DuckDBStore.open(store.url)) as again:
        assert count(again) == sum(kept)


def test_it_opens_itself_anew_after_a_fatal_error(tmp_path: Path) -> None:
    with closing(DuckDBStore.open(f"duckdb:///{tmp_path}/analytics.duckdb")) as store:
        for _ in range(2):
            store.append([act("2026-03-02 10:00", ALICE, "logged in")])
            store._fatal = True  # as the engine's FatalException sets it
            assert count(store) == count(store)
            store._fatal = True
        store.append([act("2026-03-02 10:00", ALICE, "logged in")])
        assert count(store) == 3


FULL = """
import resource, signal, sys
from flowforge_ui.analytics.errors import StoreError
from flowforge_ui.analytics.store import open_store
from flowforge_ui.telemetry.event import Event, new_uuid
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1])
def batch(n):
    return [Event(new_uuid(), "logged in", f"u_{n}_{k}", 1772445600000 + n * 1000 + k, {"note": new_uuid()})
            for k in range(500)]
store.append(batch(0))
# From here on no file may grow beyond what a full disk would leave.
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
kept = 1
failed = []
for n in range(1, 12):
    one = batch(n)
    try:
        store.append(one)
        kept += 1
    except StoreError as error:
        failed.append((one, error.code))
assert failed, "the disk never became full"
assert {code for _, code in failed} == {"store_unavailable"}, {code for _, code in failed}
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
for one, _ in failed:
    store.append(one)
assert store.ask("presence", {})[0]["events"] == 12 * 500, store.ask("presence", {})
store.close()
again = open_store(sys.argv[1])
assert again.ask("presence", {})[0]["events"] == 12 * 500
again.close()
print("well")
"""


def test_a_full_disk_passes(tmp_path: Path) -> None:
    """What could not be written is refused as passing trouble and is taken later; nothing is lost or counted twice."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, f"duckdb:///{tmp_path}/analytics.duckdb"],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "well\n"), done.stderr


@pytest.mark.parametrize("text", ['{"route":', "{}\x1e{}", '{"route":"a"}\x1e', "[]x"])
def test_properties_that_are_no_json_are_refused_and_shift_nobody_elses(tmp_path: Path, text: str) -> None:
    good = [act(f"2026-03-02 10:0{minute}", ALICE, "logged in") for minute in range(3)]
    broken = replace(act("2026-03-02 10:01", ALICE, "logged in"), properties=StoredProperties(text))
    with closing(DuckDBStore.open(f"duckdb:///{tmp_path}/analytics.duckdb")) as store:
        with pytest.raises(EventRefused):
            store.append([good[0], broken, *good[1:]])
        assert count(store) == 0
        assert store.append(good) == 3
