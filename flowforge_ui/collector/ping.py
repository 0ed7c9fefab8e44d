"""A received ping as the collector keeps it, and the pure rules about it: receipt, sizes, chains."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flowforge_ui.telemetry.wire import Reading, Value

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Two copies are both alive when both were heard within this time.
ALIVE_MS = 48 * HOUR_MS
# Copies of one installation that are told apart: whoever makes up histories shall not slow down the next ping.
MOST_CHAINS = 8

# What tells one runtime from the next: Node changes with the first number. Closed, as roll-ups are kept for good.
_RUNTIMES = {"python": re.compile(r"v?([2-4]\.\d{1,2})(?!\d)"), "node": re.compile(r"v?([1-9]\d?)(?!\d)")}
_SIZES = ((0, "0"), (1, "1"), (5, "2-5"), (20, "6-20"), (100, "21-100"), (500, "101-500"), (2_000, "501-2000"))


@dataclass(frozen=True, slots=True)
class Ping:
    """One ping after every check. Times are ms since the epoch; ``values`` by the plan's paths."""

    instance_id: str
    period: str
    sha256: str
    receipt: str
    received_at: int
    expires_at: int
    token: str | None
    token_epoch: int | None
    seq: int | None
    last_receipt: str | None
    secret_hash: str | None
    values: Mapping[str, Value]

    @property
    def day(self) -> date:
        return day_of(self.received_at)


@dataclass(frozen=True, slots=True)
class Chain:
    """One copy of an installation: the last receipt it was given, the number and the period of its last ping."""

    number: int
    head: str
    seq: int
    last_seen: int
    period: str | None = None


def receipt_of(instance_id: str, period: str) -> str:
    """The same ping has the same receipt, whichever receiver took it and whether or not a database was there."""
    return hashlib.sha256(f"{instance_id}|{period}".encode()).hexdigest()[:32]


def make(  # one call turns a reading into a row
    reading: Reading, body: bytes, *, now: datetime, retention_days: int, token: tuple[str, int] | None
) -> Ping:
    """Reading and circumstances -> Ping. Older platforms name no period: theirs is the hour."""
    instance_id = str(reading.values["instanceId"])
    envelope = reading.envelope
    period = str(envelope.get("period") or f"older-{now:%Y-%m-%dT%H}")
    received_at = int(now.timestamp() * 1000)
    seq = envelope.get("seq")
    return Ping(
        instance_id=instance_id,
        period=period,
        sha256=hashlib.sha256(body).hexdigest(),
        receipt=receipt_of(instance_id, period),
        received_at=received_at,
        expires_at=received_at + retention_days * DAY_MS,
        token=token[0] if token else None,
        token_epoch=token[1] if token else None,
        seq=int(seq) if seq is not None else None,
        last_receipt=_text(envelope.get("lastReceipt")),
        secret_hash=_text(envelope.get("secretHash")),
        values=reading.values,
    )


def follow(chains: Sequence[Chain], ping: Ping, known: Chain | None) -> int:
    """The number of the chain this ping continues; a number not in ``chains`` means a copy has appeared.

    Beyond MOST_CHAINS a copy takes the place of the one that has been silent longest.

    ``known`` is the chain that was given the receipt the ping names, where it is not the head of any (an answer got
    lost on the way). A sender numbers its pings upwards, so a number already used under that receipt is another copy.
    """
    if not chains or ping.seq is None:
        return chains[0].number if chains else 0
    candidate = _candidate(chains, ping, known) or chains[0]
    if ping.seq > candidate.seq:
        return candidate.number
    if len(chains) >= MOST_CHAINS:
        return min(chains, key=lambda each: (each.last_seen, each.number)).number
    return max(each.number for each in chains) + 1


def late(chains: Sequence[Chain], ping: Ping, known: Chain | None) -> Chain | None:
    """The chain that had gone on already when this ping came: carried by hand, or out of a spool. None: it is not late.

    A copy's pings have periods of their own day; a late one is older than what its chain has sent since.
    """
    if not chains:
        return None
    if ping.seq is None:
        return chains[0] if ping.received_at < chains[0].last_seen else None
    chain = _candidate(chains, ping, known) or (chains[0] if ping.last_receipt is None else None)
    if chain is None or ping.seq >= chain.seq:
        return None
    older = chain.period is not None and hour_of(ping.period) < hour_of(chain.period)
    return chain if older or ping.received_at < chain.last_seen else None


def hour_of(period: str) -> str:
    """The part of a period's name that sorts by time."""
    return period[:13]


def _candidate(chains: Sequence[Chain], ping: Ping, known: Chain | None) -> Chain | None:
    return next((each for each in chains if each.head == ping.last_receipt), known)


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Sorts 0.10.0 after 0.9.0 and a release after its candidates."""
    main, dash, rest = version.removeprefix("v").partition("-")
    return tuple(int(each) if each.isdigit() else 0 for each in main.split(".")), not dash, rest


def dimensions(values: Mapping[str, Value]) -> dict[str, str]:
    """What the roll-ups count an installation under; ``all`` counts it once."""
    found = {"all": ""}
    for dimension, path in (
        ("version", "env.flowforge"),
        ("os", "os.type"),
        ("arch", "os.arch"),
        ("driver", "platform.config.driver"),
    ):
        if path in values:
            found[dimension] = str(values[path])
    for runtime, path in (("python", "env.python"), ("node", "env.nodejs")):
        if path in values:
            known = _RUNTIMES[runtime].match(str(values[path]))
            found["runtime"] = f"{runtime} {known.group(1)}" if known else "other"
    for name in ("users", "teams", "projects"):
        count = values.get(f"platform.counts.{name}")
        if isinstance(count, int):
            found[name] = size(count)
    return found


def size(count: int) -> str:
    """The bucket of a count, the way the size histogram names it."""
    return next((name for top, name in _SIZES if count <= top), "2001+")


SIZE_ORDER = (*(name for _, name in _SIZES), "2001+")


def day_of(ms: int) -> date:
    """UTC day of a time in ms."""
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)
