"""Group commit: what many requests hand in at the same time becomes one transaction.

There is no thread for it. The first request to come writes for all that are waiting; those that come meanwhile wait
for the next one, which the first of them writes. So a lone request pays nothing, and a crowd pays one commit.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from . import counters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .counters import Kind, Tally
    from .outbox import InsertRow, Outbox


class Overloaded(Exception):
    """More waits to be written than is allowed to wait; nothing of this was written."""


class Unavailable(Exception):
    """The database cannot take it now; nothing of this was written."""


class _Handed:
    """One request's rows and drops; `turn` is released when they are written, or when it is its turn to write."""

    __slots__ = ("done", "error", "rows", "tally", "turn")

    def __init__(self, rows: Sequence[InsertRow], tally: Tally) -> None:
        self.rows, self.tally = rows, tally
        self.done = False
        self.error: Exception | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Intake:
    """Hands rows to the outbox. `waiting` rows may wait, `group` of them go into one transaction."""

    def __init__(
        self, outbox: Outbox, *, wake: Callable[[], None] = lambda: None, waiting: int = 50_000, group: int = 5_000
    ) -> None:
        self._outbox, self._wake = outbox, wake
        self._waiting, self._group = waiting, group
        self._mutex = threading.Lock()
        self._queue: list[_Handed] = []
        self._queued = 0
        self._writing = False
        self._noted: Tally = Counter()

    def commit(self, rows: Sequence[InsertRow], tally: Tally) -> None:
        """Returns once the rows and the counters are committed; raises Overloaded or Unavailable when they are not."""
        handed = _Handed(rows, tally)
        with self._mutex:
            if self._queue and self._queued + len(rows) > self._waiting:
                raise Overloaded
            self._queue.append(handed)
            self._queued += len(rows)
            write = not self._writing
            self._writing = True
        if not write:
            handed.turn.acquire()
        if not handed.done:
            self._write_group()
        if handed.error is not None:
            raise Unavailable from handed.error
        self._wake()

    def note(self, kind: Kind, name: str, n: int = 1) -> None:
        """Counts something that is worth no transaction of its own; it goes with the next one, or with `flush`."""
        with self._mutex:
            self._noted[kind, name] += n

    def flush(self) -> None:
        """Writes what was noted; what cannot be written now stays noted."""
        with self._mutex:
            empty = not self._noted
        if not empty:
            with contextlib.suppress(Overloaded, Unavailable):
                self.commit((), Counter())

    def _write_group(self) -> None:
        group, noted = self._take()
        try:
            self._write(group, noted)
        finally:
            with self._mutex:
                following = self._queue[0] if self._queue else None
                self._writing = following is not None
            for handed in group:
                handed.done = True
                handed.turn.release()
            if following is not None:
                following.turn.release()

    def _take(self) -> tuple[list[_Handed], Tally]:
        with self._mutex:
            n = rows = 0
            for handed in self._queue:
                rows += len(handed.rows)
                if n and rows > self._group:
                    break
                n += 1
            group, self._queue = self._queue[:n], self._queue[n:]
            self._queued -= sum(len(handed.rows) for handed in group)
            noted, self._noted = self._noted, Counter()
        return group, noted

    def _write(self, group: list[_Handed], noted: Tally) -> None:
        try:
            self._transact(group, noted)
        except (OperationalError, InterfaceError) as error:
            self._give_up(group, noted, error)
        except DBAPIError as error:
            # One of them cannot be stored. Alone each harms only itself.
            if len(group) == 1:
                self._give_up(group, noted, error)
                return
            for handed in group:
                self._write([handed], Counter())
            self._put_back(noted)
        except Exception as error:  # noqa: BLE001 -- whoever waits has to be told, whatever it is
            self._give_up(group, noted, error)

    def _transact(self, group: list[_Handed], noted: Tally) -> None:
        rows = group[0].rows if len(group) == 1 else [row for handed in group for row in handed.rows]
        with self._outbox.transaction() as tx:
            tally = self._outbox.write(tx, rows)
            tally.update(noted)
            for handed in group:
                tally.update(handed.tally)
            counters.add(tx, tally)

    def _give_up(self, group: list[_Handed], noted: Tally, error: Exception) -> None:
        self._put_back(noted)
        for handed in group:
            handed.error = error

    def _put_back(self, noted: Tally) -> None:
        with self._mutex:
            self._noted.update(noted)
