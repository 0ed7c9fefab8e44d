"""Where events are delivered to: the protocol, its one error, and two sinks that need nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .event import Event


class Sink(Protocol):
    """Takes events, whole batches at a time; what it has taken it keeps.

    Being given an event again, with the same uuid and timestamp, must change nothing. `deliver` ends within seconds,
    by taking all or raising SinkError.
    """

    name: str
    batch: int
    """The most events it wants at once."""

    def deliver(self, events: Sequence[Event]) -> None: ...

    def close(self) -> None: ...


class SinkError(Exception):
    """The events were not taken.

    `permanent`: these events, as they are, never will be. Otherwise the trouble is expected to pass; `retry_after`
    is the time to wait that the sink asks for, in seconds. `silent`: it gave no answer, which hardly any event is to
    blame for. Any other exception counts as passing.
    """

    def __init__(self, text: str, *, permanent: bool, retry_after: float | None = None, silent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.retry_after = retry_after
        self.silent = silent


class NullSink:
    """Takes everything and keeps nothing."""

    name = "null"
    batch = 1000

    def deliver(self, events: Sequence[Event]) -> None:
        pass

    def close(self) -> None:
        pass


class MemorySink:
    """Keeps everything in memory, each uuid once; `name` is that of the sink it stands for."""

    batch = 500

    def __init__(self, name: str = "local") -> None:
        self.name = name
        self.events: dict[str, Event] = {}
        self.batches: list[list[str]] = []

    def deliver(self, events: Sequence[Event]) -> None:
        self.batches.append([event.uuid for event in events])
        for event in events:
            self.events.setdefault(event.uuid, event)

    def close(self) -> None:
        pass
