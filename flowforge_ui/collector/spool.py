"""Where pings wait while the database is away: an append-only file, flushed to disk before a ping is acknowledged."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from flowforge_ui.collector.ping import Ping


class Spool:
    """``pings.spool`` grows; ``load`` sets it aside, hands its pings over and removes it when they are kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "pings.spool"
        self._lock = threading.Lock()

    def put(self, pings: Sequence[Ping]) -> None:
        """Append; returns when the bytes are on the disk. Raises OSError when they cannot be."""
        lines = b"".join(json.dumps(asdict(each), separators=(",", ":")).encode() + b"\n" for each in pings)
        with self._alone():
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                start = os.fstat(handle).st_size
                try:
                    _write_all(handle, lines)
                    os.fsync(handle)
                except OSError:
                    os.ftruncate(handle, start)  # half a line must not swallow the next one
                    raise
            finally:
                os.close(handle)

    def waiting(self) -> bool:
        """Whether anything waits."""
        return any(True for _ in self._directory.glob("pings.spool*"))

    def load(self, keep: Callable[[Sequence[Ping]], object], group: int = 500) -> int:
        """Hand everything that waits to ``keep``, oldest first; how many. What ``keep`` raises leaves the rest waiting.

        A crash in the middle hands some over again: keeping is idempotent.
        """
        with self._alone():
            if self._path.exists():
                aside = self._directory / f"pings.spool.{self._next_number()}"
                self._path.rename(aside)
        taken = 0
        for path in sorted(self._directory.glob("pings.spool.*"), key=lambda each: int(each.suffix[1:])):
            pings = list(_read(path))
            for start in range(0, len(pings), group):
                keep(pings[start : start + group])
            taken += len(pings)
            path.unlink(missing_ok=True)  # another process may have loaded it, too
        return taken

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread, nor another process with this folder, writes or sets aside meanwhile."""
        with self._lock:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._directory / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    def _next_number(self) -> int:
        return 1 + max((int(each.suffix[1:]) for each in self._directory.glob("pings.spool.*")), default=0)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _read(path: Path) -> list[Ping]:
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(Ping(**json.loads(line)))
        except (ValueError, TypeError):
            continue  # the last line of a process that was killed while writing: it was never acknowledged
    return found
