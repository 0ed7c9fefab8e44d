from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from flowforge_ui.database import after_commit, reading, serialise, transaction
from flowforge_ui.platform import tables

NOW = datetime(2026, 3, 2, 8, 0, 0, 123_456, tzinfo=UTC)


def put(tx: Connection, key: str, value: str, at: datetime = NOW) -> None:
    tx.execute(insert(tables.settings).values(key=key, value=value, updated_at=at))


def keys(engine: Engine) -> list[str]:
    with reading(engine) as tx:
        return list(tx.execute(select(tables.settings.c.key).order_by(tables.settings.c.key)).scalars())


def fail_after(engine: Engine, act: Callable[[Connection], None]) -> None:
    """Act in a transaction that then fails."""

    def attempt() -> None:
        with transaction(engine) as tx:
            act(tx)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        attempt()


def test_commit_and_rollback(any_engine: Engine) -> None:
    with transaction(any_engine) as tx:
        put(tx, "a", "1")
    fail_after(any_engine, lambda tx: put(tx, "b", "1"))
    assert keys(any_engine) == ["a"]


def test_reading_cannot_write(any_engine: Engine) -> None:
    with pytest.raises(DBAPIError), reading(any_engine) as tx:
        put(tx, "a", "1")
    with transaction(any_engine) as tx:  # the connection comes back from the pool able to write
        put(tx, "b", "1")
    assert keys(any_engine) == ["b"]


def test_reading_sees_one_state(any_engine: Engine) -> None:
    with reading(any_engine) as old:
        assert old.execute(text("SELECT count(*) FROM settings")).scalar() == 0
        with transaction(any_engine) as tx:
            put(tx, "a", "1")
        assert old.execute(text("SELECT count(*) FROM settings")).scalar() == 0
    assert keys(any_engine) == ["a"]


def test_foreign_keys_hold(any_engine: Engine) -> None:
    with pytest.raises(IntegrityError), transaction(any_engine) as tx:
        tx.execute(insert(tables.memberships).values(team_id="none", user_id="none", role="owner", joined_at=NOW))


def test_times_are_milliseconds_since_the_epoch(any_engine: Engine) -> None:
    plant_time = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    with transaction(any_engine) as tx:
        put(tx, "a", "1", plant_time)
        assert tx.execute(text("SELECT updated_at FROM settings")).scalar() == 1_772_438_400_123
        assert tx.execute(select(tables.settings.c.updated_at)).scalar() == NOW.replace(microsecond=123_000)
    with pytest.raises(StatementError, match="naive"), transaction(any_engine) as tx:
        put(tx, "b", "1", NOW.replace(tzinfo=None))


def test_what_follows_a_commit(any_engine: Engine) -> None:
    done: list[list[str]] = []
    with transaction(any_engine) as tx:
        put(tx, "a", "1")
        after_commit(tx, lambda: done.append(keys(any_engine)))
        assert done == []
    assert done == [["a"]]
    fail_after(any_engine, lambda tx: after_commit(tx, lambda: done.append(["never"])))
    with transaction(any_engine):
        pass
    assert done == [["a"]]


def test_what_follows_may_fail_alone(any_engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def bad() -> None:
        raise LookupError

    with transaction(any_engine) as tx:
        put(tx, "a", "1")
        after_commit(tx, bad)
        after_commit(tx, lambda: done.append("second"))
    assert done == ["second"]
    assert [record.getMessage() for record in caplog.records] == ["After a commit"]


def test_nobody_writes_between_a_read_and_its_write(any_engine: Engine) -> None:
    """Eight threads count one number up; without BEGIN IMMEDIATE (SQLite) or the lock (PostgreSQL) some get lost."""
    with transaction(any_engine) as tx:
        put(tx, "n", "0")
    start = threading.Barrier(8)

    def count_up() -> None:
        start.wait()
        for _ in range(5):
            with transaction(any_engine) as tx:
                serialise(tx, 42)
                n = int(tx.execute(select(tables.settings.c.value)).scalar_one())
                tx.execute(tables.settings.update().values(value=str(n + 1)))

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(any_engine) as tx:
        assert tx.execute(select(tables.settings.c.value)).scalar() == "40"


def test_a_transaction_inside_another_gets_an_error_and_harms_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A programmer's mistake on SQLite: it waits for itself, and is told so; the outer one goes on."""
    monkeypatch.setattr("flowforge_ui.database.BUSY_SECONDS", 0.05)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with transaction(engine) as outer:
        put(outer, "outer", "1")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        with pytest.raises(DBAPIError, match="locked"), transaction(engine):
            pass
    with transaction(engine) as tx:
        put(tx, "later", "1")
    assert keys(engine) == ["later", "outer"]
