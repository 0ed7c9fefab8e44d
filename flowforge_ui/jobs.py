"""Background jobs: a table of them, and the lease that lets one process of many run each.

A job's row holds when it is due next and, while it runs, who runs it and until when that is believed. Taking a job
is one conditional update whose row count is looked at, so of N processes one runs it. Because the due time is kept,
a process that starts again and again runs nothing more often.
"""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Engine

log = logging.getLogger(__name__)

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

# Times: milliseconds since the epoch, UTC.
leases = Table(
    "job_leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("due_at", BigInteger, nullable=False),
    Column("holder", String(32)),
    Column("held_until", BigInteger),
    Column("finished_at", BigInteger),
    Column("error", Text),
)

_LONGEST_SLEEP = 60.0  # seconds; a laptop that slept or a clock that jumped is noticed within this
_SLACK = timedelta(hours=25)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Job:
    """Something to be done now and then.

    `run` has to end within `lease_seconds`; after that another process may start it again. Either `every_seconds`
    (counted from the end of the last run) or `schedule` (from now to the next time) says when. `first_after_seconds`
    counts from the first start of all with this database.
    """

    name: str
    run: Callable[[], None]
    every_seconds: float = 3600.0
    schedule: Callable[[datetime], datetime] | None = None
    first_after_seconds: float = 60.0
    lease_seconds: float = 600.0

    def next_after(self, now: datetime) -> datetime:
        """When it is due after a run that ended `now`; never before now."""
        if self.schedule is None:
            return now + timedelta(seconds=self.every_seconds)
        return max(now, self.schedule(now))


def _millis(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


class Jobs:
    """Runs the jobs of a table, each in a daemon thread of its own, so that a slow one delays no other."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], table: Iterable[Job]) -> None:
        self._engine = engine
        self._clock = clock
        self._table = tuple(table)
        self._changed = threading.Condition()
        self._round = 0
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; once."""
        if self._threads:
            raise RuntimeError("these jobs have been started before")
        for job in self._table:
            thread = threading.Thread(target=self._loop, args=(job,), name=f"job {job.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let what runs finish, and end the threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Look at once whether something is due."""
        with self._changed:
            self._round += 1
            self._changed.notify_all()

    def step(self) -> list[str]:
        """Run what is due now, in the order of the table, in this thread; gives the names of what was run."""
        return [job.name for job in self._table if self._run_if_due(job)]

    def _loop(self, job: Job) -> None:
        seen = -1
        while True:
            pause = self._pause(job)
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._round != seen, timeout=pause)  # noqa: B023 - called before `seen` changes
                if self._stopping:
                    return
                seen = self._round
            self._run_if_due(job)

    def _pause(self, job: Job) -> float:
        """Seconds until it is worth looking again."""
        try:
            due = self._due_at(job)
        except Exception:
            log.exception("Job %s: its next time cannot be read", job.name)
            return _LONGEST_SLEEP
        return min(_LONGEST_SLEEP, max(0.05, (due - _millis(self._clock())) / 1000))

    def _due_at(self, job: Job) -> int:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(leases.c.due_at, leases.c.held_until).where(leases.c.name == job.name)
            ).one_or_none()
        if row is None:
            return _millis(self._clock()) + int(_LONGEST_SLEEP * 1000)
        return int(max(row.due_at, row.held_until or 0))

    def _run_if_due(self, job: Job) -> bool:
        holder = uuid.uuid4().hex
        try:
            self._register(job)
            if not self._take(job, holder):
                return False
        except Exception:
            log.exception("Job %s: its lease cannot be taken", job.name)
            return False
        error = None
        try:
            job.run()
        except Exception as raised:
            log.exception("Job %s failed", job.name)
            error = f"{type(raised).__name__}: {raised}"[:500]
        try:
            self._give_back(job, holder, error)
        except Exception:
            log.exception("Job %s: its lease cannot be given back; it runs out by itself", job.name)
        return True

    def _register(self, job: Job) -> None:
        with self._engine.connect() as connection:
            if connection.execute(select(leases.c.name).where(leases.c.name == job.name)).one_or_none():
                return
        first = self._clock() + timedelta(seconds=job.first_after_seconds)
        try:
            with self._engine.begin() as tx:
                tx.execute(insert(leases).values(name=job.name, due_at=_millis(first)))
        except IntegrityError:
            log.debug("Job %s: another process has just entered it", job.name)

    def _take(self, job: Job, holder: str) -> bool:
        moment = self._clock()
        now, lease = _millis(moment), int(job.lease_seconds * 1000)
        # A time further away than the job's own plan (and another process's, a day apart) was set by a clock that
        # has since been put back.
        furthest = _millis(max(job.next_after(moment), moment + timedelta(seconds=job.first_after_seconds)) + _SLACK)
        due = or_(leases.c.due_at <= now, leases.c.due_at > furthest)
        free = or_(leases.c.holder.is_(None), leases.c.held_until <= now, leases.c.held_until > now + lease)
        with self._engine.begin() as tx:
            taken = tx.execute(
                update(leases).where(leases.c.name == job.name, due, free).values(holder=holder, held_until=now + lease)
            )
            return taken.rowcount == 1

    def _give_back(self, job: Job, holder: str, error: str | None) -> None:
        now = self._clock()
        with self._engine.begin() as tx:
            tx.execute(
                update(leases)
                .where(leases.c.name == job.name, leases.c.holder == holder)
                .values(
                    holder=None,
                    held_until=None,
                    due_at=_millis(job.next_after(now)),
                    finished_at=_millis(now),
                    error=error,
                )
            )
