"""Keeps pings: raw (expires), installation (latest), chains, and roll-ups that grow on arrival, in one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from flowforge_ui.collector.keeping import Asking, Group, Kept
from flowforge_ui.collector.ping import HOUR_MS, Ping
from flowforge_ui.collector.tables import Tables
from flowforge_ui.database import open_engine, reading, serialise, transaction
from flowforge_ui.telemetry.wire import PingPlan

SCHEMA_VERSION = "1"
# Seconds for a lock, and for a connection.
BUSY_S = 2
# Names that nobody asked for are whatever anybody sends; the list of them ends somewhere.
MOST_NAMES = 500
OTHERS = "(others)"
_PREPARING = 0x636F6C6C6563746F  # one number for every receiver on a PostgreSQL database


class StoreTooNew(Exception):
    """The database was written by a newer collector; nothing was touched."""


K = TypeVar("K", bound=tuple[object, ...])


class PingStore:
    """The collector's database; several receivers may share one (PostgreSQL)."""

    def __init__(self, url: str, plan: PingPlan) -> None:
        self.plan = plan
        self.tables = Tables(plan)
        self.engine = open_engine(url)
        self.asking = Asking(self.tables)
        self.scrubbed = True
        self._statements = _Statements(self.tables, self.engine.dialect.name)
        self.columns = {each.path: each.column for each in plan.fields if each.keep and each.path != "instanceId"}

        sa.event.listen(self.engine, "do_connect", _be_impatient)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _overwrite_what_is_deleted)

    def prepare(self) -> None:
        """Create what is missing; refuse a database from a newer collector."""
        about = self.tables.about
        if self.engine.dialect.name == "sqlite":
            self._make_sqlite_file()
        with transaction(self.engine) as tx:
            serialise(tx, _PREPARING)
            if sa.inspect(tx).has_table(about.name):
                found = tx.execute(sa.select(about.c.value).where(about.c.key == "schema")).scalar()
                if found is not None and int(found) > int(SCHEMA_VERSION):
                    raise StoreTooNew(
                        f"the collector's database has schema {found}, this program knows {SCHEMA_VERSION}"
                    )
            self.tables.metadata.create_all(tx)
            self._add_columns(tx)
            self.upsert(tx, about, [{"key": "schema", "value": SCHEMA_VERSION}])

    def _add_columns(self, tx: sa.Connection) -> None:
        """What has come to the plan, or to our own tables, since the database was made; all of it may be NULL."""
        inspector = sa.inspect(tx)
        for table in self.tables.metadata.sorted_tables:
            there = {each["name"] for each in inspector.get_columns(table.name)}
            name = tx.dialect.identifier_preparer.format_table(table)
            for column in table.columns:
                if column.name not in there:
                    as_sql = sa.schema.CreateColumn(column).compile(dialect=tx.dialect)
                    tx.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {as_sql}")

    def _make_sqlite_file(self) -> None:
        path = Path(self.engine.url.database or "")
        statement = "PRAGMA journal_mode = WAL"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
                connection.execute(statement)
        except (OSError, sqlite3.Error) as error:  # not for us to write to; another program's, or damaged
            raise sa.exc.DatabaseError(statement, None, error) from None

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that writes."""
        return transaction(self.engine)

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that reads."""
        return reading(self.engine)

    # Receiving -------------------------------------------------------------------------------------------------

    def keep(self, tx: sa.Connection, pings: Sequence[Ping], now_ms: int = 0) -> list[Kept]:
        """Keep a group of pings; the answers stand in the order given. Repeats are answered with what is there.

        Raw pings whose time is over at ``now_ms`` are counted and not stored.
        """
        return Group(self, tx, pings, now_ms).keep()

    def tally(self, tx: sa.Connection, kind: str, names: Mapping[str, int]) -> None:
        """Add to the counters (``refused``, ``unknown_field``); names beyond MOST_NAMES of a kind go under OTHERS."""
        if not names:
            return
        counter = self.tables.counter
        known = set(tx.execute(sa.select(counter.c.name).where(counter.c.kind == kind)).scalars())
        room = MOST_NAMES - len(known - {OTHERS})
        named = known | set(sorted(names.keys() - known - {OTHERS})[: max(0, room)])
        amounts: Counter[tuple[str, str]] = Counter()
        for name, n in names.items():
            amounts[kind, name if name in named else OTHERS] += n
        self.add(tx, counter, amounts)

    def reserve(self, tx: sa.Connection, ids: Collection[str]) -> set[str]:
        """Rows for those of the installations that nobody knows yet; which they are.

        On PostgreSQL two receivers may hear of a new one together: whoever comes second waits here, and then knows it.
        """
        if tx.dialect.name == "sqlite" or not ids:
            return set()
        rows = [{"instance_id": each, "first_seen": 0, "last_seen": 0} for each in sorted(ids)]
        return set(tx.execute(self._statements.reserve, rows).scalars())

    # Keeping in order ------------------------------------------------------------------------------------------

    def expire(self, tx: sa.Connection, now_ms: int) -> int:
        """Forget raw pings past their time; how many."""
        raw = self.tables.raw
        return tx.execute(raw.delete().where(raw.c.expires_at <= now_ms)).rowcount

    def held(self, tx: sa.Connection, instance_id: str) -> tuple[dict[str, object] | None, list[dict[str, object]]]:
        """Everything held of one installation: its row and its raw pings, oldest first."""
        installation, raw = self.tables.installation, self.tables.raw
        row = tx.execute(sa.select(installation).where(installation.c.instance_id == instance_id)).mappings().first()
        pings = tx.execute(sa.select(raw).where(raw.c.instance_id == instance_id).order_by(raw.c.received_at))
        return None if row is None else _plain(row), [_plain(each) for each in pings.mappings()]

    def copies(self, tx: sa.Connection, instance_id: str) -> list[dict[str, object]]:
        """What is remembered of each copy of an installation, by which the next ping is told from another copy's."""
        chain = self.tables.chain
        found = tx.execute(sa.select(chain).where(chain.c.instance_id == instance_id).order_by(chain.c.chain))
        return [_plain(each) for each in found.mappings()]

    def erase(self, tx: sa.Connection, instance_id: str) -> None:
        """Forget one installation. Roll-ups hold no ids and stay."""
        installation = self.tables.installation
        last = tx.execute(
            sa.select(installation.c.last_seen).where(installation.c.instance_id == instance_id).with_for_update()
        ).scalar()
        if last is None:
            return
        for table in (self.tables.raw, self.tables.chain, installation):
            tx.execute(table.delete().where(table.c.instance_id == instance_id))
        self.add(tx, self.tables.last_heard, {(last // HOUR_MS,): -1})

    def scrub(self, *, wait: bool = True) -> None:
        """What was deleted leaves the disk: SQLite's log of changes, too, is emptied.

        Not while somebody reads an older state of the database: ``scrubbed`` says whether it is to be tried again.
        Whoever waits for that to end holds up those that write.
        """
        if self.engine.dialect.name == "sqlite":
            self.scrubbed = False
            with self.engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_S * 1000 if wait else 0}")
                busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
            self.scrubbed = not busy

    # SQL -------------------------------------------------------------------------------------------------------

    def upsert(self, tx: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert whole rows, or replace what stands under their keys."""
        if rows:
            tx.execute(self._statements.upsert[table.name], [dict(each) for each in rows])

    def add_missing(self, tx: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows whose keys are not there yet."""
        if rows:
            tx.execute(self._statements.add_missing[table.name], [dict(each) for each in rows])

    def add(self, tx: sa.Connection, table: sa.Table, amounts: Mapping[K, int]) -> None:
        """Add to the counts ``n`` of a table keyed by all its other columns."""
        if not amounts:
            return
        keys = [each.name for each in table.primary_key]
        tx.execute(
            self._statements.add[table.name],
            [{**dict(zip(keys, key, strict=True)), "n": amounts[key]} for key in sorted(amounts, key=repr)],
        )


class _Statements:
    """Built once: putting one together costs as much as running it."""

    def __init__(self, tables: Tables, dialect: str) -> None:
        insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
        self.upsert: dict[str, sa.Insert] = {}
        self.add_missing: dict[str, sa.Insert] = {}
        self.add: dict[str, sa.Insert] = {}
        self.reserve = insert(tables.installation).on_conflict_do_nothing().returning(tables.installation.c.instance_id)
        for table in tables.metadata.sorted_tables:
            keys = [each.name for each in table.primary_key]
            new = insert(table)
            rest = {each.name: new.excluded[each.name] for each in table.columns if each.name not in keys}
            self.upsert[table.name] = new.on_conflict_do_update(index_elements=keys, set_=rest)
            self.add_missing[table.name] = insert(table).on_conflict_do_nothing()
            if set(rest) == {"n"}:
                more = {"n": table.c.n + new.excluded.n}
                self.add[table.name] = insert(table).on_conflict_do_update(index_elements=keys, set_=more)


def _be_impatient(dialect: sa.Dialect, _record: object, _arguments: object, options: dict[str, object]) -> None:
    """A database that somebody holds locked, or that does not answer, is away: the spool is there for that."""
    if dialect.name == "sqlite":
        options["timeout"] = BUSY_S
    else:
        options["connect_timeout"] = BUSY_S
        options["options"] = f"{options.get('options', '')} -c lock_timeout={BUSY_S * 1000}"


def _overwrite_what_is_deleted(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA secure_delete = ON").close()


def _plain(row: sa.RowMapping) -> dict[str, object]:
    """With keys that are plain text, as JSON wants them."""
    return {str(key): value for key, value in row.items()}
