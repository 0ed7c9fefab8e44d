"""The right of one process, of many on the same database, to do something all the time."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from flowforge_ui.jobs import leases
from flowforge_ui.telemetry.event import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

LASTS = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=10)

_c = leases.c


class Lease:
    """Held for 30 seconds and renewed every 10; a process that dies leaves it to the others after that."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], name: str) -> None:
        self._engine, self._clock, self._name = engine, clock, name
        self._holder = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._asked_at: datetime | None = None
        self._is_held = False

    def held(self) -> bool:
        """Whether this process may go on; asks the database when it is time to."""
        with self._lock:
            now = self._clock()
            due = self._asked_at is None or not self._is_held or not 0 <= (now - self._asked_at) / RENEW_EVERY < 1
            if due:
                self._is_held = self._take(now)
                self._asked_at = now
            return self._is_held

    def release(self) -> None:
        """Leave it to the others at once."""
        with self._lock, self._engine.begin() as tx:
            tx.execute(
                update(leases)
                .where(_c.name == self._name, _c.holder == self._holder)
                .values(holder=None, held_until=None)
            )
            self._is_held = False

    def _take(self, now: datetime) -> bool:
        self._enter(now)
        free = or_(_c.holder.is_(None), _c.holder == self._holder, _c.held_until <= milliseconds(now))
        with self._engine.begin() as tx:
            taken = tx.execute(
                update(leases)
                .where(_c.name == self._name, free)
                .values(holder=self._holder, held_until=milliseconds(now + LASTS))
            )
            return taken.rowcount == 1

    def _enter(self, now: datetime) -> None:
        with self._engine.connect() as connection:
            if connection.execute(select(_c.name).where(_c.name == self._name)).one_or_none():
                return
        try:
            with self._engine.begin() as tx:
                tx.execute(insert(leases).values(name=self._name, due_at=milliseconds(now)))
        except IntegrityError:
            pass  # another process has just entered it
