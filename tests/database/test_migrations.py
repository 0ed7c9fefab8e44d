from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Engine, inspect, text

from flowforge_ui import database, jobs
from flowforge_ui.database import DatabaseTooNew, DatabaseUnreadable, is_migrated, migrate, open_engine, reading
from flowforge_ui.platform import tables
from flowforge_ui.telemetry import archive, outbox

if TYPE_CHECKING:
    from tests.conftest import Cluster

ALL_METADATA = (tables.audit.metadata, jobs.metadata, outbox.metadata, archive.metadata)

BROKEN = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999_broken", "{head}", None, None
def upgrade():
    op.create_table("half", sa.Column("x", sa.Integer()))
    raise RuntimeError("in the middle")
"""


@contextmanager
def opened(url: str | URL) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def create_all(engine: Engine) -> None:
    for part in ALL_METADATA:
        part.create_all(engine)


def schema(path: Path) -> dict[str, list[str]]:
    """Every object of an SQLite file: its definition as a sorted list of clauses (their order means nothing)."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {
        name: sorted(clause.strip() for clause in re.sub(r"\s+", " ", sql).replace(", \n", ",").split(", "))
        for name, sql in rows
        if not name.startswith(("alembic_", "sqlite_"))
    }


def normalised(clauses: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        name: sorted(re.sub(r"^CREATE TABLE \w+ \( | \)$", "", clause).strip() for clause in part)
        for name, part in clauses.items()
    }


def test_migrations_give_exactly_the_tables_on_sqlite(engine: Engine, tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'made.db'}") as made:
        create_all(made)
    migrated = normalised(schema(tmp_path / "flowforge.db"))
    assert migrated == normalised(schema(tmp_path / "made.db"))
    assert {"users", "audit", "outbox", "job_leases", "ping_archive", "outbox_pending"} <= set(migrated)


def test_migrations_give_exactly_the_tables(any_engine: Engine) -> None:
    with any_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, ALL_METADATA) == []  # type: ignore[arg-type] # a sequence is fine, its stub does not say so


def test_constraints_are_the_same_on_postgresql(postgres_cluster: Cluster, postgres_url: str) -> None:
    def constraints(engine: Engine) -> dict[str, object]:
        found = inspect(engine)
        names = [name for name in found.get_table_names() if name != "alembic_version"]
        return {
            name: [
                sorted(map(str, found.get_check_constraints(name))),
                sorted(map(str, found.get_foreign_keys(name))),
                sorted(map(str, found.get_indexes(name))),
                sorted(map(str, found.get_unique_constraints(name))),
                str(found.get_pk_constraint(name)),
            ]
            for name in names
        }

    with postgres_cluster.migrated() as url, opened(postgres_url) as made, opened(url) as migrated:
        create_all(made)
        assert constraints(migrated) == constraints(made)


def test_migrating_again_changes_nothing(any_engine: Engine) -> None:
    assert is_migrated(any_engine)
    migrate(any_engine)
    assert is_migrated(any_engine)


def test_an_empty_database_is_not_migrated(tmp_path: Path, postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path / 'empty.db'}", postgres_url):
        with opened(url) as engine:
            assert not is_migrated(engine)


def test_sqlite_settings_and_file_modes(tmp_path: Path) -> None:
    path = tmp_path / "home" / "flowforge.db"
    with opened(f"sqlite:///{path}") as engine:
        migrate(engine)
        with reading(engine) as tx:
            pragmas = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            found = [tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
            assert found == ["wal", 2, 10_000, 1]
            modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    names = ("flowforge.db", "flowforge.db-shm", "flowforge.db-wal", "flowforge.db.lock")
    assert modes == dict.fromkeys(names, "0o600")
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    path = tmp_path / "50% off? #1" / "flow forge.db"
    with opened(URL.create("sqlite", database=str(path))) as engine:
        migrate(engine)
        assert is_migrated(engine)
    assert path.exists()


def test_a_newer_sqlite_database_keeps_its_bytes(engine: Engine, tmp_path: Path) -> None:
    path, copy = tmp_path / "flowforge.db", tmp_path / "newer.db"
    with database.transaction(engine) as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
        # A crash leaves a write-ahead log behind: take both as they stand before the engine closes and folds it in.
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    before = {name: hashlib.sha256(Path(name).read_bytes()).digest() for name in (str(copy), f"{copy}-wal")}
    with opened(f"sqlite:///{copy}") as newer, pytest.raises(DatabaseTooNew) as refused:
        migrate(newer)
    assert refused.value.revision == "9999_future"
    assert {name: hashlib.sha256(Path(name).read_bytes()).digest() for name in before} == before


def test_a_newer_postgresql_database_is_refused(any_engine: Engine) -> None:
    with database.transaction(any_engine) as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    with pytest.raises(DatabaseTooNew):
        migrate(any_engine)
    assert not is_migrated(any_engine)
    with reading(any_engine) as tx:
        assert tx.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["9999_future"]


def test_what_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"Dear diary, " * 500)
    with opened(f"sqlite:///{path}") as engine, pytest.raises(DatabaseUnreadable):
        migrate(engine)
    assert path.read_bytes() == b"Dear diary, " * 500


def test_what_cannot_be_opened_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "file" / "x.db", "File exists")):
        with opened(f"sqlite:///{path}") as engine, pytest.raises(DatabaseUnreadable) as refused:
            migrate(engine)
        assert str(refused.value) == f"The database {path} cannot be opened: {why}."


def test_a_migration_that_fails_leaves_nothing(any_engine: Engine, tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, scripts)
    with reading(any_engine) as tx:
        head = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    (scripts / "versions" / "9999_broken.py").write_text(BROKEN.format(head=head))
    with pytest.raises(RuntimeError, match="in the middle"):
        migrate(any_engine, scripts)
    assert not is_migrated(any_engine, scripts)
    assert is_migrated(any_engine)
    assert "half" not in inspect(any_engine).get_table_names()
    migrate(any_engine)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_migrate_at_once_are_all_fine(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    program = (
        "import sys; from flowforge_ui.database import *; engine = open_engine(sys.argv[1]); "
        "print('ready', flush=True); sys.stdin.readline(); migrate(engine); print(is_migrated(engine))"
    )
    command = [sys.executable, "-c", program, url]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in processes]
    assert answers == ["True\n"] * 3
    assert [process.returncode for process in processes] == [0, 0, 0]
