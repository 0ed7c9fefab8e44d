"""Where pings wait while the database is away: an append-only file, flushed to disk before a ping is acknowledged."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from flowforge_ui.collector.ping import Ping

KEEP_UNREADABLE_S = 90 * 24 * 3600.0

Keep = Callable[[Sequence[Ping]], Sequence[Ping]]
"""Keeps pings; gives back those that can never be kept. What it raises leaves them all waiting."""


@dataclass(slots=True)
class _Aside:
    """A file that is being loaded, how far it is, and the lock that keeps other processes from it."""

    path: Path
    file: BinaryIO


class Spool:
    """``pings.spool`` grows; ``load`` sets it aside, hands its pings over and removes it when they are kept.

    Several processes may share the folder. A file set aside has a name that no other ever had, and whoever loads it
    holds its lock, so that nobody removes what another one has just set aside. ``load`` is for one thread.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "pings.spool"
        self._rejected, self._unreadable = directory / "pings.rejected", directory / "pings.unreadable"
        self._lock = threading.Lock()
        self._aside: _Aside | None = None

    def put(self, pings: Sequence[Ping]) -> None:
        """Append; returns when the bytes are on the disk. Raises OSError when they cannot be."""
        with self._alone():
            _append(self._path, b"".join(_line(each) for each in pings))

    def waiting(self) -> bool:
        """Whether anything waits."""
        return any(True for _ in self._directory.glob("pings.spool*"))

    def load(self, keep: Keep, most: int = 500) -> int:
        """Hand ``most`` of what waits to ``keep``, oldest first; how many lines were done with. 0: no more for us.

        A crash in the middle hands some over again: keeping is idempotent. What cannot be read, or never be kept, is
        set apart in files of their own.
        """
        while (aside := self._aside or self._next()) is not None:
            self._aside = aside
            start = aside.file.tell()
            try:
                lines = list(islice(aside.file, most))
                pings, torn = _read(lines)
                self._set_apart(keep(pings) if pings else (), torn)
            except BaseException:
                aside.file.seek(start)
                raise
            if len(lines) < most:
                aside.path.unlink(missing_ok=True)
                self.close()
            if lines:
                return len(lines)
        return 0

    def close(self) -> None:
        """Let other processes load what this one has begun with."""
        if self._aside is not None:
            self._aside.file.close()
        self._aside = None

    def forget(self, instance_id: str) -> None:
        """What was set apart of an installation goes, too."""
        sought = instance_id.encode()
        for path in (self._rejected, self._unreadable):
            self._sift(path, lambda line: sought not in line)

    def expire(self, now_ms: int) -> None:
        """What was set apart is forgotten when its time is over, as if it had been kept."""
        self._sift(self._rejected, lambda line: any(each.expires_at > now_ms for each in _read([line])[0]))
        with suppress(FileNotFoundError):
            if self._unreadable.stat().st_mtime < now_ms / 1000 - KEEP_UNREADABLE_S:
                self._unreadable.unlink()

    def _next(self) -> _Aside | None:
        """The oldest file that no other process is loading."""
        with self._alone():
            if self._path.exists():
                name = f"pings.spool.{time.time_ns():020}-{secrets.token_hex(4)}"
                self._path.rename(self._directory / name)
        for path in sorted(self._directory.glob("pings.spool.*"), key=_age):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue  # another process has loaded it meanwhile
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_nlink:
                    return _Aside(path, file)
            except BlockingIOError:
                pass  # another process is loading it
            file.close()
        return None

    def _set_apart(self, bad: Sequence[Ping], torn: Sequence[bytes]) -> None:
        if not bad and not torn:
            return
        with self._alone():
            if bad:
                _append(self._rejected, b"".join(_line(each) for each in bad))
            if torn:
                _append(self._unreadable, b"".join(each.rstrip(b"\n") + b"\n" for each in torn))

    def _sift(self, path: Path, stays: Callable[[bytes], bool]) -> None:
        if not path.exists():
            return
        with self._alone(), suppress(FileNotFoundError):
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [each for each in lines if stays(each)]
            if len(kept) == len(lines):
                return
            fresh = path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            _append(fresh, b"".join(kept))
            fresh.replace(path)
            if not kept:
                path.unlink()

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


def _append(path: Path, lines: bytes) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        start = os.fstat(handle).st_size
        if start and os.pread(handle, 1, start - 1) != b"\n":
            lines = b"\n" + lines  # a process was killed while writing: its half line must not swallow the next one
        try:
            _write_all(handle, lines)
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, start)
            raise
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _line(ping: Ping) -> bytes:
    return json.dumps(asdict(ping), separators=(",", ":")).encode() + b"\n"


def _read(lines: Sequence[bytes]) -> tuple[list[Ping], list[bytes]]:
    """Pings, and the lines that are none."""
    found: list[Ping] = []
    torn: list[bytes] = []
    for line in lines:
        if not line.strip():
            continue
        try:
            found.append(Ping(**json.loads(line)))
        except (ValueError, TypeError):
            torn.append(line)
    return found, torn


def _age(path: Path) -> int:
    """When it was set aside. An earlier version numbered its files from 1."""
    number = path.suffix[1:].partition("-")[0]
    return int(number) if number.isdigit() else 0
