"""A made-up fleet, ping by ping: upgrades that take their time, copies, silence, loss, a burst after a release.

Pure: the same seed and end give the same pings.
"""

from __future__ import annotations

import hashlib
import math
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flowforge_ui.collector.ping import DAY_MS, Ping, receipt_of
from flowforge_ui.telemetry.wire import Value

T = TypeVar("T")

DAYS = 120
SIZE = 5_000
# Raw pings of the demonstration are kept this long; the dashboards read roll-ups.
RAW_DAYS = 2

# Version and the day it came out, counted from the first day; those before it were there already.
RELEASES = (
    ("0.6.0", -400),
    ("0.7.0", -260),
    ("0.8.0", -150),
    ("0.8.4", -60),
    ("0.9.0", 22),
    ("0.9.1", 31),
    ("1.0.0", 74),
    ("1.0.1", 82),
    ("1.1.0", 105),
)
BURST_DAY = 74
_FIRST_WITH_PYTHON = "0.9.0"
# Share of installations, and the mean number of days until they take a release up; None never does.
_HABITS: tuple[tuple[float, float | None], ...] = ((0.25, 3.0), (0.40, 18.0), (0.25, 60.0), (0.10, None))
_SYSTEMS = (
    (0.80, ("Linux", ("6.1.0-18", "6.8.0-45", "5.15.0-122"), ((0.80, "x64"), (0.17, "arm64"), (0.03, "arm")))),
    (0.10, ("Windows_NT", ("10.0.19045", "10.0.22631", "10.0.26100"), ((0.97, "x64"), (0.03, "arm64")))),
    (0.09, ("Darwin", ("23.6.0", "24.1.0", "24.5.0"), ((0.78, "arm64"), (0.22, "x64")))),
    (0.01, ("FreeBSD", ("14.1", "13.4"), ((1.0, "x64"),))),
)
_DRIVERS = ((0.71, "localfs"), (0.17, "docker"), (0.12, "kubernetes"))
_PYTHONS = ((0.26, "3.11.9"), (0.44, "3.12.7"), (0.24, "3.13.1"), (0.06, "3.14.0"))
_NODES = ((0.55, "16.20.2"), (0.35, "18.19.1"), (0.10, "14.21.3"))


@dataclass(frozen=True, slots=True)
class _Life:
    """One installation as it is drawn: days count from the first one, ends are exclusive."""

    instance_id: str
    secret_hash: str
    born: int
    ends: int
    second_of_day: int
    upgrades: tuple[tuple[int, str], ...]
    pauses: tuple[tuple[int, int], ...]
    weekdays_only: bool
    copied_on: int | None
    fixed: dict[str, Value]
    runtime: tuple[str, str]
    users: float
    growth: float


@dataclass
class _Copy:
    """What one copy of an installation remembers: its number and its last receipt."""

    seq: int = 0
    receipt: str | None = None


@dataclass
class Fleet:
    """``days`` yields each day's pings, oldest first, up to ``end`` (aware UTC)."""

    end: datetime
    seed: int = 1
    size: int = SIZE
    _copies: dict[tuple[str, int], _Copy] = field(default_factory=dict)

    @property
    def first_day(self) -> datetime:
        return datetime.combine(self.end.date() - timedelta(days=DAYS - 1), datetime.min.time(), UTC)

    def days(self) -> Iterator[list[Ping]]:
        """The pings of each day, in the order they came."""
        chance = random.Random(self.seed)  # noqa: S311 - nobody shall be surprised by it
        lives = [_draw(chance, born) for born in _births(chance, self.size)]
        for day in range(DAYS):
            midnight = self.first_day + timedelta(days=day)
            pings = [each for life in lives for each in self._of_a_day(life, day, midnight, chance)]
            pings.sort(key=lambda each: (each.received_at, each.instance_id))
            yield pings

    def _of_a_day(self, life: _Life, day: int, midnight: datetime, chance: random.Random) -> Iterator[Ping]:
        if not life.born <= day < life.ends or any(start <= day < end for start, end in life.pauses):
            return
        if life.weekdays_only and midnight.weekday() >= 5:
            return
        for copy in (0, 1) if life.copied_on is not None and day >= life.copied_on else (0,):
            # The daily ping; now and then one more after a restart.
            seconds = [(life.second_of_day + copy * 20_000) % 86_400]
            if chance.random() < 0.03:
                seconds.append(chance.randrange(86_400))
            for second in sorted(set(seconds)):
                at = midnight + timedelta(seconds=second)
                if at < self.end:
                    yield self._ping(life, day, at, copy)

    def _ping(self, life: _Life, day: int, at: datetime, copy: int) -> Ping:
        kept = self._copies.get((life.instance_id, copy))
        if kept is None:
            # A copy begins with what its original knew.
            original = self._copies.get((life.instance_id, 0), _Copy())
            kept = self._copies[life.instance_id, copy] = _Copy(original.seq, original.receipt)
        received_at = int(at.timestamp() * 1000)
        period = f"{at:%Y-%m-%dT%H}-{(received_at + copy) & 0xFFFFFFFF:08x}"
        version = next(name for since, name in reversed(life.upgrades) if since <= day)
        older = _index(version) < _index(_FIRST_WITH_PYTHON)
        kept.seq += 1
        receipt = receipt_of(life.instance_id, period)
        ping = Ping(
            instance_id=life.instance_id,
            period=period,
            sha256=receipt + receipt,
            receipt=receipt,
            received_at=received_at,
            expires_at=received_at + RAW_DAYS * DAY_MS,
            token=None,
            token_epoch=None,
            seq=None if older else kept.seq,
            last_receipt=None if older else kept.receipt,
            secret_hash=None if older else life.secret_hash,
            values=_values(life, day, version, older=older),
        )
        kept.receipt = receipt
        return ping


def _births(chance: random.Random, size: int) -> Sequence[int]:
    """Days of birth: over half were there before, the others come by and by, many with the burst."""
    weights = [1.0 + 0.006 * day for day in range(DAYS)]
    for after in range(21):
        weights[BURST_DAY + after] += 6.5 * math.exp(-after / 6)
    before = int(size * 0.56)
    return [*(0 for _ in range(before)), *chance.choices(range(DAYS), weights, k=size - before)]


def _draw(chance: random.Random, born: int) -> _Life:
    instance_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    system, releases, architectures = _weighted(chance, _SYSTEMS)
    driver = _weighted(chance, _DRIVERS)
    if system in {"Windows_NT", "Darwin"}:
        driver = "localfs"
    users = math.exp(chance.gauss(1.1, 1.35))
    return _Life(
        instance_id=instance_id,
        secret_hash=hashlib.sha256(instance_id.encode()).hexdigest(),
        born=born,
        ends=_end(chance, born),
        second_of_day=chance.randrange(86_400),
        upgrades=_upgrades(chance, born),
        pauses=_pauses(chance, born),
        weekdays_only=system != "Linux" and chance.random() < 0.5,
        copied_on=chance.randrange(born, DAYS) if chance.random() < 0.012 else None,
        fixed={
            "instanceId": instance_id,
            "os.type": system,
            "os.release": chance.choice(releases),
            "os.arch": _weighted(chance, architectures),
            "platform.config.driver": driver,
        },
        runtime=(_weighted(chance, _PYTHONS), _weighted(chance, _NODES)),
        users=users,
        growth=chance.uniform(0.0, 0.004),
    )


def _end(chance: random.Random, born: int) -> int:
    """Some only try it for a few days; the others stay until a rare day of loss."""
    if born and chance.random() < 0.38:
        return born + 1 + int(chance.expovariate(1 / 4))
    return born + 1 + int(chance.expovariate(0.0016))


def _pauses(chance: random.Random, born: int) -> tuple[tuple[int, int], ...]:
    found = []
    day = born + 1 + int(chance.expovariate(0.004))
    while day < DAYS:
        back = day + chance.randrange(3, 15)
        found.append((day, back))
        day = back + 1 + int(chance.expovariate(0.004))
    return tuple(found)


def _upgrades(chance: random.Random, born: int) -> tuple[tuple[int, str], ...]:
    """Day and version: what it began with, then each release it took up, after a while of its own."""
    mean = _weighted(chance, _HABITS)
    out = [each for each in RELEASES if each[1] <= born]
    if born:
        began = out[-1] if chance.random() < 0.9 else out[-2]
    else:
        began = out[-1 - min(len(out) - 1, int(chance.expovariate(1.1)))]
    found = [(born, began[0])]
    if mean is None:
        return tuple(found)
    for version, released in RELEASES:
        if _index(version) <= _index(found[-1][1]):
            continue
        taken = max(released, born) + int(chance.expovariate(1 / mean))
        # Who is late takes the newest there is by then; who overtakes skips one.
        if taken < DAYS:
            while found and found[-1][0] >= taken and len(found) > 1:
                found.pop()
            found.append((max(taken, found[-1][0] + 1), version))
    return tuple(found)


def _values(life: _Life, day: int, version: str, *, older: bool) -> dict[str, Value]:
    users = max(1, round(life.users * (1 + life.growth * (day - life.born))))
    teams = max(1, round(users / 6))
    projects = round(users * 0.8 + (day - life.born) * life.growth * 3)
    python, node = life.runtime
    return {
        **life.fixed,
        "env.flowforge": version,
        ("env.nodejs" if older else "env.python"): node if older else python,
        "platform.counts.users": users,
        "platform.counts.teams": teams,
        "platform.counts.projects": projects,
    }


_INDEX = {version: index for index, (version, _) in enumerate(RELEASES)}


def _index(version: str) -> int:
    return _INDEX[version]


def _weighted(chance: random.Random, choices: Sequence[tuple[float, T]]) -> T:
    return chance.choices([each for _, each in choices], [weight for weight, _ in choices])[0]
