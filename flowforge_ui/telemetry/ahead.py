"""The next batch is read while the sink works on this one: the sink's engine and the log's take about as long."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .outbox import Claimed

    Read = Callable[[], list[Claimed]]


class Ahead:
    """At most one batch; nothing is read unless somebody began to."""

    def __init__(self) -> None:
        self._batch: Future[list[Claimed]] | None = None

    def begin(self, read: Read) -> None:
        """Reads in a thread of its own, which ends with the reading."""
        batch: Future[list[Claimed]] = Future()
        self._batch = batch
        Thread(target=_read, args=(read, batch), name="delivery-ahead", daemon=True).start()

    def take(self) -> list[Claimed]:
        """What was read, once; nothing when nobody began. Raises what reading raised."""
        batch, self._batch = self._batch, None
        return [] if batch is None else batch.result()

    def drop(self) -> None:
        """Waits for the end of the reading and forgets what was read: it may have changed until it is wanted."""
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.exception()


def _read(read: Read, batch: Future[list[Claimed]]) -> None:
    try:
        batch.set_result(read())
    except BaseException as error:  # noqa: BLE001 -- whoever takes it has to be told, whatever it is
        batch.set_exception(error)
