"""This process's hold on the analytics store: opened when first needed, closed at the end."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from flowforge_ui.analytics.errors import StoreError
from flowforge_ui.analytics.sink import LocalSink
from flowforge_ui.analytics.spool import DIRECTORY, Importer
from flowforge_ui.analytics.store import open_store
from flowforge_ui.telemetry.sinks import SinkError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flowforge_ui.analytics.store import Store
    from flowforge_ui.telemetry.event import Event

log = logging.getLogger(__name__)


class Analytics:
    """One store a process. Whoever holds a DuckDB file also takes what other programs have for it from the spool."""

    def __init__(self, url: str, home: Path) -> None:
        self._url = url
        self._spool = home / DIRECTORY
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._importer: Importer | None = None

    def store(self) -> Store:
        """Raises StoreError; the next call tries again."""
        with self._lock:
            if self._store is None:
                self._store = open_store(self._url)
                if self._url.startswith("duckdb:"):
                    self._importer = Importer(self._store, self._spool)
                    self._importer.start()
            return self._store

    def close(self) -> None:
        with self._lock:
            if self._importer is not None:
                self._importer.stop()
            if self._store is not None:
                self._store.close()
            self._importer = self._store = None


class OpeningSink:
    """The local sink before its store is open: trouble with opening it is trouble that passes."""

    name = LocalSink.name
    batch = LocalSink.batch

    def __init__(self, analytics: Analytics) -> None:
        self._analytics = analytics

    def deliver(self, events: Sequence[Event]) -> None:
        try:
            store = self._analytics.store()
        except StoreError as error:
            raise SinkError(str(error), permanent=False) from error
        LocalSink(store).deliver(events)

    def close(self) -> None:
        """The store is closed by who opened it."""
