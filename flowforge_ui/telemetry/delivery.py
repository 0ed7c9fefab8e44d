"""Carries what waits in the outbox to one sink: one thread a sink, so that one's trouble never delays another.

A failure that will pass changes nothing about events: the sink is left alone for a while, longer each time. A
permanent one is narrowed down to the events it is about. Whether a sink that takes nothing is ill or the events are,
only a success can tell; so no event is given up, and none laid aside, unless the sink has taken another meanwhile.
"""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from .ahead import Ahead
from .event import Clock, milliseconds, utc_now
from .outbox import Batch
from .sinks import SinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from .outbox import Claimed, Outbox
    from .sinks import Sink

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
GATHER_SECONDS = 0.25
"""What happens within so short a time goes together: a transaction, or a request, costs as much for one event."""
BACK_OFF_SECONDS = 1.0
BACK_OFF_CAP_SECONDS = 300.0
RETRY_AFTER_CAP_SECONDS = 3600.0
PARK_SECONDS = 60.0
PARK_CAP_SECONDS = 3600.0
SUSPICIOUS_FAILURES = 5
"""After so many failures in a row the head of the log is looked at event by event."""
SUSPICIOUS_SILENCES = 20
"""So many it takes where the sink gives no answer at all: half an hour, with the pauses between them. What waited for
the end of a shorter outage goes in the log's order, which looking at single events may change."""
SAMPLE = 4
"""How many single events are tried in search of one the sink takes."""

State = Literal["idle", "delivering", "waiting", "standby", "stopped"]


@dataclass(frozen=True, slots=True)
class Health:
    """What a sink's delivery is doing; times in milliseconds since the epoch.

    `standby`: another process delivers. `waiting`: until `next_attempt_at`, after `failures` failures in a row.
    `oldest` is when the oldest of the `pending` events was recorded.
    """

    sink: str
    state: State
    last_success_at: int | None
    last_error_at: int | None
    last_error: str | None
    failures: int
    next_attempt_at: int | None
    pending: int
    oldest: int | None


@dataclass(slots=True)
class _Round:
    """One step's findings: what the sink refused for good, what it could not take now, and whether it took any."""

    taken: int = 0
    refused: list[tuple[Claimed, str]] = field(default_factory=list)
    passing: Exception | None = None


class Delivery:
    """Delivers to `sink` while `may_run()`; `uniform(low, high)` is the source of jitter.

    `opted_out` answers which of some distinct ids are of people who have opted out: what was taken in by a process that
    had not yet heard of it goes no further.
    """

    def __init__(
        self,
        outbox: Outbox,
        sink: Sink,
        clock: Clock = utc_now,
        *,
        may_run: Callable[[], bool] = lambda: True,
        opted_out: Callable[[Collection[str]], Collection[str]] = lambda _: (),
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.sink = sink
        self._outbox, self._clock, self._may_run, self._uniform = outbox, clock, may_run, uniform
        self._opted_out = opted_out
        self._ahead = Ahead()
        self._just_claimed = self._overtaken = False
        self._failures = self._parked_failures = self._parked_from = 0
        self._next_attempt_at: int | None = None
        self._probe_from = 0
        self._state: State = "stopped"
        self._awake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    # Running

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"delivery-{self.sink.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Ends after the batch under way, or leaves it behind after `timeout` seconds: what it carries is pending."""
        self._stopping.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                log.warning("Delivery to %s did not end in time", self.sink.name)
            self._thread = None
        self._ahead.drop()
        self._state = "stopped"
        self.sink.close()

    def wake(self) -> None:
        """Something new waits."""
        self._awake.set()

    def health(self) -> Health:
        record, backlog = self._outbox.sink_record(self.sink.name), self._outbox.backlog(self.sink.name)
        return Health(
            sink=self.sink.name,
            state=self._state,
            last_success_at=record.last_success_at,
            last_error_at=record.last_error_at,
            last_error=record.last_error,
            failures=self._failures,
            next_attempt_at=self._next_attempt_at,
            pending=backlog.pending,
            oldest=backlog.oldest,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self.step()
            except Exception:
                # The database, most likely; nothing was lost, all is still pending.
                log.exception("Delivery to %s", self.sink.name)
                pause = self._back_off(None)
            if pause > 0:
                # New events are no reason to try an ill sink earlier.
                if self._state == "waiting":
                    self._stopping.wait(pause)
                elif self._awake.wait(pause):
                    self._stopping.wait(GATHER_SECONDS)
                # Not after a step that goes straight on to the next: what came meanwhile may not be in what was read.
                self._awake.clear()

    # One step

    def step(self) -> float:
        """Delivers one batch; answers how many seconds to wait before the next step."""
        if not self._may_run():
            self._ahead.drop()
            self._state = "standby"
            return IDLE_SECONDS
        if self._next_attempt_at is not None and (wait := self._next_attempt_at - milliseconds(self._clock())) > 0:
            return wait / 1000
        batch = self._claim()
        self._just_claimed, self._overtaken = True, False
        if not batch.fresh and not batch.due:
            self._state = "idle"
            return IDLE_SECONDS
        self._state = "delivering"
        found = _Round()
        if batch.fresh:
            self._deliver_fresh(batch.fresh, found)
        if found.passing is None:
            self._try_parked(batch.due, found)
        self._settle_refused(found)
        if found.passing is not None:
            return self._back_off(found.passing)
        self._failures, self._next_attempt_at = 0, None
        return 0.0 if len(batch.fresh) == self.sink.batch else IDLE_SECONDS

    def _claim(self) -> Batch:
        """What waits; where that fills a batch, the next one is begun to be read, unless the sink is ill."""
        name, size = self.sink.name, self.sink.batch
        batch = self._outbox.claim(name, size, self._ahead.take())
        if gone := self._opted_out({item.event.distinct_id for item in (*batch.fresh, *batch.due)}):
            with self._outbox.transaction() as tx:
                for distinct_id in gone:
                    self._outbox.forget(tx, distinct_id)
            batch = self._outbox.claim(name, size)
        if milliseconds(self._clock()) < self._parked_from:
            batch = Batch(batch.fresh, [])
        if len(batch.fresh) == size and not self._failures:
            last = batch.fresh[-1].id
            self._ahead.begin(lambda: self._outbox.fresh(name, size, last))
        return batch

    def _deliver_fresh(self, fresh: list[Claimed], found: _Round) -> None:
        self._narrow(fresh, found)
        if (
            self._failures >= _patience(found.passing)
            and len(fresh) > 1
            and not found.taken
            and _may_be_tried(found.passing)
        ):
            self._probe(fresh, found)

    def _narrow(self, claimed: Sequence[Claimed], found: _Round) -> None:
        """Delivers; on a permanent failure in halves, down to the events it is about."""
        if self._ended or found.passing is not None:
            return
        try:
            self._give(claimed, found)
        except SinkError as error:
            if not error.permanent:
                found.passing = error
            elif len(claimed) == 1:
                found.refused.append((claimed[0], str(error)))
                if not found.taken and len(found.refused) >= SAMPLE:
                    found.passing = SinkError(f"It refuses every event: {error}", permanent=False)
            else:
                middle = len(claimed) // 2
                self._narrow(claimed[:middle], found)
                self._narrow(claimed[middle:], found)
        except Exception as error:  # noqa: BLE001 -- a sink's mistake must not end the delivery; it counts as passing
            log.warning("Sink %s: %r", self.sink.name, error)
            found.passing = error

    def _probe(self, fresh: list[Claimed], found: _Round) -> None:
        """Something has failed many times: a single event may be what the sink stumbles over.

        The first and a few others are tried one by one, others each time, until the sink takes one of them. Then it is
        well: all that are left are given one by one in order, and those it stumbles over now are laid aside.
        """
        first, others = fresh[0], fresh[1:]
        start = self._probe_from % len(others)
        self._probe_from = start + SAMPLE - 1
        for item in [first, *[*others[start:], *others[:start]][: SAMPLE - 1]]:
            trouble = self._one_by_one([item], found, [])
            found.passing = trouble or found.passing
            if found.taken:
                stumbled: list[tuple[Claimed, str]] = []
                refused = {claimed.id for claimed, _ in found.refused}
                left = [claimed for claimed in fresh if claimed is not item and claimed.id not in refused]
                self._one_by_one(left, found, stumbled)
                for claimed, error in stumbled:
                    self._park(claimed, error)
                found.passing = None
                return
            if trouble is not None and not _may_be_tried(trouble):
                return

    def _one_by_one(
        self, claimed: Sequence[Claimed], found: _Round, stumbled: list[tuple[Claimed, str]]
    ) -> Exception | None:
        trouble: Exception | None = None
        in_a_row = 0
        for item in claimed:
            if self._ended or in_a_row > SAMPLE:
                break
            alone = _Round(taken=found.taken)
            self._narrow([item], alone)
            found.refused += alone.refused
            in_a_row = 0 if alone.passing is None else in_a_row + 1
            if alone.passing is not None:
                trouble = alone.passing
                if not _may_be_tried(trouble):
                    break
                stumbled.append((item, str(alone.passing)))
            found.taken = alone.taken
        return trouble

    def _try_parked(self, due: Sequence[Claimed], found: _Round) -> None:
        """Each alone. The first that fails ends it while nothing shows that the sink is well, for a while."""
        for claimed in due:
            alone = _Round(taken=found.taken)
            self._narrow([claimed], alone)
            found.taken = alone.taken
            found.refused += alone.refused
            if alone.passing is None:
                continue
            if not _may_be_tried(alone.passing):
                found.passing = alone.passing
                return
            self._park(claimed, str(alone.passing))
            if not found.taken:
                self._outbox.trouble(self.sink.name, str(alone.passing))
                self._parked_failures += 1
                seconds = self._uniform(0, _ceiling(self._parked_failures))
                self._parked_from = milliseconds(self._clock() + timedelta(seconds=seconds))
                return

    def _give(self, claimed: Sequence[Claimed], found: _Round) -> None:
        """The sink takes these, but for those that were dropped since they were claimed; none if others deliver now."""
        if not self._just_claimed:
            self._overtaken = self._overtaken or not self._may_run()
            claimed = [] if self._overtaken else self._outbox.waiting(self.sink.name, claimed)
        self._just_claimed = False
        if claimed:
            self.sink.deliver([item.event for item in claimed])
            self._outbox.done(self.sink.name, claimed)
            found.taken += len(claimed)
            self._parked_failures = self._parked_from = 0

    @property
    def _ended(self) -> bool:
        return self._overtaken or self._stopping.is_set()

    # What follows

    def _settle_refused(self, found: _Round) -> None:
        """Refused for good is an event only if the sink has taken another; else it is laid aside until it has."""
        for claimed, reason in found.refused:
            if found.taken:
                log.warning("Sink %s refuses event %s: %s", self.sink.name, claimed.event.uuid, reason)
                self._outbox.failed(self.sink.name, claimed, reason)
            elif found.passing is None:
                self._park(claimed, reason)
        if found.refused and found.passing is None:
            self._outbox.trouble(self.sink.name, found.refused[-1][1])

    def _park(self, claimed: Claimed, error: str) -> None:
        seconds = min(PARK_CAP_SECONDS, PARK_SECONDS * 2 ** min(claimed.attempts, 10))
        due = self._clock() + timedelta(seconds=self._uniform(seconds / 2, seconds))
        self._outbox.park(self.sink.name, claimed, due, error)

    def _back_off(self, error: Exception | None) -> float:
        """Exponential with full jitter; never earlier than the sink asks for."""
        self._failures += 1
        self._ahead.drop()
        self._state = "waiting"
        seconds = max(0.05, self._uniform(0, _ceiling(self._failures)))
        if isinstance(error, SinkError) and error.retry_after is not None:
            seconds = max(seconds, min(error.retry_after, RETRY_AFTER_CAP_SECONDS))
        self._next_attempt_at = milliseconds(self._clock()) + int(seconds * 1000)
        if error is not None:
            if self._failures == 1:
                log.warning("Sink %s: %s", self.sink.name, error)
            self._outbox.trouble(self.sink.name, str(error) or type(error).__name__)
        return seconds


def _ceiling(failures: int) -> float:
    """The longest pause, in seconds, after so many failures in a row."""
    return min(BACK_OFF_CAP_SECONDS, BACK_OFF_SECONDS * 2.0 ** min(failures - 1, 20))


def _patience(error: Exception | None) -> int:
    """How many failures of this kind in a row are no reason yet to suspect an event."""
    return SUSPICIOUS_SILENCES if isinstance(error, SinkError) and error.silent else SUSPICIOUS_FAILURES


def _may_be_tried(error: Exception | None) -> bool:
    """Whether there is trouble and the sink has not asked to be left alone."""
    return error is not None and not (isinstance(error, SinkError) and error.retry_after is not None)
