"""An outbox on a test's database, events to put in, and whether the numbers add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from flowforge_ui.database import reading, transaction
from flowforge_ui.telemetry.event import Event, milliseconds
from flowforge_ui.telemetry.outbox import Outbox

BOTH = ("local", "posthog")


def outbox_on(engine: Engine, clock: Callable[[], datetime]) -> Outbox:
    return Outbox(partial(transaction, engine), partial(reading, engine), clock)


def an_event(number: int = 0, distinct_id: str = "u_alice", name: str = "team created") -> Event:
    """Its uuid and time tell its number."""
    at = milliseconds(datetime(2026, 3, 2, 8, 0, tzinfo=UTC)) + number
    return Event(
        f"00000000-0000-7000-8000-{number:012x}", name, distinct_id, at, {"role": "user"}, "server", recorded_at=at
    )


def record(outbox: Outbox, events: Sequence[Event], sinks: Sequence[str] = BOTH) -> None:
    with outbox.transaction() as tx:
        for event in events:
            outbox.record(tx, event, sinks)


def add_up(outbox: Outbox) -> dict[str, int]:
    """Per sink: addressed - (delivered + failed + abandoned + pending). Nothing is missing when all are 0."""
    counts = outbox.counts()
    settled = ("delivered", "failed", "abandoned")
    return {
        sink: counts.get("addressed", {}).get(sink, 0)
        - sum(counts.get(kind, {}).get(sink, 0) for kind in settled)
        - outbox.backlog(sink).pending
        for sink in BOTH
    }
