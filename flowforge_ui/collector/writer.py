"""One thread commits the pings of many requests together; each request waits for its own commit."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from flowforge_ui.collector.keeping import Kept
from flowforge_ui.collector.ping import Ping
from flowforge_ui.collector.spool import Spool
from flowforge_ui.collector.store import MOST_NAMES, OTHERS, PingStore

log = logging.getLogger(__name__)

GROUP = 200
GATHER_S = 0.01
# After a try that failed the database is left alone for so many times as long as the try took, and at least so long.
PAUSE_FACTOR, LEAST_PAUSE_S = 3.0, 0.5
IDLE_S = 1.0
TALLY_EVERY_S = 5.0
# Whoever waits for a ping to be kept occupies a place of the server.
KEEP_S = 9.0
_DEADLOCKS = frozenset({"40P01", "40001"})

_State = Literal["ready", "more", "away"]
"""What to do with a new group: commit it; spool it behind what waits there; spool it, the database is away."""


class Overloaded(Exception):
    """More pings wait than can be kept in time; ``retry_after`` in seconds."""

    retry_after = 5


class Unavailable(Exception):
    """Neither database nor spool could take the ping, or not in time; ``retry_after`` in seconds."""

    retry_after = 60


class _Waiting:
    """A ping and whoever waits for it: ``done`` is let go of when it is ``kept``, or turned away (None)."""

    __slots__ = ("done", "kept", "ping")

    def __init__(self, ping: Ping) -> None:
        self.ping = ping
        self.kept: Kept | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def answer(self, kept: Kept | None) -> None:
        self.kept = kept
        self.done.release()


class _Line:
    """Pings in the order they came; wakes who takes them once a group, not once a ping."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition(threading.Lock())
        # So many have to wait for whoever takes them to be woken; 0 while that one is busy.
        self._wanted = 0

    def put(self, one: _Waiting) -> None:
        with self._changed:
            if len(self._waiting) >= self._room:
                raise Overloaded
            self._waiting.append(one)
            if len(self._waiting) == self._wanted:
                self._changed.notify()

    def take(self, wait: float, expected: int) -> list[_Waiting]:
        """At most GROUP; waits ``wait`` seconds for the first and then a moment for ``expected``."""
        with self._changed:
            if not self._waiting:
                self._wanted = 1
                self._changed.wait(wait)
            # Those who were answered together come back together: without a moment's patience the first of them would
            # have a commit to itself, and the others would wait for it.
            if self._waiting and len(self._waiting) < expected:
                self._wanted = expected
                self._changed.wait(GATHER_S)
            self._wanted = 0
            group = self._waiting[:GROUP]
            del self._waiting[:GROUP]
            return group

    def wake(self) -> None:
        """Nothing came, but look."""
        with self._changed:
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._waiting)


class Writer:
    """``keep(ping)`` returns when the ping is in the database, or on disk in the spool while the database is away."""

    def __init__(self, store: PingStore, spool: Spool, *, room: int = 2_000) -> None:
        self._store = store
        self._spool = spool
        self._line = _Line(room)
        # How many the last group had; a lonely ping waits for nobody.
        self._expected = 0
        self._unknown: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._tally_lock = threading.Lock()
        self._away_until: float | None = None
        self._loads = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="collector-writer", daemon=True)

    def start(self) -> None:
        """Begin to commit; first what an earlier process left in the spool."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits and end."""
        self._stopping.set()
        self._line.wake()
        self._thread.join(timeout=30)

    def keep(self, ping: Ping, timeout: float = KEEP_S) -> Kept:
        """Wait until the ping is safe. Raises Overloaded or Unavailable."""
        waiting = _Waiting(ping)
        self._line.put(waiting)
        # When its time is over it may be kept yet; the same ping sent again has the same receipt.
        if not waiting.done.acquire(timeout=timeout) or waiting.kept is None:
            raise Unavailable
        return waiting.kept

    def spooled(self) -> bool:
        """Whether pings wait on disk for the database."""
        return self._spool.waiting()

    def forget(self, instance_id: str) -> None:
        """What was set apart of an erased installation goes, too."""
        self._spool.forget(instance_id)

    def tally(self, *, refused: str | None = None, unknown: Sequence[str] = ()) -> None:
        """Count a refusal or names nobody asked for; written with the next group."""
        if not refused and not unknown:
            return
        with self._tally_lock:
            if refused:
                self._refused[refused] += 1
            for each in unknown:
                self._unknown[each if each in self._unknown or len(self._unknown) < MOST_NAMES else OTHERS] += 1

    def _run(self) -> None:
        tallied = time.monotonic()
        while True:
            stopping = self._stopping.is_set()
            wait = {"ready": IDLE_S, "more": 0.0, "away": LEAST_PAUSE_S}[self._state()]
            group = self._line.take(0.0 if stopping else wait, self._expected)
            self._expected = len(group)
            if stopping and not group and not self._line:
                self._write_tallies()
                self._spool.close()
                return
            # What is older goes in first: a ping that overtakes another one would make that one late.
            if group and self._state() == "ready":
                self._commit(group)
            elif group:
                self._spool_all(group)
            self._drain()
            if not group or time.monotonic() - tallied > TALLY_EVERY_S:
                self._write_tallies()
                tallied = time.monotonic()

    def _state(self) -> _State:
        if self._away_until is not None:
            return "away"
        return "more" if self._loads and self._spool.waiting() else "ready"

    def _commit(self, group: list[_Waiting]) -> None:
        began = time.monotonic()
        try:
            kept = self._keep_good([each.ping for each in group])
        except SQLAlchemyError as error:
            log.warning("the collector's database is away (%s): pings go to the spool", type(error).__name__)
            self._leave_alone(began)
            self._spool_all(group)
            return
        for each, answer in zip(group, kept, strict=True):
            each.answer(answer)

    def _leave_alone(self, began: float) -> None:
        now = time.monotonic()
        self._away_until = now + max(LEAST_PAUSE_S, PAUSE_FACTOR * (now - began))

    def _keep_good(self, pings: Sequence[Ping]) -> list[Kept | None]:
        """None for a ping that can never be kept: it alone is turned away. Raises when the database is away."""
        try:
            return list(self._keep(pings))
        except Exception as error:
            if not _at_fault(error):
                raise
            if len(pings) == 1:
                log.error("a ping could not be kept (%s)", type(error).__name__)  # noqa: TRY400 - no values in the log
                return [None]
            half = len(pings) // 2
            return [*self._keep_good(pings[:half]), *self._keep_good(pings[half:])]

    def _keep(self, pings: Sequence[Ping], tries: int = 3) -> list[Kept]:
        for left in reversed(range(tries)):
            try:
                with self._store.writing() as tx:
                    return self._store.keep(tx, pings)
            except DBAPIError as error:
                # Another receiver on the same database may have taken one of them a moment earlier, or a deadlock was
                # broken: once more with what is there now. A database that is away or locked is not asked again.
                if not left or not _again(error):
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _spool_all(self, group: list[_Waiting]) -> None:
        try:
            self._spool.put([each.ping for each in group])
        except OSError as error:
            log.error("the spool cannot be written (%s): pings are turned away", type(error).__name__)  # noqa: TRY400 - no path in the log
            for each in group:
                each.answer(None)
            return
        for each in group:
            ping = each.ping
            each.answer(Kept(ping.receipt, ping.sha256, ping.received_at, ping.expires_at, repeated=False))

    def _drain(self) -> None:
        """Load one group of what waits, unless the database was away a moment ago."""
        began = time.monotonic()
        if self._away_until is not None and began < self._away_until:
            return
        self._away_until = None
        try:
            # Nothing to load though something waits: another process is loading it.
            self._loads = not self._spool.waiting() or self._spool.load(self._keep_waiting) > 0
        except SQLAlchemyError:
            self._leave_alone(began)
        except Exception as error:  # noqa: BLE001 - its files, or what nobody foresaw; what waits stays on disk
            if self._loads:
                log.error("the spool cannot be loaded (%s)", type(error).__name__)  # noqa: TRY400 - no path in the log
            self._loads = False

    def _keep_waiting(self, pings: Sequence[Ping]) -> list[Ping]:
        kept = self._keep_good(pings)
        return [ping for ping, answer in zip(pings, kept, strict=True) if answer is None]

    def _write_tallies(self) -> None:
        if self._away_until is not None:
            return
        with self._tally_lock:
            unknown, refused = self._unknown, self._refused
            self._unknown, self._refused = Counter(), Counter()
        if not unknown and not refused:
            return
        began = time.monotonic()
        try:
            with self._store.writing() as tx:
                self._store.tally(tx, "unknown_field", unknown)
                self._store.tally(tx, "refused", refused)
        except SQLAlchemyError:
            self._leave_alone(began)
            with self._tally_lock:
                self._unknown.update(unknown)
                self._refused.update(refused)


def _at_fault(error: Exception) -> bool:
    """Whether what was to be kept is at fault, not a database that is away, locked or not prepared yet."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    return isinstance(error, StatementError) or not isinstance(error, SQLAlchemyError)


def _again(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in _DEADLOCKS
