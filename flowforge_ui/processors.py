"""Which processors threads run on. Linux alone lets a program say so; elsewhere nothing here does anything.

One interpreter runs one thread at a time. Spread over processors, the threads that answer requests hand its lock from
one to the next with a wake-up across processors each time, and find their caches cold: the same request takes two to
three times the processor time (docs/performance.md). So they stay together on one, and leave it for long work that does
not need the interpreter.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_supported = hasattr(os, "sched_setaffinity")
_all: frozenset[int] = frozenset()


def keep_together() -> None:
    """Keeps the calling thread, and all that it starts from now on, on one of the process's processors.

    Which one follows from the process's number, so that several processes take different ones.
    """
    global _all  # noqa: PLW0603 -- a fact of the process: where it might run before
    if not _supported:
        return
    processors = sorted(_all or os.sched_getaffinity(0))
    _all = frozenset(processors)
    _move(threading.get_native_id(), {processors[os.getpid() % len(processors)]})


@contextlib.contextmanager
def anywhere() -> Iterator[None]:
    """For work that takes long without the interpreter's lock: on any processor, threads that it starts too.

    It is the thread that began which goes back, whichever ends the work: a generator may be closed by another one.
    """
    kept = os.sched_getaffinity(0) if _all else _all
    if kept == _all:
        yield
        return
    thread = threading.get_native_id()
    _move(thread, _all)
    try:
        yield
    finally:
        _move(thread, kept)


def _move(thread: int, processors: set[int] | frozenset[int]) -> None:
    # The thread may have ended, or somebody have taken processors from the program: then it stays where it is.
    with contextlib.suppress(OSError):
        os.sched_setaffinity(thread, processors)
