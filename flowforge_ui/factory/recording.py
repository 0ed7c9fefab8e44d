"""What telemetry asks the platform while it runs: where an act has to go, and who does not want to be recorded."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from flowforge_ui.database import reading
from flowforge_ui.platform import tables
from flowforge_ui.telemetry.recorder import OutboxRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy import Connection, Engine

    from flowforge_ui.telemetry.event import Scalar, Subject
    from flowforge_ui.telemetry.identity import Pseudonyms
    from flowforge_ui.telemetry.outbox import Outbox
    from flowforge_ui.telemetry.plan import Plan

FRESH_SECONDS = 1.0


class LiveRecorder:
    """Records to the sinks that are on in the state the act's own transaction sees.

    `refused` tells whether the browser that caused the act says that nothing is to be recorded.
    """

    def __init__(
        self,
        plan: Plan,
        outbox: Outbox,
        sinks: Callable[[Connection], Collection[str]],
        refused: Callable[[], bool],
        **options: Any,
    ) -> None:
        self._sinks, self._refused = sinks, refused
        self._recorder = OutboxRecorder(plan, outbox, tuple, **options)

    def record(self, tx: Connection, name: str, subject: Subject, properties: Mapping[str, Scalar]) -> None:
        sinks = self._sinks(tx)
        if self._refused():
            subject = replace(subject, opted_out=True)
        self._recorder.record_to(sinks, tx, name, subject, properties)


class OptOuts:
    """Who has opted out, by the name telemetry knows them by; read at most once a second."""

    def __init__(self, engine: Engine, pseudonyms: Pseudonyms, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._pseudonyms, self._monotonic = engine, pseudonyms, monotonic
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._held: frozenset[str] = frozenset()
        self._until = float("-inf")

    def opted_out(self, distinct_id: str) -> bool:
        with self._lock:
            if self._monotonic() >= self._until:
                self._held = self._read()
                self._until = self._monotonic() + FRESH_SECONDS
            return distinct_id in self._held

    def among(self, distinct_ids: Collection[str]) -> frozenset[str]:
        """Who of these has opted out by now, whichever process has heard of it."""
        if not distinct_ids:
            return frozenset()
        self.changed()
        return frozenset(name for name in distinct_ids if self.opted_out(name))

    def changed(self) -> None:
        """Somebody has just decided."""
        with self._lock:
            self._until = float("-inf")

    def _read(self) -> frozenset[str]:
        c = tables.users.c
        with reading(self._engine) as tx:
            users = tx.execute(select(c.id, c.username).where(c.telemetry_opt_out.is_(True))).all()
        for user_id, username in users:
            if user_id not in self._names:
                self._names[user_id] = self._pseudonyms.person(user_id, username)
        return frozenset(self._names[user_id] for user_id, _ in users)
