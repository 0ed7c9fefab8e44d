"""The door through which the platform's own acts are recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from . import counters
from .event import Clock, Event, Refusal, milliseconds, new_uuid, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy import Connection

    from .event import Role, Scalar, Subject
    from .identity import IdentityMode
    from .outbox import Outbox
    from .plan import Plan

log = logging.getLogger(__name__)


class Recorder(Protocol):
    """Records an act in the act's own transaction, or does nothing; it never refuses the act."""

    def record(self, tx: Connection, name: str, subject: Subject, properties: Mapping[str, Scalar]) -> None: ...


class NullRecorder:
    """Where nothing is recorded."""

    def record(self, tx: Connection, name: str, subject: Subject, properties: Mapping[str, Scalar]) -> None:
        pass


class OutboxRecorder:
    """Records into the outbox what the plan allows.

    `sinks` names the sinks that are on at this moment; with none nothing is written. `after_commit(tx, act)` has
    `act` called once the transaction is committed; `wake` is that act.
    """

    def __init__(
        self,
        plan: Plan,
        outbox: Outbox,
        sinks: Callable[[], Collection[str]],
        *,
        app_version: str,
        identity: IdentityMode = "pseudonymous",
        clock: Clock = utc_now,
        after_commit: Callable[[Connection, Callable[[], None]], None] | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan, self._outbox, self._sinks = plan, outbox, sinks
        self._app_version, self._identity, self._clock = app_version, identity, clock
        self._after_commit, self._wake = after_commit, wake

    def record(self, tx: Connection, name: str, subject: Subject, properties: Mapping[str, Scalar]) -> None:
        self.record_to(self._sinks(), tx, name, subject, properties)

    def record_to(
        self, sinks: Collection[str], tx: Connection, name: str, subject: Subject, properties: Mapping[str, Scalar]
    ) -> None:
        """`record` for whoever knows better which sinks are on."""
        if not sinks:
            return
        if subject.opted_out:
            self._drop(tx, "opted_out")
            return
        # Never identify: an act then has no actor that a second act could be linked to, and counts for nobody.
        unnamed = self._identity == "anonymous"
        role: Role = "anonymous" if unnamed else subject.role
        common: dict[str, Scalar] = {"app_version": self._app_version, "role": role, "source": "server"}
        clean = self._plan.clean(name, "server", {**properties, **common})
        if isinstance(clean, Refusal):
            # A programmer's mistake; the act itself must not suffer from it.
            log.error("Event %r is not in the plan: %s", name, clean.reason)
            self._drop(tx, clean.reason)
            return
        now = milliseconds(self._clock())
        distinct_id = new_uuid() if unnamed else subject.distinct_id
        self._outbox.record(tx, Event(new_uuid(), name, distinct_id, now, clean, "server", now), sinks)
        if self._after_commit:
            self._after_commit(tx, self._wake)

    @staticmethod
    def _drop(tx: Connection, reason: str) -> None:
        counters.one(tx, "dropped", reason, early=True)
