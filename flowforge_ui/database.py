"""The platform's database: SQLite by default, PostgreSQL by URL; SQLAlchemy Core, migrated by Alembic at start.

Times are stored as integers: milliseconds since the epoch, UTC (`Millis`).
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Engine, MetaData, TypeDecorator, create_engine, event, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alembic.script import ScriptDirectory
    from sqlalchemy import Select
    from sqlalchemy.engine import Dialect
    from sqlalchemy.pool import PoolProxiedConnection

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10

_MODE = "flowforge_mode"  # of the transaction that begins next on a connection
_READ_ONLY = "flowforge_read_only"  # what a connection has been told last
_AFTER_COMMIT = "flowforge_after_commit"
_MIGRATION_LOCK = 0x666C6F77666F7267  # one number for every process of one PostgreSQL database
_WRITERS: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class DatabaseTooNew(Exception):
    """A newer version of this program has migrated the database; `revision` is what this one does not know."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database is at revision {revision}, which this version does not know: it belongs to a newer version. "
            "Nothing was changed. Install that version again, or restore the backup made before the upgrade."
        )
        self.revision = revision


class DatabaseUnreadable(Exception):
    """The file the URL names cannot be opened for writing, or is no SQLite database."""


class Millis(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as milliseconds since the epoch (what is finer is cut off)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return (value - _EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else _EPOCH + timedelta(milliseconds=value)


def open_engine(url: str | URL) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://...`; nothing is opened or created yet."""
    parsed = make_url(url)
    return _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed)


def _open_sqlite(url: URL) -> Engine:
    # isolation_level None: the driver starts no transactions by itself, `begin` below does.
    # A connection is opened for each request at work once, not for each request: that would cost more than it asks.
    options = {"timeout": BUSY_SECONDS, "isolation_level": None}
    engine = create_engine(url, connect_args=options, pool_size=40, max_overflow=20)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    engine.dialect.do_begin = _begin_sqlite  # type: ignore[method-assign] # its errors are translated, an event's are not
    _WRITERS[engine] = threading.Lock()
    return engine


def _begin_sqlite(dbapi_connection: PoolProxiedConnection) -> None:
    info, driver = dbapi_connection.info, cast("sqlite3.Connection", dbapi_connection.driver_connection)
    mode = info.pop(_MODE, "")
    read_only = mode == "READ"
    if info.get(_READ_ONLY) is not read_only:
        driver.execute(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
        info[_READ_ONLY] = read_only
    driver.execute("BEGIN IMMEDIATE" if mode == "WRITE" else "BEGIN")


def _open_postgresql(url: URL) -> Engine:
    options = f"-c lock_timeout={BUSY_SECONDS * 1000} -c idle_in_transaction_session_timeout=60000"
    return create_engine(
        url, connect_args={"connect_timeout": BUSY_SECONDS, "options": options}, pool_pre_ping=True, max_overflow=50
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection in a writing transaction: committed at the end, rolled back when anything is raised.

    On SQLite the write lock is taken at once (BEGIN IMMEDIATE), so that what was read is still true when it is written.
    """
    with _turn(engine), engine.connect() as connection:
        connection.info[_MODE] = "WRITE"
        pending: list[Callable[[], None]] = []
        connection.info[_AFTER_COMMIT] = pending
        try:
            with connection.begin():
                yield connection
        finally:
            connection.info.pop(_AFTER_COMMIT, None)
    for act in pending:
        try:
            act()
        except Exception:  # what was committed stays true whatever happens to its consequences
            log.exception("After a commit")


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """On SQLite this process's writers queue here, since SQLite itself lets them sleep, poll and starve each other.

    Measured with 16 threads, one row each: three times as many commits, the longest wait 0.5 s instead of 4 s. Other
    processes still queue in SQLite; whoever has waited in vain here does so too and gets its error.
    """
    writer = _WRITERS.get(engine)
    mine = writer is not None and writer.acquire(timeout=BUSY_SECONDS)
    try:
        yield
    finally:
        if writer is not None and mine:
            writer.release()


def after_commit(tx: Connection, act: Callable[[], None]) -> None:
    """Have `act` called once the transaction of `transaction()` that `tx` belongs to is committed; never otherwise."""
    tx.info[_AFTER_COMMIT].append(act)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that sees one state of the database; writing through it is an error."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.info[_MODE] = "READ"
        else:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


class Lookup:
    """A SELECT that is asked at every request, for one row.

    On SQLite it goes past SQLAlchemy, whose part of it costs many times the database's, and needs no transaction: one
    statement sees one state of the database by itself.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        dialect = sqlite.dialect()
        compiled = statement.compile(dialect=dialect)
        self._text = compiled.string
        self._names = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._made = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.selected_columns
        ]

    def one(self, engine: Engine, **values: object) -> tuple[Any, ...] | None:
        """The row, its values as SQLAlchemy would give them; None when there is none."""
        if engine.dialect.name == "sqlite":
            try:
                return self._one(engine, values)
            except sqlite3.Error:
                pass  # asked again in the ordinary way, it says so in everybody's terms
        with reading(engine) as tx:
            row = tx.execute(self._statement, values).one_or_none()
            return None if row is None else tuple(row)

    def _one(self, engine: Engine, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        given = [values[name] if bind is None else bind(values[name]) for name, bind in self._names]
        connection = engine.raw_connection()
        try:
            # All rows, that the statement is at its end and holds no state of the database any longer.
            rows = connection.driver_connection.execute(self._text, given).fetchall()  # type: ignore[union-attr]
        finally:
            connection.close()
        if not rows:
            return None
        (row,) = rows
        return tuple([value if make is None else make(value) for value, make in zip(row, self._made, strict=True)])


def serialise(tx: Connection, key: int) -> None:
    """Wait until no other transaction holds `key` (signed 64 bits), and hold it until this one ends.

    On SQLite a writing transaction is alone anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def migrate(engine: Engine, scripts: Path = MIGRATIONS) -> None:
    """Bring the database to this program's revision; each migration is one transaction, one process migrates at a time.

    Raises:
        DatabaseTooNew: before anything was touched.
        DatabaseUnreadable: the file cannot be opened, or is no SQLite database.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    directory = ScriptDirectory.from_config(config)
    with _lock(engine):
        if _refuse_newer(directory, _revisions(engine)):
            return
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                with connection.begin():
                    pass  # from here on this connection may write
                connection.connection.driver_connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[union-attr]
            connection.info[_MODE] = "WRITE"
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def is_migrated(engine: Engine, scripts: Path = MIGRATIONS) -> bool:
    """Whether the database is reachable and at exactly this program's revision; raises what the driver raises."""
    from alembic.script import ScriptDirectory

    return set(_revisions(engine)) == set(ScriptDirectory(str(scripts)).get_heads())


def _refuse_newer(directory: ScriptDirectory, revisions: list[str]) -> bool:
    """True when there is nothing to do."""
    known = {script.revision for script in directory.walk_revisions()}
    for revision in revisions:
        if revision not in known:
            raise DatabaseTooNew(revision)
    return set(revisions) == set(directory.get_heads())


def _revisions(engine: Engine) -> list[str]:
    if engine.dialect.name == "sqlite":
        return _sqlite_revisions(Path(engine.url.database or ""))
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return []
        return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _sqlite_revisions(path: Path) -> list[str]:
    """Read through a connection that cannot write: a refused database keeps its bytes, an unfinished log included."""
    if not path.exists() or path.stat().st_size == 0:
        return []
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return []
        return [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise DatabaseUnreadable(f"{path} is no SQLite database: {error}") from error
    finally:
        connection.close()


@contextmanager
def _lock(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite":
        with _postgresql_lock(engine):
            yield
        return
    path = Path(engine.url.database or "")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The database holds password hashes and the installation's secret: its owner's eyes only, its log likewise.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnreadable(f"The database {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _postgresql_lock(engine: Engine) -> Iterator[None]:
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            connection.execute(text(f"SET lock_timeout = {BUSY_SECONDS * 1000}"))
