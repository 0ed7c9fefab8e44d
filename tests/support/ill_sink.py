"""A sink with every kind of trouble."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowforge_ui.telemetry.event import Event
from flowforge_ui.telemetry.sinks import MemorySink, SinkError


class IllSink(MemorySink):
    """Fails whole batches for what is in them, or for `error` while that is set."""

    def __init__(self, batch: int = 500) -> None:
        super().__init__("local")
        self.batch = batch
        self.error: Exception | None = None
        self.poison: set[str] = set()
        self.stumble: set[str] = set()
        self.silencing: set[str] = set()
        self.calls = 0
        self.heals_after: int | None = None
        self.when_asked: Callable[[], object] = lambda: None

    def deliver(self, events: Sequence[Event]) -> None:
        self.calls += 1
        self.when_asked()
        if self.heals_after is not None:
            self.heals_after -= 1
            self.error = self.error if self.heals_after >= 0 else None
        if self.error is not None:
            raise self.error
        uuids = {event.uuid for event in events}
        if ill := sorted(uuids & self.poison):
            raise SinkError(f"refused {ill[0]}", permanent=True)
        if uuids & self.stumble:
            raise RuntimeError("stumbled")
        if uuids & self.silencing:
            raise SinkError("no answer", permanent=False, silent=True)
        super().deliver(events)


PASSING = SinkError("busy", permanent=False)


def most(_: float, high: float) -> float:
    """Jitter that always takes all it may."""
    return high
