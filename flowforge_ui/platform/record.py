"""The one way an act is written down: an audit row, and an outbox row when telemetry may have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert

from . import tables
from .values import Clock, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flowforge_ui.telemetry.event import Scalar
    from flowforge_ui.telemetry.identity import Pseudonyms
    from flowforge_ui.telemetry.recorder import Recorder

    from .actor import Actor


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes in the transaction of the act, so that an act that did not happen leaves no trace of either kind."""

    recorder: Recorder
    pseudonyms: Pseudonyms
    clock: Clock
    forget: Callable[[Connection, str], object]
    """Drops, in a transaction, what waits to be delivered about a distinct id (`Outbox.forget`)."""

    def now(self) -> datetime:
        return moment(self.clock)

    def record(
        self,
        tx: Connection,
        actor: Actor,
        event: str,
        properties: Mapping[str, Scalar],
        *,
        team: str | None = None,
        target: str | None = None,
    ) -> None:
        """An act that is an event of the plan; `team` is the id of the team whose audit log shows it."""
        self.note(tx, actor, event, team=team, target=target)
        self.recorder.record(tx, event, actor.subject, properties)

    def note(
        self, tx: Connection, actor: Actor, event: str, *, team: str | None = None, target: str | None = None
    ) -> None:
        """An act for the audit log alone."""
        tx.execute(
            _AUDIT,
            {
                "at": self.now(),
                "actor_id": actor.user_id,
                "actor": actor.username,
                "event": event,
                "team_id": team,
                "target": target,
            },
        )


# Values beside the statement: put into it, SQLAlchemy would make a new one of it at every act.
_AUDIT = insert(tables.audit)
