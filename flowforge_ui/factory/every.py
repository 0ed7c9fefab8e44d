"""Something small that each process does again and again."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class Every:
    """Calls `act` every so many seconds in a thread of its own; an error is logged and ends nothing."""

    def __init__(self, name: str, seconds: float, act: Callable[[], object]) -> None:
        self._name, self._seconds, self._act = name, seconds, act
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._act()
            except Exception:
                log.exception("%s", self._name)
