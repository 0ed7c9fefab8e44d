"""Keeping a group of pings in one transaction: a few reads, decisions in memory, a few writes, however many."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from flowforge_ui.collector.ping import (
    ALIVE_MS,
    DAY_MS,
    HOUR_MS,
    Chain,
    Ping,
    day_of,
    dimensions,
    follow,
    late,
    version_key,
    week_of,
)
from flowforge_ui.collector.versions import Versions, read_versions, version_of

if TYPE_CHECKING:
    from flowforge_ui.collector.store import PingStore
    from flowforge_ui.collector.tables import Tables

RollUpKey = tuple[str, date, str, str]
# SQLite takes 32 766 values in one statement; fewer keep each statement quick to put together.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a ping: ``repeated`` means it was here already, under the same receipt."""

    receipt: str
    sha256: str
    received_at: int
    expires_at: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Installation:
    """What the next ping of an installation is judged by.

    ``highest`` is the highest version it ever had, ``latest`` the ping whose values stand (None: those that are kept).
    """

    first_seen: int
    last_seen: int
    secret_hash: str | None
    copied_day: date | None
    highest: str | None
    latest: Ping | None = None


class Asking:
    """What a group asks, each question built once; ``among`` are the values asked for."""

    def __init__(self, tables: Tables) -> None:
        among: sa.BindParameter[str] = sa.bindparam("among", expanding=True)
        raw, installation, chain, release = tables.raw, tables.installation, tables.chain, tables.release
        self.known = sa.select(raw.c.receipt, raw.c.sha256, raw.c.received_at, raw.c.expires_at).where(
            raw.c.receipt.in_(among)
        )
        self.chain_of = sa.select(raw.c.receipt, raw.c.instance_id, raw.c.chain).where(raw.c.receipt.in_(among))
        # The order in which rows are locked.
        self.installations = (
            sa.select(
                installation.c.instance_id,
                installation.c.first_seen,
                installation.c.last_seen,
                installation.c.secret_hash,
                installation.c.copied_day,
                sa.func.coalesce(installation.c.highest, installation.c.env_flowforge),
            )
            .where(installation.c.instance_id.in_(among))
            .order_by(installation.c.instance_id)
            .with_for_update()
        )
        self.chains = (
            sa.select(chain.c.instance_id, chain.c.chain, chain.c.head, chain.c.seq, chain.c.last_seen, chain.c.period)
            .where(chain.c.instance_id.in_(among))
            .order_by(chain.c.instance_id, chain.c.chain)
        )
        self.releases = sa.select(release.c.version, release.c.first_seen, release.c.last_day).where(
            release.c.version.in_(among)
        )
        self.versions = sa.select(sa.func.count()).select_from(release)
        self.heard = (
            installation.update()
            .where(installation.c.instance_id == sa.bindparam("of"))
            .values({each: sa.bindparam(each) for each in ("last_seen", "copied_day", "highest")})
        )


@dataclass
class Group:
    """One group of pings; ``keep`` once. Pings of one installation stand in the order they came.

    Raw pings whose time is over at ``now_ms`` are counted and not stored.
    """

    store: PingStore
    tx: sa.Connection
    pings: Sequence[Ping]
    now_ms: int = 0
    _known: dict[str, Kept] = field(default_factory=dict)
    _installations: dict[str, _Installation] = field(default_factory=dict)
    _chains: dict[str, dict[int, Chain]] = field(default_factory=lambda: defaultdict(dict))
    _chain_of: dict[tuple[str, str], int] = field(default_factory=dict)
    _versions: Versions = field(default_factory=lambda: Versions({}, {}, {}))
    _raw: list[dict[str, object]] = field(default_factory=list)
    _touched: set[str] = field(default_factory=set)
    _touched_chains: set[tuple[str, int]] = field(default_factory=set)
    _counts: Counter[RollUpKey] = field(default_factory=Counter)
    _hours: Counter[int] = field(default_factory=Counter)
    _lags: Counter[tuple[str, int]] = field(default_factory=Counter)
    _tallies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def keep(self) -> list[Kept]:
        """Keep them all; the answers stand in the order given."""
        kept: dict[int, Kept] = {}
        self._read()
        # One order for everybody, so that two receivers never wait for each other in a circle.
        for index in sorted(range(len(self.pings)), key=lambda each: self.pings[each].instance_id):
            kept[index] = self._one(self.pings[index])
        self._write()
        return [kept[index] for index in range(len(self.pings))]

    # Reading ---------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        asking = self.store.asking
        for row in self._among(asking.known, {each.receipt for each in self.pings}):
            self._known[row.receipt] = Kept(row.receipt, row.sha256, row.received_at, row.expires_at, repeated=True)
        fresh = [each for each in self.pings if each.receipt not in self._known]
        ids = {each.instance_id for each in fresh}
        new = self.store.reserve(self.tx, ids)
        for row in self._among(asking.installations, ids - new):
            self._installations[row.instance_id] = _Installation(*row[1:])
        if self._installations:
            self._read_chains(ids & self._installations.keys())
        self._versions = read_versions(self.store, self.tx, fresh)

    def _read_chains(self, ids: Collection[str]) -> None:
        for row in self._among(self.store.asking.chains, ids):
            self._chains[row.instance_id][row.chain] = Chain(*row[1:])
        heads = {chain.head for chains in self._chains.values() for chain in chains.values()}
        named = {each.last_receipt for each in self.pings if each.last_receipt and each.instance_id in self._chains}
        for row in self._among(self.store.asking.chain_of, named - heads):
            self._chain_of[row.instance_id, row.receipt] = row.chain

    def _among(self, asked: sa.Select[Any], values: Collection[str | None]) -> Iterator[Any]:
        listed = sorted(each for each in values if each is not None)
        for start in range(0, len(listed), AT_ONCE):
            yield from self.tx.execute(asked, {"among": listed[start : start + AT_ONCE]})

    # Deciding --------------------------------------------------------------------------------------------------

    def _one(self, ping: Ping) -> Kept:
        known = self._known.get(ping.receipt)
        if known is not None:
            self._tallies["repeated", ""] += 1
            return known
        before = self._installations.get(ping.instance_id)
        overtaken_by = self._late(ping)
        chain, copied = self._follow(ping) if overtaken_by is None else (overtaken_by.number, False)
        if ping.expires_at > self.now_ms:
            self._raw.append(_raw_row(ping, chain))
        if overtaken_by is None:
            self._count(ping, before, copied=copied)
            self._count_upgrade(ping, before)
            self._installations[ping.instance_id] = _after(ping, before, copied=copied)
            self._touched.add(ping.instance_id)
        self._chain_of[ping.instance_id, ping.receipt] = chain
        self._tallies["taken", ""] += 1
        kept = Kept(ping.receipt, ping.sha256, ping.received_at, ping.expires_at, repeated=False)
        self._known[ping.receipt] = replace(kept, repeated=True)
        return kept

    def _late(self, ping: Ping) -> Chain | None:
        """The chain that has gone on since this ping was made: what it says is over, and tells nothing of copies."""
        return late(tuple(self._chains[ping.instance_id].values()), ping, self._named(ping))

    def _named(self, ping: Ping) -> Chain | None:
        """The chain that was given the receipt this ping names."""
        number = self._chain_of.get((ping.instance_id, ping.last_receipt or ""), -1)
        return self._chains[ping.instance_id].get(number)

    def _follow(self, ping: Ping) -> tuple[int, bool]:
        """The chain this ping continues, and whether another copy of the installation is alive beside it."""
        chains = self._chains[ping.instance_id]
        number = follow(tuple(chains.values()), ping, self._named(ping))
        copied = any(ping.received_at - each.last_seen <= ALIVE_MS for each in chains.values() if each.number != number)
        chains[number] = Chain(number, ping.receipt, ping.seq or 0, ping.received_at, ping.period)
        self._touched_chains.add((ping.instance_id, number))
        return number, copied

    def _count(self, ping: Ping, before: _Installation | None, *, copied: bool) -> None:
        day, week = ping.day, week_of(ping.day)
        last = day_of(before.last_seen) if before is not None else None
        under = dimensions(ping.values)
        if "version" in under and under["version"] not in self._versions.first:
            under["version"] = "other"
        if before is None:
            under["new"] = ""
        # One that comes late, out of the spool, after a later one: its day was counted, or nobody can tell any more.
        for grain, start, seen in (
            ("day", day, last is not None and last >= day),
            ("week", week, last is not None and week_of(last) >= week),
        ):
            if not seen:
                self._counts.update((grain, start, dimension, value) for dimension, value in under.items())
        if copied and (before is None or before.copied_day != day):
            self._counts["day", day, "copied", ""] += 1
        if before is None:
            self._hours[ping.received_at // HOUR_MS] += 1
        elif ping.received_at > before.last_seen:
            self._hours[ping.received_at // HOUR_MS] += 1
            self._hours[before.last_seen // HOUR_MS] -= 1

    def _count_upgrade(self, ping: Ping, before: _Installation | None) -> None:
        """Going back, or to and fro between two copies, is none."""
        version = version_of(ping)
        if before is None or before.highest is None or version is None or version not in self._versions.first:
            return
        if version_key(version) <= version_key(before.highest):
            return
        out = min(self._versions.first[version], ping.received_at)
        self._lags[version, (ping.received_at - out) // DAY_MS] += 1

    # Writing ---------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        store, tables = self.store, self.store.tables
        if self._raw:
            self.tx.execute(tables.raw.insert(), self._raw)
        if self._touched:
            changed = {each: self._installations[each] for each in sorted(self._touched)}
            whole = [self._row(each) for each, now in changed.items() if now.latest is not None]
            store.upsert(self.tx, tables.chain, [self._chain_row(*each) for each in sorted(self._touched_chains)])
            store.upsert(self.tx, tables.installation, whole)
            if len(whole) < len(changed):
                seen = [_seen_row(each, now) for each, now in changed.items() if now.latest is None]
                self.tx.execute(store.asking.heard, seen)
        self._versions.write(store, self.tx)
        store.add(self.tx, tables.upgrade_lag, self._lags)
        store.add(self.tx, tables.roll_up, {key: n for key, n in self._counts.items() if n})
        store.add(self.tx, tables.last_heard, {(hour,): n for hour, n in self._hours.items() if n})
        store.add(self.tx, tables.counter, self._tallies)

    def _chain_row(self, instance_id: str, number: int) -> dict[str, object]:
        chain = self._chains[instance_id][number]
        return {
            "instance_id": instance_id,
            "chain": number,
            "head": chain.head,
            "seq": chain.seq,
            "last_seen": chain.last_seen,
            "period": chain.period,
        }

    def _row(self, instance_id: str) -> dict[str, object]:
        now = self._installations[instance_id]
        values: Mapping[str, object] = now.latest.values if now.latest is not None else {}
        return {
            "instance_id": instance_id,
            "first_seen": now.first_seen,
            "last_seen": now.last_seen,
            "secret_hash": now.secret_hash,
            "copied_day": now.copied_day,
            "highest": now.highest,
            **{column: values.get(path) for path, column in self.store.columns.items()},
        }


def _after(ping: Ping, before: _Installation | None, *, copied: bool) -> _Installation:
    version = version_of(ping)
    if before is None:
        day = ping.day if copied else None
        return _Installation(ping.received_at, ping.received_at, ping.secret_hash, day, version, ping)
    return _Installation(
        first_seen=before.first_seen,
        last_seen=max(ping.received_at, before.last_seen),
        secret_hash=before.secret_hash,  # the first ping's word stands: nobody can claim an installation later
        copied_day=ping.day if copied else before.copied_day,
        highest=max((each for each in (before.highest, version) if each is not None), key=version_key, default=None),
        latest=ping if ping.received_at >= before.last_seen else before.latest,
    )


def _seen_row(instance_id: str, now: _Installation) -> dict[str, object]:
    return {"of": instance_id, "last_seen": now.last_seen, "copied_day": now.copied_day, "highest": now.highest}


def _raw_row(ping: Ping, chain: int) -> dict[str, object]:
    return {
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
    }
