"""Keeps pings: raw (expires), installation (latest), chains, and roll-ups that grow on arrival, in one transaction."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from flowforge_ui.collector.ping import ALIVE_MS, DAY_MS, HOUR_MS, Chain, Ping, day_of, dimensions, follow, week_of
from flowforge_ui.collector.tables import Tables
from flowforge_ui.database import open_engine, reading, transaction
from flowforge_ui.telemetry.wire import PingPlan, Value

SCHEMA_VERSION = "1"


class StoreTooNew(Exception):
    """The database was written by a newer collector; nothing was touched."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a ping: ``repeated`` means it was here already, under the same receipt."""

    receipt: str
    sha256: str
    received_at: int
    expires_at: int
    repeated: bool


RollUpKey = tuple[str, date, str, str]
K = TypeVar("K", bound=tuple[object, ...])


class PingStore:
    """The collector's database; several receivers may share one (PostgreSQL)."""

    def __init__(self, url: str, plan: PingPlan) -> None:
        self.plan = plan
        self.tables = Tables(plan)
        self.engine = open_engine(url)
        self._columns = {each.path: each.column for each in plan.fields if each.keep and each.path != "instanceId"}

    def prepare(self) -> None:
        """Create what is missing; refuse a database from a newer collector."""
        about = self.tables.about
        if self.engine.dialect.name == "sqlite":
            self._make_sqlite_file()
        with transaction(self.engine) as tx:
            if sa.inspect(tx).has_table(about.name):
                found = tx.execute(sa.select(about.c.value).where(about.c.key == "schema")).scalar()
                if found is not None and int(found) > int(SCHEMA_VERSION):
                    raise StoreTooNew(
                        f"the collector's database has schema {found}, this program knows {SCHEMA_VERSION}"
                    )
            self.tables.metadata.create_all(tx)
            self._upsert(tx, about, {"key": "schema", "value": SCHEMA_VERSION})

    def _make_sqlite_file(self) -> None:
        path = Path(self.engine.url.database or "")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()

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

    def keep(self, tx: sa.Connection, pings: Sequence[Ping]) -> list[Kept]:
        """Keep a group of pings; the answers stand in the order given. Repeats are answered with what is there."""
        counts: Counter[RollUpKey] = Counter()
        hours: Counter[int] = Counter()
        tallies: Counter[tuple[str, str]] = Counter()
        kept: dict[int, Kept] = {}
        # One order for everybody, so that two receivers never wait for each other in a circle.
        for index in sorted(range(len(pings)), key=lambda each: pings[each].instance_id):
            kept[index] = self._keep_one(tx, pings[index], counts, hours, tallies)
        self._add(tx, self.tables.roll_up, {key: n for key, n in counts.items() if n})
        self._add(tx, self.tables.last_heard, {(hour,): n for hour, n in hours.items() if n})
        self._add(tx, self.tables.counter, tallies)
        return [kept[index] for index in range(len(pings))]

    def tally(self, tx: sa.Connection, kind: str, names: Mapping[str, int]) -> None:
        """Add to the counters (``refused``, ``unknown_field``)."""
        self._add(tx, self.tables.counter, {(kind, name): n for name, n in names.items()})

    def _keep_one(
        self,
        tx: sa.Connection,
        ping: Ping,
        counts: Counter[RollUpKey],
        hours: Counter[int],
        tallies: Counter[tuple[str, str]],
    ) -> Kept:
        raw = self.tables.raw
        known = tx.execute(
            sa.select(raw.c.receipt, raw.c.sha256, raw.c.received_at, raw.c.expires_at).where(
                raw.c.instance_id == ping.instance_id, raw.c.period == ping.period
            )
        ).first()
        if known is not None:
            tallies["repeated", ""] += 1
            return Kept(*known, repeated=True)
        before = self._installation(tx, ping)
        chain, copied = self._follow(tx, ping)
        tx.execute(
            raw.insert(),
            {
                "receipt": ping.receipt,
                "instance_id": ping.instance_id,
                "period": ping.period,
                "sha256": ping.sha256,
                "received_at": ping.received_at,
                "expires_at": ping.expires_at,
                "sender_token": ping.token,
                "token_epoch": ping.token_epoch,
                "chain": chain,
                "payload": json.dumps(dict(ping.values), separators=(",", ":")),
            },
        )
        self._count(ping, before, counts, hours, copied=copied)
        self._latest(tx, ping, before, copied=copied)
        self._release(tx, ping, before)
        tallies["taken", ""] += 1
        return Kept(ping.receipt, ping.sha256, ping.received_at, ping.expires_at, repeated=False)

    def _installation(self, tx: sa.Connection, ping: Ping) -> sa.RowMapping | None:
        installation = self.tables.installation
        asked = sa.select(installation).where(installation.c.instance_id == ping.instance_id).with_for_update()
        return tx.execute(asked).mappings().first()

    def _follow(self, tx: sa.Connection, ping: Ping) -> tuple[int, bool]:
        """The chain this ping continues, and whether another copy of the installation is alive beside it."""
        table, raw = self.tables.chain, self.tables.raw
        rows = tx.execute(
            sa.select(table.c.chain, table.c.head, table.c.seq, table.c.last_seen)
            .where(table.c.instance_id == ping.instance_id)
            .order_by(table.c.chain)
        )
        chains = [Chain(*row) for row in rows]
        known = None
        if ping.last_receipt and all(each.head != ping.last_receipt for each in chains) and chains:
            number = tx.execute(
                sa.select(raw.c.chain).where(raw.c.receipt == ping.last_receipt, raw.c.instance_id == ping.instance_id)
            ).scalar()
            known = next((each for each in chains if each.number == number), None)
        chain = follow(chains, ping, known)
        self._upsert(
            tx,
            table,
            {
                "instance_id": ping.instance_id,
                "chain": chain,
                "head": ping.receipt,
                "seq": ping.seq or 0,
                "last_seen": ping.received_at,
            },
        )
        others = (each for each in chains if each.number != chain)
        return chain, any(ping.received_at - each.last_seen <= ALIVE_MS for each in others)

    def _count(
        self,
        ping: Ping,
        before: sa.RowMapping | None,
        counts: Counter[RollUpKey],
        hours: Counter[int],
        *,
        copied: bool,
    ) -> None:
        day, week = ping.day, week_of(ping.day)
        last = day_of(before["last_seen"]) if before is not None else None
        under = dimensions(ping.values)
        if before is None:
            under["new"] = ""
        for grain, start, seen in (
            ("day", day, last == day),
            ("week", week, last is not None and week_of(last) == week),
        ):
            if not seen:
                counts.update((grain, start, dimension, value) for dimension, value in under.items())
        if copied and (before is None or before["copied_day"] != day):
            counts["day", day, "copied", ""] += 1
        hours[ping.received_at // HOUR_MS] += 1
        if before is not None:
            hours[before["last_seen"] // HOUR_MS] -= 1

    def _latest(self, tx: sa.Connection, ping: Ping, before: sa.RowMapping | None, *, copied: bool) -> None:
        row: dict[str, Value | date | None] = {
            "instance_id": ping.instance_id,
            "first_seen": ping.received_at if before is None else before["first_seen"],
            "last_seen": ping.received_at if before is None else max(ping.received_at, before["last_seen"]),
            # The first ping's word stands: nobody can claim an installation later.
            "secret_hash": ping.secret_hash if before is None else before["secret_hash"],
            "copied_day": ping.day if copied else (before["copied_day"] if before is not None else None),
        }
        row |= {column: ping.values.get(path) for path, column in self._columns.items()}
        self._upsert(tx, self.tables.installation, row)

    def _release(self, tx: sa.Connection, ping: Ping, before: sa.RowMapping | None) -> None:
        version = ping.values.get("env.flowforge")
        if version is None or (before is not None and before["env_flowforge"] == version):
            return
        release = self.tables.release
        insert = self._insert(release).values(version=version, first_seen=ping.received_at)
        tx.execute(insert.on_conflict_do_nothing())
        if before is not None and before["env_flowforge"] is not None:
            out = tx.execute(sa.select(release.c.first_seen).where(release.c.version == version)).scalar_one()
            days = max(0, ping.received_at - out) // DAY_MS
            self._add(tx, self.tables.upgrade_lag, {(version, days): 1})

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
        self._add(tx, self.tables.last_heard, {(last // HOUR_MS,): -1})

    # SQL -------------------------------------------------------------------------------------------------------

    def _insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        return sqlite.insert(table) if self.engine.dialect.name == "sqlite" else postgresql.insert(table)

    def _upsert(self, tx: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> None:
        keys = [each.name for each in table.primary_key]
        insert = self._insert(table)
        rest = {name: insert.excluded[name] for name in row if name not in keys}
        tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest), dict(row))

    def _add(self, tx: sa.Connection, table: sa.Table, amounts: Mapping[K, int]) -> None:
        """Add to the counts ``n`` of a table keyed by all its other columns."""
        keys = [each.name for each in table.primary_key]
        insert = self._insert(table)
        adding = insert.on_conflict_do_update(index_elements=keys, set_={"n": table.c.n + insert.excluded.n})
        rows: Iterable[dict[str, object]] = (
            {**dict(zip(keys, key, strict=True)), "n": amounts[key]} for key in sorted(amounts, key=repr)
        )
        listed = list(rows)
        if listed:
            tx.execute(adding, listed)


def _plain(row: sa.RowMapping) -> dict[str, object]:
    """With keys that are plain text, as JSON wants them."""
    return {str(key): value for key, value in row.items()}
