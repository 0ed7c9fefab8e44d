"""One running collector: its parts made from plain values, its threads started and stopped."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Request
from sqlalchemy.exc import SQLAlchemyError

from flowforge_ui.collector.app import create_app
from flowforge_ui.collector.keyring import Keyring
from flowforge_ui.collector.limits import Limiter
from flowforge_ui.collector.receive import Receiver
from flowforge_ui.collector.routes import Collector
from flowforge_ui.collector.spool import Spool
from flowforge_ui.collector.store import PingStore
from flowforge_ui.collector.writer import Writer
from flowforge_ui.telemetry.wire import PingPlan

log = logging.getLogger(__name__)

RETENTION_EVERY_S = 3600.0
PREPARE_EVERY_S = 5.0
SCRUB_EVERY_S = 2.0
SHORTEST_TOKEN = 16


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a collector is configured with. ``access_token`` None: one is made and kept in ``home``."""

    plan: PingPlan
    home: Path
    database_url: str
    key_file: Path
    access_token: str | None
    public: bool
    retention_days: int
    dist: Path
    address_of: Callable[[Request], str | None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


class Service:
    """``application`` answers requests; ``start`` lets it keep pings, ``stop`` commits what waits."""

    def __init__(self, parts: Parts) -> None:
        self.access_token = parts.access_token or own_access_token(parts.home / "collector.access")
        self.store = PingStore(parts.database_url, parts.plan)
        self.spool = Spool(parts.home / "collector-spool")
        self.writer = Writer(self.store, self.spool)
        self._clock = parts.clock
        self._prepared = False
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_order, name="collector-retention", daemon=True)
        self.receiver = Receiver(
            plan=parts.plan,
            keyring=Keyring(parts.key_file, parts.clock),
            limiter=Limiter(),
            writer=self.writer,
            clock=parts.clock,
            retention_days=parts.retention_days,
        )
        self.application: Flask = create_app(
            Collector(
                store=self.store,
                receiver=self.receiver,
                access_token=self.access_token,
                public=parts.public,
                clock=parts.clock,
                address_of=parts.address_of,
                dist=parts.dist,
            )
        )

    def start(self) -> None:
        """Begin to keep pings. A database that is away is waited for; the spool takes the pings meanwhile.

        Raises StoreTooNew when the database belongs to a newer collector.
        """
        self._prepared = self._prepare()
        self.writer.start()
        self._keeper.start()

    def stop(self) -> None:
        """Commit what waits, close the database."""
        self._stopping.set()
        self.writer.stop()
        self._keeper.join(timeout=10)
        self.store.close()

    def prune(self) -> int:
        """Forget raw pings past their time; how many."""
        now_ms = int(self._clock().timestamp() * 1000)
        with self.store.writing() as tx:
            gone = self.store.expire(tx, now_ms)
        self.store.scrub()
        self.spool.expire(now_ms)
        return gone

    def _prepare(self) -> bool:
        try:
            self.store.prepare()
        except SQLAlchemyError as error:
            # A file that is not for us is for the operator to mend, and there is nobody's data in why.
            cause = getattr(error, "orig", None)
            why = cause if isinstance(cause, OSError) else type(error).__name__
            log.warning("the collector's database is away (%s)", why)
            return False
        return True

    def _keep_order(self) -> None:
        while not self._prepared and not self._stopping.wait(PREPARE_EVERY_S):
            self._prepared = self._prepare()
        due = 0.0
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + RETENTION_EVERY_S
                    self.receiver.keyring.turn()
                    self.prune()
                elif not self.store.scrubbed:
                    self.store.scrub(wait=False)
            except (SQLAlchemyError, OSError) as error:
                log.warning("old pings could not be removed (%s)", type(error).__name__)
            self._stopping.wait(SCRUB_EVERY_S)


def own_access_token(path: Path) -> str:
    """The token of the fleet page, made once and kept in a file that only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if found := _token_in(path):
        return found
    token = secrets.token_urlsafe(24)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # whole or not at all, and the first of several processes decides
    except FileExistsError:
        if _token_in(path) is None:
            fresh.replace(path)
    fresh.unlink(missing_ok=True)
    return _token_in(path) or token


def _token_in(path: Path) -> str | None:
    """None where there is none, or what a disk that was full has left of one: an empty token would let anybody in."""
    try:
        found = path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    return found if len(found) >= SHORTEST_TOKEN else None
