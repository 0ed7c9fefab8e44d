"""Versions that are told apart: so many at a time. Roll-ups are kept for good, and anybody may send anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from flowforge_ui.collector.ping import Ping

if TYPE_CHECKING:
    from flowforge_ui.collector.store import PingStore

# Later ones count as "other", until one of these has not been heard for a day and makes room.
MOST_VERSIONS = 1_000


@dataclass(frozen=True, slots=True)
class Versions:
    """What a group of pings says of versions: ``first`` tells when each that has a name was heard first, in ms."""

    first: Mapping[str, int]
    new: Mapping[str, int]
    heard: Mapping[str, date]
    """The last day of each that was not heard on that day yet."""

    def write(self, store: PingStore, tx: sa.Connection) -> None:
        """Keep what is new."""
        release = store.tables.release
        again = [{"of": each, "day": day} for each, day in sorted(self.heard.items()) if each not in self.new]
        if again:
            asked = release.update().where(release.c.version == sa.bindparam("of"))
            tx.execute(asked.values(last_day=sa.bindparam("day")), again)
        rows = [{"version": each, "first_seen": self.new[each], "last_day": self.heard[each]} for each in self.new]
        store.add_missing(tx, release, sorted(rows, key=lambda row: str(row["version"])))


def version_of(ping: Ping) -> str | None:
    """The version a ping names."""
    found = ping.values.get("env.flowforge")
    return None if found is None else str(found)


def read_versions(store: PingStore, tx: sa.Connection, pings: Sequence[Ping]) -> Versions:
    """What is known of the versions these pings name, and which of the others get a name."""
    first: dict[str, int] = {}
    days: dict[str, date] = {}
    for each in pings:
        if (version := version_of(each)) is not None:
            first[version] = min(each.received_at, first.get(version, each.received_at))
            days[version] = max(each.day, days.get(version, each.day))
    if not first:
        return Versions({}, {}, {})
    known: dict[str, int] = {}
    for version, first_seen, last_day in tx.execute(store.asking.releases, {"among": sorted(first)}):
        known[version] = first_seen
        if last_day is not None and last_day >= days[version]:
            del days[version]
    unheard = sorted((at, version) for version, at in first.items() if version not in known)
    room = len(unheard) and max(0, MOST_VERSIONS - tx.execute(store.asking.versions).scalar_one())
    if room < len(unheard):
        room += _make_room(store, tx, len(unheard) - room, spared=known, day=max(each.day for each in pings))
    new = {version: at for at, version in unheard[:room]}
    named = {**known, **new}
    return Versions(named, new, {version: day for version, day in days.items() if version in named})


def _make_room(store: PingStore, tx: sa.Connection, wanted: int, *, spared: Mapping[str, int], day: date) -> int:
    """Names that nobody sends any more are given up, the longest silent first; how many."""
    release = store.tables.release
    silent = sa.or_(release.c.last_day.is_(None), release.c.last_day < day - timedelta(days=1))
    oldest = (
        sa.select(release.c.version)
        .where(silent, release.c.version.not_in(sorted(spared)))
        .order_by(release.c.last_day.nulls_first(), release.c.version)
        .limit(wanted)
    )
    gone = list(tx.execute(oldest).scalars())
    if gone:
        tx.execute(release.delete().where(release.c.version.in_(gone)))
    return len(gone)
