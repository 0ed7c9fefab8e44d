"""The local store as one of the places events are delivered to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_ui.analytics.errors import EventRefused, StoreError
from flowforge_ui.telemetry.sinks import SinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowforge_ui.analytics.store import Store
    from flowforge_ui.telemetry.event import Event


class LocalSink:
    """Delivers into the installation's own store; a repeat changes nothing."""

    name = "local"
    batch = 10_000  # one transaction each; half as many cost a sixth more an event

    def __init__(self, store: Store) -> None:
        self._store = store

    def deliver(self, events: Sequence[Event]) -> None:
        """Keep the events. Raises SinkError, permanent when they can never be kept."""
        try:
            self._store.append(events)
        except StoreError as error:
            raise SinkError(str(error), permanent=isinstance(error, EventRefused)) from error

    def close(self) -> None:
        """Leave the store open: others read from it, and the one who opened it closes it."""
