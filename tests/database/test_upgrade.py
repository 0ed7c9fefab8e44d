"""What an earlier version has written is there after the upgrade, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from flowforge_ui.database import MIGRATIONS, migrate, open_engine, reading, transaction
from flowforge_ui.telemetry import archive
from flowforge_ui.telemetry.event import Event
from flowforge_ui.telemetry.outbox import Outbox
from tests.support.outbox import add_up

LOG = """
INSERT INTO outbox
    (id, uuid, event, distinct_id, timestamp, recorded_at, origin, properties, pending, delivered, failed, abandoned)
VALUES
    (3, 'a', 'team created', 'u_alice', 1, 2, 'server', '{"role":"user"}', 3, 0, 0, 0),
    (5, 'b', '$pageview', 'u_bob', 3, 4, 'browser', '{}', 2, 1, 0, 0),
    (6, 'c', 'team created', 'u_bob', 5, 6, 'server', '{}', 0, 0, 2, 1),
    (9, 'd', 'team created', 'u_bob', 7, 8, 'server', '{}', 0, 2, 0, 0)
"""
TROUBLE = """
INSERT INTO outbox_trouble (outbox_id, sink, attempts, due_at, error)
VALUES (3, 'posthog', 2, 77, 'slow'), (6, 'posthog', 1, NULL, 'no'), (6, 'local', 1, 78, 'of no matter any more')
"""
COUNTS = """
INSERT INTO telemetry_count (kind, name, part, n)
VALUES ('accepted', 'server', 0, 3), ('accepted', 'browser', 0, 1), ('addressed', 'local', 0, 3),
       ('addressed', 'posthog', 0, 4), ('delivered', 'local', 0, 1), ('delivered', 'posthog', 0, 1),
       ('failed', 'posthog', 0, 1), ('abandoned', 'local', 0, 1)
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_log_of_before_its_rows_stood_still(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    earlier = migrations_before("0004", tmp_path)
    engine = open_engine(url)
    try:
        migrate(engine, earlier)
        with transaction(engine) as tx:
            for statement in (LOG, TROUBLE, COUNTS):
                tx.exec_driver_sql(statement)
            if kind == "postgresql":
                tx.execute(text("SELECT setval(pg_get_serial_sequence('outbox', 'id'), 9)"))
        migrate(engine)
        outbox = Outbox(partial(transaction, engine), partial(reading, engine))

        first = Event("a", "team created", "u_alice", 1, {"role": "user"}, "server", 2)
        assert [claimed.event for claimed in outbox.claim("local", 9).fresh] == [first]
        batch = outbox.claim("posthog", 9)
        assert [claimed.event.uuid for claimed in batch.fresh] == ["b"]
        assert [(claimed.event, claimed.attempts) for claimed in batch.due] == [(first, 2)]
        assert [(recorded.event.uuid, recorded.sinks) for recorded in outbox.recent()] == [
            ("d", {"posthog": "delivered"}),
            ("c", {"local": "abandoned", "posthog": "failed"}),
            ("b", {"local": "delivered", "posthog": "pending"}),
            ("a", {"local": "pending", "posthog": "pending"}),
        ]
        with transaction(engine) as tx:
            outbox.record(tx, Event("e", "team created", "u_alice", 9, {}, "server", 10), ["local"])
        assert [claimed.id for claimed in outbox.claim("local", 9).fresh] == [3, 10]
        assert outbox.counts()["accepted"] == {"server": 4, "browser": 1}
        assert add_up(outbox) == {"local": 0, "posthog": 0}
    finally:
        engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_last_ping_of_before_its_moment_was_kept(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Its secret, number and receipt stay, and it still counts as the last one within its hour."""
    url = f"sqlite:///{tmp_path / 'old.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    hour = 494_000
    try:
        migrate(engine, migrations_before("0005", tmp_path))
        with transaction(engine) as tx:
            tx.exec_driver_sql(
                "INSERT INTO ping_state (id, secret, seq, last_hour, last_receipt, accepted_plan) "
                f"VALUES (1, 's', 7, {hour}, 'r', 1)"
            )
        migrate(engine)
        with transaction(engine) as tx:
            assert archive.claim(tx, (hour + 1) * archive.HOUR_MS + 1, 1, occasion=archive.Occasion(9**15)) is None
            claimed = archive.claim(tx, (hour + 2) * archive.HOUR_MS, 1, occasion=archive.Occasion(9**15))
            assert archive.secret(tx, 1) == "s"
        assert claimed is not None
        assert (claimed.seq, claimed.last_receipt, claimed.accepted_plan) == (8, "r", 1)
    finally:
        engine.dispose()


def migrations_before(number: str, folder: Path) -> Path:
    """The migrations an earlier version had."""
    earlier = folder / "migrations"
    shutil.copytree(MIGRATIONS, earlier)
    for path in (earlier / "versions").glob("0*.py"):
        if path.name >= number:
            path.unlink()
    return earlier
