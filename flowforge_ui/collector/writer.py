"""One thread commits the pings of many requests together; each request waits for its own commit."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from flowforge_ui.collector.keeping import Kept
from flowforge_ui.collector.ping import Ping
from flowforge_ui.collector.spool import Spool
from flowforge_ui.collector.store import MOST_NAMES, OTHERS, PingStore

log = logging.getLogger(__name__)

GROUP = 200
GATHER_S = 0.01
SPOOL_PAUSE_S = 5.0
IDLE_S = 1.0
TALLY_EVERY_S = 5.0


class Overloaded(Exception):
    """More pings wait than can be kept in time; ``retry_after`` in seconds."""

    retry_after = 5


class Unavailable(Exception):
    """Neither database nor spool could take the ping, or not in time; ``retry_after`` in seconds."""

    retry_after = 60


class Writer:
    """``keep(ping)`` returns when the ping is in the database, or on disk in the spool while the database is away."""

    def __init__(self, store: PingStore, spool: Spool, *, room: int = 2_000) -> None:
        self._store = store
        self._spool = spool
        # None wakes the thread so that it sees it shall stop.
        self._waiting: queue.Queue[tuple[Ping, Future[Kept]] | None] = queue.Queue(maxsize=room)
        # How many the last group had; a lonely ping waits for nobody.
        self._expected = 0
        self._unknown: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._tally_lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="collector-writer", daemon=True)

    def start(self) -> None:
        """Begin to commit; first what an earlier process left in the spool."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits and end."""
        self._stopping.set()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(timeout=30)

    def keep(self, ping: Ping, timeout: float = 30.0) -> Kept:
        """Wait until the ping is safe. Raises Overloaded or Unavailable."""
        future: Future[Kept] = Future()
        try:
            self._waiting.put_nowait((ping, future))
        except queue.Full:
            raise Overloaded from None
        try:
            return future.result(timeout)
        except TimeoutError:
            # It may be kept yet; the same ping sent again has the same receipt.
            raise Unavailable from None

    def spooled(self) -> bool:
        """Whether pings wait on disk for the database."""
        return self._spool.waiting()

    def tally(self, *, refused: str | None = None, unknown: Sequence[str] = ()) -> None:
        """Count a refusal or names nobody asked for; written with the next group."""
        with self._tally_lock:
            if refused:
                self._refused[refused] += 1
            for each in unknown:
                self._unknown[each if each in self._unknown or len(self._unknown) < MOST_NAMES else OTHERS] += 1

    def _run(self) -> None:
        pause, tallied = 0.0, time.monotonic()
        while True:
            group = self._next(pause or 1.0)
            if self._stopping.is_set() and not group and self._waiting.empty():
                self._write_tallies()
                return
            if group:
                self._commit(group)
            if self._spool.waiting():
                pause = 0.0 if self._drain() else SPOOL_PAUSE_S
            if not group or time.monotonic() - tallied > TALLY_EVERY_S:
                self._write_tallies()
                tallied = time.monotonic()

    def _next(self, wait: float) -> list[tuple[Ping, Future[Kept]]]:
        found: list[tuple[Ping, Future[Kept]] | None] = []
        with suppress(queue.Empty):
            found.append(self._waiting.get(timeout=0.001 if self._stopping.is_set() else min(wait, IDLE_S)))
            # Those who were answered together come back together: without a moment's patience the first of them would
            # have a commit to itself, and the others would wait for it.
            until = time.monotonic() + GATHER_S
            while len(found) < self._expected and (left := until - time.monotonic()) > 0:
                found.append(self._waiting.get(timeout=left))
        with suppress(queue.Empty):
            while found and len(found) < GROUP:
                found.append(self._waiting.get_nowait())
        pings = [each for each in found if each is not None]
        self._expected = len(pings)
        return pings

    def _commit(self, group: list[tuple[Ping, Future[Kept]]]) -> None:
        pings = [ping for ping, _ in group]
        try:
            kept = self._keep(pings)
        except SQLAlchemyError as error:
            log.warning("the collector's database is away (%s): pings go to the spool", type(error).__name__)
            self._spool_all(group)
            return
        except Exception as error:  # noqa: BLE001 - the thread outlives a ping that nobody foresaw
            log.error("pings could not be kept (%s)", type(error).__name__)  # noqa: TRY400 - no values in the log
            self._turn_away(group)
            return
        for (_, future), each in zip(group, kept, strict=True):
            future.set_result(each)

    def _keep(self, pings: Sequence[Ping], tries: int = 3) -> list[Kept]:
        for left in reversed(range(tries)):
            try:
                with self._store.writing() as tx:
                    return self._store.keep(tx, pings)
            except DBAPIError:
                # Another receiver on the same database may have taken one of them a moment earlier, or a deadlock was
                # broken: once more with what is there now.
                if not left:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _spool_all(self, group: list[tuple[Ping, Future[Kept]]]) -> None:
        try:
            self._spool.put([ping for ping, _ in group])
        except OSError as error:
            log.error("the spool cannot be written (%s): pings are turned away", type(error).__name__)  # noqa: TRY400 - no path in the log
            self._turn_away(group)
            return
        for ping, future in group:
            future.set_result(Kept(ping.receipt, ping.sha256, ping.received_at, ping.expires_at, repeated=False))

    def _turn_away(self, group: list[tuple[Ping, Future[Kept]]]) -> None:
        for _, future in group:
            future.set_exception(Unavailable())

    def _drain(self) -> bool:
        try:
            self._spool.load(self._keep)
        except (SQLAlchemyError, OSError):
            return False
        except Exception as error:  # noqa: BLE001 - the same; what waits stays on disk
            log.error("the spool could not be loaded (%s)", type(error).__name__)  # noqa: TRY400 - no values in the log
            return False
        return True

    def _write_tallies(self) -> None:
        with self._tally_lock:
            unknown, refused = self._unknown, self._refused
            self._unknown, self._refused = Counter(), Counter()
        if not unknown and not refused:
            return
        try:
            with self._store.writing() as tx:
                self._store.tally(tx, "unknown_field", unknown)
                self._store.tally(tx, "refused", refused)
        except SQLAlchemyError:
            with self._tally_lock:
                self._unknown.update(unknown)
                self._refused.update(refused)
