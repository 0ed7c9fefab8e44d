"""Events handed to the process that holds the store, through a directory of its home.

A DuckDB file belongs to one process. Another one on the same machine, run by the same operator, puts requests as
files into the spool; the holder takes them in the order of their names. Only demonstration data comes this way:
every event is marked as such here, whatever the file says, so nobody can make up real use.

`….events.ndjson.gz`   events to keep, one JSON object a line
`….remove`             forget the demonstration data
`….ask`                say what the store holds, in `….answer`
"""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
import zlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import orjson

from flowforge_ui.analytics.errors import EventRefused, StoreError
from flowforge_ui.telemetry.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flowforge_ui.analytics.store import Store

log = logging.getLogger(__name__)

DIRECTORY = "analytics-import"
EVENTS, REMOVE, ASK, ANSWER, REJECTED = ".events.ndjson.gz", ".remove", ".ask", ".answer", ".rejected"
_LINE = 65_536  # bytes of one event at most
_BATCH = 5000


class Importer:
    """Takes requests out of the spool, in a thread of its own, for as long as this process holds the store."""

    def __init__(self, store: Store, directory: Path, every_seconds: float = 0.5) -> None:
        self._store = store
        self._directory = directory
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Create the spool, for its owner alone, and look into it from now on."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._thread = threading.Thread(target=self._run, name="analytics import", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the request at hand and end the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def step(self) -> int:
        """Take every request that is ready; answer how many they were. What fails in passing stays for later."""
        taken = 0
        for path in sorted(self._directory.iterdir()):
            if self._stopping.is_set():
                break
            taken += self._take(path)
        return taken

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self.step()
            except (StoreError, OSError) as error:
                log.warning("The analytics spool waits: %s", error)
                self._stopping.wait(10 * self._every)

    def _take(self, path: Path) -> bool:
        if path.name.startswith("."):
            return False
        try:
            if path.name.endswith(EVENTS):
                for events in _batches(path):
                    self._store.append(events)
            elif path.name.endswith(REMOVE):
                self._store.remove_demo()
            elif path.name.endswith(ASK):
                _write(path.with_suffix(ANSWER), json.dumps(held(self._store)).encode())
            else:
                return False
        except (ValueError, TypeError, KeyError, EOFError, zlib.error, gzip.BadGzipFile, EventRefused) as error:
            log.warning("The analytics spool holds %s, which is no request: %s", path.name, error)
            path.rename(path.with_name(path.name + REJECTED))
            return True
        path.unlink(missing_ok=True)
        return True


class Spool:
    """The other end: puts requests where the holder of the store finds them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._begun = f"{time.time_ns():020d}"
        self._number = 0

    def put(self, events: Sequence[Event]) -> Path:
        """Hand over events; the file appears when it is complete."""
        lines = b"".join(orjson.dumps(asdict(event)) + b"\n" for event in events)
        return self._request(EVENTS, gzip.compress(lines, compresslevel=3))

    def remove(self) -> Path:
        return self._request(REMOVE, b"")

    def ask(self) -> Path:
        return self._request(ASK, b"")

    def _request(self, suffix: str, content: bytes) -> Path:
        self._number += 1
        path = self.directory / f"{self._begun}-{self._number:05d}{suffix}"
        _write(path, content)
        return path


def held(store: Store) -> dict[str, int]:
    """How many events there are, `real` ones and `demo` ones."""
    row = store.ask("presence", {})[0]
    return {"real": row["events"] - row["demo_events"], "demo": row["demo_events"]}


def _write(path: Path, content: bytes) -> None:
    hidden = path.with_name("." + path.name)
    hidden.write_bytes(content)
    hidden.rename(path)


def _batches(path: Path) -> Iterator[list[Event]]:
    batch: list[Event] = []
    with gzip.open(path, "rb") as file:
        while line := file.readline(_LINE + 1):
            if len(line) > _LINE:
                raise ValueError("a line is too long")
            batch.append(_event(orjson.loads(line)))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _event(raw: Any) -> Event:
    event = Event(**raw)
    texts = (event.uuid, event.name, event.distinct_id, event.origin)
    times = (event.timestamp, event.recorded_at)
    if not all(isinstance(text, str) for text in texts) or not all(type(time) is int for time in times):
        raise TypeError("an event with fields of other types")
    if not isinstance(event.properties, dict):
        raise TypeError("an event whose properties are no table")
    return replace(event, properties={**event.properties, "demo": True})
